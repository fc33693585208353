"""Match sets: the packets that a rule matches, and whether some of them together cover another one.

A match set is a box: its sides are source, destination, protocol with ports, source ports and DSCP.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provisioning.core.intent import FirewallRule, Rule
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.values.addresses import ALL_ADDRESSES, Range, covers, intersect, subtract
from provisioning.core.values.headers import EVERY_DSCP, EVERY_SOURCE_PORT

MAX_FRAGMENTS = 2_000
"""Of one match set; after these the search for its cover ends."""
BISECT_RATIO = 8
"""From this ratio of their lengths on, bisecting the longer list of ranges is quicker than walking along both."""
RANGES_PER_STEP = 4
"""How many ranges are compared in the time that two match sets of one range a side take."""


class MatchSet(NamedTuple):
    """Lists of ranges, each sorted and disjoint; a packet is in the set when it is in all of them."""

    source: tuple[Range, ...]
    destination: tuple[Range, ...]
    l4_ranges: tuple[Range, ...]
    source_ports: tuple[Range, ...] = EVERY_SOURCE_PORT
    dscp: tuple[Range, ...] = EVERY_DSCP

    @property
    def range_count(self) -> int:
        """How many ranges it consists of."""
        return sum(map(len, self))

    @property
    def is_empty(self) -> bool:
        """Whether no packet is in it. A source and a destination of different address families have none."""
        return not self.l4_ranges or not any(
            ranges_overlap(self.source, (family,)) and ranges_overlap(self.destination, (family,))
            for family in ALL_ADDRESSES
        )


class BudgetExceeded(Exception):
    """A search takes more than ``MAX_FRAGMENTS`` fragments or more steps than its ``Budget``."""


class Budget:
    """How many comparisons are left, so that a search ends whatever the rules are.

    Steps are counted, not timed, so that the same network always gets the same answer.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def spend(self, steps: int) -> None:
        """Take ``steps`` from what is left. Raises BudgetExceeded when that is not enough."""
        self.steps -= steps
        if self.steps < 0:
            raise BudgetExceeded


def rule_match_set(rule: Rule | FirewallRule, prefixes: ListResolver) -> MatchSet:
    source, destination = prefixes.ranges(rule.source), prefixes.ranges(rule.destination)
    return MatchSet(
        ALL_ADDRESSES if source is None else source,
        ALL_ADDRESSES if destination is None else destination,
        *prefixes.headers(rule),
    )


def ranges_overlap(a: Sequence[Range], b: Sequence[Range]) -> bool:
    """Return whether two sorted lists of ranges have a number in common."""
    if a is b:
        return bool(a)
    if len(a) == 1 == len(b):
        return a[0][0] <= b[0][1] and b[0][0] <= a[0][1]
    if len(a) > len(b):
        a, b = b, a
    if len(a) * BISECT_RATIO < len(b):
        return any((last := bisect_right(b, (high, 1 << 130))) and low <= b[last - 1][1] for low, high in a)
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i][1] < b[j][0]:
            i += 1
        elif b[j][1] < a[i][0]:
            j += 1
        else:
            return True
    return False


def is_within(inner: Sequence[Range], outer: Sequence[Range]) -> bool:
    """Return whether a sorted list of ranges holds all of another one, which is not empty."""
    if inner is outer or outer is ALL_ADDRESSES:
        return True
    if len(outer) == 1:
        return outer[0][0] <= inner[0][0] and inner[-1][1] <= outer[0][1]
    return covers(outer, inner)


def match_sets_overlap(a: MatchSet, b: MatchSet) -> bool:
    return all(map(ranges_overlap, a, b))


BoundingBoxes = npt.NDArray[np.float64]
"""[match set, low and high of each of the first sides]; floats, whose rounding keeps the order, so that what touches
still does."""
_BOUNDED_SIDES = 3
"""Source, destination and protocol with ports; the others seldom tell match sets apart."""


def bounding_boxes(boxes: Sequence[MatchSet]) -> BoundingBoxes:
    """Return the first and the last number of the sides; an empty side gets bounds that touch nothing."""
    rows = [[edge for side in box[:_BOUNDED_SIDES] for edge in _bounds(side)] for box in boxes]
    return np.array(rows, np.float64).reshape(len(boxes), 2 * _BOUNDED_SIDES)


def _bounds(side: Sequence[Range]) -> tuple[float, float]:
    return (float(side[0][0]), float(side[-1][1])) if side else (np.inf, -np.inf)


def overlap_candidates(box: MatchSet, others: BoundingBoxes) -> list[int]:
    """Return the indexes of all match sets that overlap this one, and of some that do not."""
    low, high = bounding_boxes([box])[0].reshape(_BOUNDED_SIDES, 2).T
    candidates: list[int] = np.flatnonzero(((others[:, ::2] <= high) & (others[:, 1::2] >= low)).all(axis=1)).tolist()
    return candidates


def find_cover(box: MatchSet, others: Sequence[MatchSet], budget: Budget) -> list[int] | None:
    """Return the indexes in ``others`` of match sets that together cover the box; None when some of it is left.

    1. Where one of them covers it alone, only that one is returned.
    2. Otherwise the first one that overlaps the box is subtracted, and each fragment that is left is searched for in
       those after it.

    Raises BudgetExceeded.
    """
    overlapping = _overlapping(box, others, budget)
    for index in overlapping:
        if all(map(is_within, box, others[index])):
            return [index]
    covering: set[int] = set()
    fragments, count = [(box, 0)], 0
    while fragments:
        fragment, start = fragments.pop()
        rest = range(start, len(overlapping))
        nth = next((nth for nth in rest if match_sets_overlap(fragment, others[overlapping[nth]])), None)
        compared = (len(overlapping) if nth is None else nth + 1) - start
        budget.spend(compared * (1 + fragment.range_count // RANGES_PER_STEP))
        if nth is None:
            return None
        count += 1
        if count > MAX_FRAGMENTS:
            raise BudgetExceeded
        other = others[overlapping[nth]]
        budget.spend(fragment.range_count + other.range_count)
        covering.add(overlapping[nth])
        fragments += [(remainder, nth + 1) for remainder in _subtract_match_set(fragment, other)]
    return sorted(covering)


def _overlapping(box: MatchSet, others: Sequence[MatchSet], budget: Budget) -> list[int]:
    """Return the indexes of the others that have a packet in common with the box.

    One side is compared after the other, so that what differs in the source is never compared by a thousand ports.
    """
    indexes = list(range(len(others)))
    for side, ranges in enumerate(box):
        if ranges is EVERY_SOURCE_PORT or ranges is EVERY_DSCP:
            continue
        if len(ranges) < RANGES_PER_STEP:
            budget.spend(len(indexes))
        else:
            budget.spend(sum(1 + min(len(ranges), len(others[i][side])) // RANGES_PER_STEP for i in indexes))
        indexes = [index for index in indexes if ranges_overlap(ranges, others[index][side])]
    return indexes


def _subtract_match_set(box: MatchSet, taken: MatchSet) -> list[MatchSet]:
    """Return what is left of a box without ``taken``, as disjoint boxes."""
    rest: list[MatchSet] = []
    for name, ranges, others in zip(MatchSet._fields, box, taken, strict=True):
        if ranges is not others and (left := subtract(ranges, others)):
            rest.append(box._replace(**{name: left}))
            box = box._replace(**{name: intersect(ranges, others)})
    return rest
