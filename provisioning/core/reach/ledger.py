"""The lists of one or two versions as one: lines both have stand once, in an order that is right for either."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from provisioning.core.flows import Cells, cells
from provisioning.core.reach.cellmap import CellMap
from provisioning.core.reach.firewalls import Firewall, GuardKey, firewall_lines, firewalls
from provisioning.core.reach.lines import Alike, Line
from provisioning.core.reach.scenes import EVERYBODYS, FIREWALL, Scene, Stage

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

ABSENT = -2
"""Stands for the policy of a line that a version does not have."""

NONE = -1
Pairs = list[tuple[int, ...]]
"""Places in the lists of each version; NONE where one has no such line."""


class Ledger:
    """lines: in the order they are tried, stage by stage. firsts[stage]: where a stage begins; one more at the end.

    held[k]: which of them version k has. policies[k]: place of the line's policy in version k. masks: of their cells.
    firewalls[k]: what stops flows there, by service.
    """

    def __init__(self, scenes: Sequence[Scene | None], asked: Iterable[Cells] = ()) -> None:
        self.lines: list[Line] = []
        self.firsts: list[int] = []
        self._books: list[int] = []
        self._policies: list[list[int]] = [[] for _ in scenes]
        twins = [scenes[1 - k] if len(scenes) == 2 else None for k in range(len(scenes))]
        stages = [scene.stages(twins[k], k) if scene else {} for k, scene in enumerate(scenes)]
        for stage in range(FIREWALL):
            self._add([held.get(stage) for held in stages])
        used = [{uid for held in one.values() for line in held.lines for uid in line.chain or ()} for one in stages]
        places = self._add_firewalls(scenes, twins, used)
        self.firsts.append(len(self.lines))
        self.books = np.array(self._books, np.intp)
        self.policies = [np.array(one, np.intp) for one in self._policies]
        self.held: list[Flags] = [one != ABSENT for one in self.policies]
        inner = {
            cells(rule.protocol, rule.ports)
            for scene, uids in zip(scenes, used, strict=True)
            for uid in uids
            if scene and uid in scene.realm.services
            for rule in scene.realm.services[uid].firewall_rules
        }
        self.cells = CellMap({line.cells for line in self.lines}.union(inner, asked))
        self.masks = [self.cells.mask(line.cells) for line in self.lines]
        self.firewalls: list[dict[str, Firewall]] = [
            firewalls(scene.realm, uids, placed, self.cells.mask) if scene else {}
            for scene, uids, placed in zip(scenes, used, places, strict=True)
        ]

    def _add(self, sheets: Sequence[Stage | None]) -> Pairs:
        self.firsts.append(len(self.lines))
        pairs = _aligned([sheet.keys if sheet else [] for sheet in sheets])
        for k, sheet in enumerate(sheets):
            told = [line.policy for line in sheet.lines] if sheet else []
            self._policies[k] += [ABSENT if pair[k] == NONE else told[pair[k]] for pair in pairs]
        held = [(k, sheet) for k, sheet in enumerate(sheets) if sheet]
        for pair in pairs:
            self.lines.append(next(sheet.lines[pair[k]] for k, sheet in held if pair[k] != NONE))
        self._books += [held[0][1].book if held else EVERYBODYS] * len(pairs)
        return pairs

    def _add_firewalls(
        self, scenes: Sequence[Scene | None], twins: Sequence[Scene | None], used: Sequence[set[str]]
    ) -> list[dict[tuple[str, int], int]]:
        """For each version, where the rules of its services that ask for addresses have their lines."""
        listed: list[dict[GuardKey, Line]] = []
        for k, scene in enumerate(scenes):
            twin = twins[k]
            alike = Alike(scene.realm, twin.realm if twin else None) if scene else None
            listed.append(firewall_lines(scene.realm, used[k], alike, k) if scene and alike else {})
        first = len(self.lines)
        pairs = self._add([Stage(EVERYBODYS, list(one.values()), list(one)) for one in listed])
        found: list[dict[tuple[str, int], int]] = []
        for k, one in enumerate(listed):
            keys = list(one)
            found.append({keys[pair[k]][:2]: first + n for n, pair in enumerate(pairs) if pair[k] != NONE})
        return found

    def changed(self) -> Places:
        """The lines that only one of two versions has; rules through changed firewalls are among them."""
        only = self.held[0] != self.held[1]
        only[self.firsts[FIREWALL] :] = False
        return np.flatnonzero(only)


def _aligned(keys: Sequence[Sequence[Hashable]]) -> Pairs:
    """Places in one or two lists, equal keys together as far as neither order is broken."""
    if len(keys) == 1:
        return [(place,) for place in range(len(keys[0]))]
    one, other = keys
    if one == other:
        return [(place, place) for place in range(len(one))]
    where = {key: place for place, key in enumerate(other)}
    common = [(place, where[key]) for place, key in enumerate(one) if key in where]
    pairs: Pairs = []
    i = j = 0
    for left, right in (*_rising(common), (len(one), len(other))):
        pairs += [(place, NONE) for place in range(i, left)]
        pairs += [(NONE, place) for place in range(j, right)]
        if left < len(one):
            pairs.append((left, right))
        i, j = left + 1, right + 1
    return pairs


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs, first places rising, in which second places rise too."""
    tails: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for n, (_, right) in enumerate(pairs):
        place = bisect_left(tails, right)
        before.append(chosen[place - 1] if place else -1)
        if place == len(tails):
            tails.append(right)
            chosen.append(n)
        else:
            tails[place], chosen[place] = right, n
    found: list[tuple[int, int]] = []
    n = chosen[-1] if chosen else -1
    while n >= 0:
        found.append(pairs[n])
        n = before[n]
    return found[::-1]
