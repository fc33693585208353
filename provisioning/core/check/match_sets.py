"""Boxes: what rules match, and whether some of them together hold all of another one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provisioning.core.intent import Rule
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.values.addresses import ALL_V4, V6_OFFSET, Range, covers, intersect, subtract
from provisioning.core.values.l4 import l4_ranges

ALL_ADDRESSES: tuple[Range, ...] = (ALL_V4, (V6_OFFSET, V6_OFFSET + (1 << 128) - 1))
MAX_FRAGMENTS = 2_000
"""Of one box, after which nobody goes on looking whether others hold it."""
BISECT_RATIO = 8
"""How much longer one list is than another where searching it beats walking along both."""
RANGES_PER_STEP = 4
"""Ranges that are compared in the time that two boxes of one range a side take."""


class MatchSet(NamedTuple):
    """Addresses, addresses and cells (see ``flows``), each sorted and disjoint; a packet is in it with all three."""

    source: tuple[Range, ...]
    destination: tuple[Range, ...]
    l4_ranges: tuple[Range, ...]

    @property
    def range_count(self) -> int:
        """How many ranges it takes to write it down."""
        return len(self.source) + len(self.destination) + len(self.l4_ranges)

    @property
    def is_empty(self) -> bool:
        """No packet is in it; one of two families is none either."""
        return not self.l4_ranges or not any(
            ranges_overlap(self.source, (one,)) and ranges_overlap(self.destination, (one,)) for one in ALL_ADDRESSES
        )


class BudgetExceeded(Exception):
    """A rule falls into more pieces than ``MAX_FRAGMENTS``, or takes more comparisons than the ``Budget`` has."""


class Budget:
    """How many comparisons are left, so that looking ends whatever somebody wrote. Counted, not timed: the same network
    always gets the same answer."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def spend(self, steps: int) -> None:
        """Raise BudgetExceeded where there is no more."""
        self.steps -= steps
        if self.steps < 0:
            raise BudgetExceeded


def rule_match_set(rule: Rule, prefixes: PrefixResolver) -> MatchSet:
    source, destination = prefixes.ranges(rule.source), prefixes.ranges(rule.destination)
    return MatchSet(
        ALL_ADDRESSES if source is None else source,
        ALL_ADDRESSES if destination is None else destination,
        l4_ranges(rule.protocol, rule.ports),
    )


def ranges_overlap(one: Sequence[Range], other: Sequence[Range]) -> bool:
    """Whether two sorted lists of ranges have anything in common."""
    if one is other:
        return bool(one)
    if len(one) == 1 == len(other):
        return one[0][0] <= other[0][1] and other[0][0] <= one[0][1]
    if len(one) > len(other):
        one, other = other, one
    if len(one) * BISECT_RATIO < len(other):
        return any((last := bisect_right(other, (high, 1 << 130))) and low <= other[last - 1][1] for low, high in one)
    i = j = 0
    while i < len(one) and j < len(other):
        if one[i][1] < other[j][0]:
            i += 1
        elif other[j][1] < one[i][0]:
            j += 1
        else:
            return True
    return False


def is_within(inner: Sequence[Range], outer: Sequence[Range]) -> bool:
    """Whether the second of two sorted lists of ranges holds all of the first, which is not empty."""
    if inner is outer or outer is ALL_ADDRESSES:
        return True
    if len(outer) == 1:
        return outer[0][0] <= inner[0][0] and inner[-1][1] <= outer[0][1]
    return covers(outer, inner)


def match_sets_overlap(one: MatchSet, other: MatchSet) -> bool:
    return all(map(ranges_overlap, one, other))


BoundingBoxes = npt.NDArray[np.float64]
"""[box, low and high of each side]: rounded, which keeps their order, so that what touches still does."""


def bounding_boxes(boxes: Sequence[MatchSet]) -> BoundingBoxes:
    """The first and last number of every side; of an empty one such that it touches nothing."""
    rows = [[edge for side in box for edge in _bounds(side)] for box in boxes]
    return np.array(rows, np.float64).reshape(len(boxes), 6)


def _bounds(side: Sequence[Range]) -> tuple[float, float]:
    return (float(side[0][0]), float(side[-1][1])) if side else (np.inf, -np.inf)


def overlap_candidates(box: MatchSet, others: BoundingBoxes) -> list[int]:
    """Places of all boxes that meet this one, and of some that do not."""
    low, high = bounding_boxes([box])[0].reshape(3, 2).T
    found: list[int] = np.flatnonzero(((others[:, ::2] <= high) & (others[:, 1::2] >= low)).all(axis=1)).tolist()
    return found


def find_cover(box: MatchSet, others: Sequence[MatchSet], budget: Budget) -> list[int] | None:
    """Places in ``others`` of those that together hold all of the box; None when something of it is left.

    One that holds it alone is named alone. Otherwise piece by piece: what one of them leaves of a piece is looked for
    in those after it. Raises BudgetExceeded.
    """
    near = _overlapping(box, others, budget)
    for place in near:
        if all(map(is_within, box, others[place])):
            return [place]
    used: set[int] = set()
    pieces, seen = [(box, 0)], 0
    while pieces:
        piece, start = pieces.pop()
        nth = next((nth for nth in range(start, len(near)) if match_sets_overlap(piece, others[near[nth]])), None)
        budget.spend(((len(near) if nth is None else nth + 1) - start) * (1 + piece.range_count // RANGES_PER_STEP))
        if nth is None:
            return None
        seen += 1
        if seen > MAX_FRAGMENTS:
            raise BudgetExceeded
        budget.spend(piece.range_count + others[near[nth]].range_count)
        used.add(near[nth])
        pieces += [(part, nth + 1) for part in _subtract_match_set(piece, others[near[nth]])]
    return sorted(used)


def _overlapping(box: MatchSet, others: Sequence[MatchSet], budget: Budget) -> list[int]:
    """Places of the others that have a packet in common with the box: side by side, so that what the first side tells
    apart is never compared by a thousand ports."""
    near = list(range(len(others)))
    for side, mine in enumerate(box):
        if len(mine) < RANGES_PER_STEP:
            budget.spend(len(near))
        else:
            budget.spend(sum(1 + min(len(mine), len(others[place][side])) // RANGES_PER_STEP for place in near))
        near = [place for place in near if ranges_overlap(mine, others[place][side])]
    return near


def _subtract_match_set(box: MatchSet, taken: MatchSet) -> list[MatchSet]:
    """What of a box another one leaves, as disjoint boxes."""
    rest: list[MatchSet] = []
    source, destination = box.source, box.destination
    if source is not taken.source and (left := subtract(source, taken.source)):
        rest.append(MatchSet(left, destination, box.l4_ranges))
        source = intersect(source, taken.source)
    if destination is not taken.destination and (left := subtract(destination, taken.destination)):
        rest.append(MatchSet(source, left, box.l4_ranges))
        destination = intersect(destination, taken.destination)
    if box.l4_ranges is not taken.l4_ranges and (left := subtract(box.l4_ranges, taken.l4_ranges)):
        rest.append(MatchSet(source, destination, left))
    return rest
