"""What becomes of flows whose ends meet a list, for all cells at once: what is delivered, through which services."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from provisioning.core.reach.compare.flow_kinds import InterSegment, IntraSegment
from provisioning.core.reach.compare.flow_space import FlowSpace
from provisioning.core.reach.compare.match_rules import MatchRule
from provisioning.core.reach.compare.rule_table import (
    DESTINATION_POLICY_STAGE,
    DESTINATION_PRE_POLICY_STAGE,
    FIREWALL_STAGE,
    SHARE_STAGE,
    SOURCE_PRE_POLICY_STAGE,
    RuleTable,
)
from provisioning.core.reach.trace.decision import available_chain

ServiceChain = tuple[str, ...]
VerdictKey = tuple[str | None, ServiceChain]
"""The rule that a flow is told by, where rules are asked for, and the services it passes."""

Verdict = dict[VerdictKey, int]
"""Disjoint masks of the cells that are delivered."""


class Evaluator:
    """Walks through lists of one version. ``rules``: whether flows that different rules allow are told apart."""

    def __init__(self, flow_space: FlowSpace, rule_table: RuleTable, version: int, rules: bool = False) -> None:
        self.rule_table, self.firewalls = rule_table, rule_table.firewalls[version]
        self._resolved = flow_space.source_segment
        self._shared, self._needs_share_or_app = (
            isinstance(flow_space, InterSegment),
            not isinstance(flow_space, IntraSegment),
        )
        self._firsts = rule_table.stage_starts
        self._labels = [_verdict_key(line, rules) for line in rule_table.rules]
        self._passes = [line.chain is not None for line in rule_table.rules]
        self._available_chains: dict[ServiceChain, ServiceChain | None] = {}

    def existing_mask(self, hits: list[int], asked: int) -> int:
        """The asked cells in which there are flows at all; none where an end is nobody's, or no share covers it."""
        if not hits or hits[0] >= self._firsts[SHARE_STAGE]:
            return 0
        asked &= self.rule_table.l4_masks[hits[0]]
        if not self._needs_share_or_app:
            return asked
        way = self._share_or_app_rule(hits)
        return asked & self.rule_table.l4_masks[way] if way is not None else 0

    def _share_or_app_rule(self, hits: list[int]) -> int | None:
        """The share that carries these flows, or the port of the application."""
        place = bisect_left(hits, self._firsts[SHARE_STAGE])
        return hits[place] if place < len(hits) and hits[place] < self._firsts[SOURCE_PRE_POLICY_STAGE] else None

    def evaluate(self, hits: list[int], asked: int) -> Verdict:
        """What becomes of the asked cells."""
        left = self.existing_mask(hits, asked)
        if not left:
            return {}
        firsts = self._firsts
        way = self._share_or_app_rule(hits) if self._needs_share_or_app else None
        place = bisect_left(hits, firsts[SOURCE_PRE_POLICY_STAGE])
        for stage in (SOURCE_PRE_POLICY_STAGE, DESTINATION_PRE_POLICY_STAGE):
            if firsts[stage] < firsts[stage + 1]:
                after = bisect_left(hits, firsts[stage + 1], place)
                left &= ~self._filtered_mask(hits[place:after], left)
                place = after
        if self._shared and way is not None:
            return self._apply_services(self._combine_segments(hits, place, left, self._labels[way]), hits)
        return self._apply_services(self._first_match(hits, place, firsts[DESTINATION_POLICY_STAGE], left)[0], hits)

    def _filtered_mask(self, pre_policy_rules: Iterable[int], asked: int) -> int:
        """The cells that gates keep out; the first one that matches decides."""
        left, shut = asked, 0
        for place in pre_policy_rules:
            part = self.rule_table.l4_masks[place] & left
            left ^= part
            if not self._passes[place]:
                shut |= part
        return shut

    def _first_match(self, hits: list[int], place: int, end: int, left: int) -> tuple[Verdict, int, int]:
        """What is let through by which rule, the cells that no line matches, and where the next list begins."""
        masks, labels, passes = self.rule_table.l4_masks, self._labels, self._passes
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

    def _combine_segments(self, hits: list[int], place: int, asked: int, opens: VerdictKey) -> Verdict:
        """Through a share: both segments' rules are tried, a deny in either denies, the share lets the rest pass."""
        here, free_here, place = self._first_match(hits, place, self._firsts[DESTINATION_POLICY_STAGE], asked)
        there, free_there, _ = self._first_match(hits, place, self._firsts[FIREWALL_STAGE], asked)
        found: Verdict = {}
        nothing: VerdictKey = (None, ())
        for (rule, chain), mask in (*here.items(), (nothing, free_here)):
            for (other_rule, other_chain), other_mask in (*there.items(), (nothing, free_there)):
                if both := mask & other_mask:
                    whole = tuple(dict.fromkeys((*chain, *opens[1], *other_chain)))
                    label = (rule or other_rule or opens[0], whole)
                    found[label] = found.get(label, 0) | both
        return found

    def _apply_services(self, found: Verdict, hits: Sequence[int]) -> Verdict:
        """Without what services drop; chains become the services really passed."""
        if not any(chain for _, chain in found):
            return found
        passed: Verdict = {}
        inner = hits[bisect_left(hits, self._firsts[FIREWALL_STAGE]) :]
        for (rule, chain), mask in found.items():
            living = self._available_chain(chain)
            if living is None:
                continue
            for uid in living:
                if uid in self.firewalls:
                    mask &= ~self.firewalls[uid].stopped(inner, mask)
            if mask:
                passed[rule, living] = passed.get((rule, living), 0) | mask
        return passed

    def _available_chain(self, chain: ServiceChain) -> ServiceChain | None:
        """The services that are there; None where one is missing that stops the flow."""
        if chain not in self._available_chains:
            living, missing = available_chain(self._resolved.exchanges, self._resolved.services, chain)
            self._available_chains[chain] = None if missing else living
        return self._available_chains[chain]


def _verdict_key(line: MatchRule, rules: bool) -> VerdictKey:
    return line.title if rules else None, line.chain or ()


def delivered_mask(verdict: Verdict) -> int:
    """All cells that arrive."""
    mask = 0
    for part in verdict.values():
        mask |= part
    return mask


FlowDifference = tuple[str, ServiceChain, int]
"""allowed, blocked or inspected; the services passed afterwards; the cells."""


def compare_verdicts(before: Verdict, after: Verdict) -> tuple[FlowDifference, ...]:
    """What two versions make of the same flows differently."""
    if before == after:
        return ()
    was, becomes = delivered_mask(before), delivered_mask(after)
    found: list[FlowDifference] = []
    for label, mask in after.items():
        if new := mask & ~was:
            found.append(("allowed", label[1], new))
        if other := mask & was & ~before.get(label, 0):
            found.append(("inspected", label[1], other))
    if lost := was & ~becomes:
        found.append(("blocked", (), lost))
    return tuple(found)
