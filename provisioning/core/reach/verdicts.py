"""What becomes of flows whose ends meet a list, for all cells at once: what is delivered, through which services."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from provisioning.core.reach.decision import living_chain
from provisioning.core.reach.ledger import FIREWALL, GATE_HERE, GATE_THERE, PASSAGE, THERE, Ledger
from provisioning.core.reach.lines import Line
from provisioning.core.reach.scenes import Inside, Scene, Shared

Chain = tuple[str, ...]
Label = tuple[str | None, Chain]
"""The rule that a flow is told by, where rules are asked for, and the services it passes."""

Verdict = dict[Label, int]
"""Disjoint masks of the cells that are delivered."""


class Judge:
    """Walks through lists of one version. ``rules``: whether flows that different rules allow are told apart."""

    def __init__(self, scene: Scene, ledger: Ledger, version: int, rules: bool = False) -> None:
        self.ledger, self.firewalls = ledger, ledger.firewalls[version]
        self._realm = scene.realm
        self._shared, self._guided = isinstance(scene, Shared), not isinstance(scene, Inside)
        self._firsts = ledger.firsts
        self._labels = [_label(line, rules) for line in ledger.lines]
        self._passes = [line.chain is not None for line in ledger.lines]
        self._living: dict[Chain, Chain | None] = {}

    def flows(self, hits: list[int], asked: int) -> int:
        """The asked cells in which there are flows at all; none where an end is nobody's, or no share covers it."""
        if not hits or hits[0] >= self._firsts[PASSAGE]:
            return 0
        asked &= self.ledger.masks[hits[0]]
        if not self._guided:
            return asked
        way = self._way(hits)
        return asked & self.ledger.masks[way] if way is not None else 0

    def _way(self, hits: list[int]) -> int | None:
        """The share that carries these flows, or the port of the application."""
        place = bisect_left(hits, self._firsts[PASSAGE])
        return hits[place] if place < len(hits) and hits[place] < self._firsts[GATE_HERE] else None

    def verdict(self, hits: list[int], asked: int) -> Verdict:
        """What becomes of the asked cells."""
        left = self.flows(hits, asked)
        if not left:
            return {}
        firsts = self._firsts
        way = self._way(hits) if self._guided else None
        place = bisect_left(hits, firsts[GATE_HERE])
        for stage in (GATE_HERE, GATE_THERE):
            if firsts[stage] < firsts[stage + 1]:
                after = bisect_left(hits, firsts[stage + 1], place)
                left &= ~self._shut(hits[place:after], left)
                place = after
        if self._shared and way is not None:
            return self._guarded(self._joined(hits, place, left, self._labels[way]), hits)
        return self._guarded(self._first_match(hits, place, firsts[THERE], left)[0], hits)

    def _shut(self, gates: Iterable[int], asked: int) -> int:
        """The cells that gates keep out; the first one that matches decides."""
        left, shut = asked, 0
        for place in gates:
            part = self.ledger.masks[place] & left
            left ^= part
            if not self._passes[place]:
                shut |= part
        return shut

    def _first_match(self, hits: list[int], place: int, end: int, left: int) -> tuple[Verdict, int, int]:
        """What is let through by which rule, the cells that no line matches, and where the next list begins."""
        masks, labels, passes = self.ledger.masks, self._labels, self._passes
        found: Verdict = {}
        for at in range(place, len(hits)):
            line = hits[at]
            if line >= end:
                return found, left, at
            part = masks[line] & left
            if part:
                left ^= part
                if passes[line]:
                    label = labels[line]
                    found[label] = found.get(label, 0) | part
                if not left:
                    break
        return found, left, bisect_left(hits, end)

    def _joined(self, hits: list[int], place: int, asked: int, opens: Label) -> Verdict:
        """Through a share: both segments' rules are tried, a deny in either denies, the share lets the rest pass."""
        here, free_here, place = self._first_match(hits, place, self._firsts[THERE], asked)
        there, free_there, _ = self._first_match(hits, place, self._firsts[FIREWALL], asked)
        found: Verdict = {}
        nothing: Label = (None, ())
        for (rule, chain), mask in (*here.items(), (nothing, free_here)):
            for (other_rule, other_chain), other_mask in (*there.items(), (nothing, free_there)):
                if both := mask & other_mask:
                    whole = tuple(dict.fromkeys((*chain, *opens[1], *other_chain)))
                    label = (rule or other_rule or opens[0], whole)
                    found[label] = found.get(label, 0) | both
        return found

    def _guarded(self, found: Verdict, hits: Sequence[int]) -> Verdict:
        """Without what services drop; chains become the services really passed."""
        if not any(chain for _, chain in found):
            return found
        passed: Verdict = {}
        inner = hits[bisect_left(hits, self._firsts[FIREWALL]) :]
        for (rule, chain), mask in found.items():
            living = self._chain(chain)
            if living is None:
                continue
            for uid in living:
                if uid in self.firewalls:
                    mask &= ~self.firewalls[uid].stopped(inner, mask)
            if mask:
                passed[rule, living] = passed.get((rule, living), 0) | mask
        return passed

    def _chain(self, chain: Chain) -> Chain | None:
        """The services that are there; None where one is missing that stops the flow."""
        if chain not in self._living:
            living, missing = living_chain(self._realm.exchanges, self._realm.services, chain)
            self._living[chain] = None if missing else living
        return self._living[chain]


def _label(line: Line, rules: bool) -> Label:
    return line.title if rules else None, line.chain or ()


def delivered(verdict: Verdict) -> int:
    """All cells that arrive."""
    mask = 0
    for part in verdict.values():
        mask |= part
    return mask


Kind = tuple[str, Chain, int]
"""allowed, blocked or inspected; the services passed afterwards; the cells."""


def differences(before: Verdict, after: Verdict) -> tuple[Kind, ...]:
    """What two versions make of the same flows differently."""
    if before == after:
        return ()
    was, becomes = delivered(before), delivered(after)
    found: list[Kind] = []
    for label, mask in after.items():
        if new := mask & ~was:
            found.append(("allowed", label[1], new))
        if other := mask & was & ~before.get(label, 0):
            found.append(("inspected", label[1], other))
    if lost := was & ~becomes:
        found.append(("blocked", (), lost))
    return tuple(found)
