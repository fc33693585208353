"""Boxes: what rules match, and whether some of them together hold all of another one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provisioning.core.addresses import ALL_V4, V6, Range, covers, intersect, subtract
from provisioning.core.flows import cells
from provisioning.core.intent import Rule
from provisioning.core.prefixes import Prefixes

EVERYWHERE: tuple[Range, ...] = (ALL_V4, (V6, V6 + (1 << 128) - 1))
MOST_PIECES = 2_000
"""Of one box, after which nobody goes on looking whether others hold it."""
UNEVEN = 8
"""How much longer one list is than another where searching it beats walking along both."""
AT_ONCE = 4
"""Ranges that are compared in the time that two boxes of one range a side take."""


class Box(NamedTuple):
    """Addresses, addresses and cells (see ``flows``), each sorted and disjoint; a packet is in it with all three."""

    source: tuple[Range, ...]
    destination: tuple[Range, ...]
    cells: tuple[Range, ...]

    @property
    def breadth(self) -> int:
        """How many ranges it takes to write it down."""
        return len(self.source) + len(self.destination) + len(self.cells)

    @property
    def is_empty(self) -> bool:
        """No packet is in it; one of two families is none either."""
        return not self.cells or not any(
            touch(self.source, (one,)) and touch(self.destination, (one,)) for one in EVERYWHERE
        )


class Fragmented(Exception):
    """More than ``MOST_PIECES`` are left to look at, or more than there is ``Effort`` for."""


class Effort:
    """How many comparisons are left, so that looking ends whatever somebody wrote. Counted, not timed: the same network
    always gets the same answer."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def spend(self, steps: int) -> None:
        """Raises Fragmented when there is no more."""
        self.steps -= steps
        if self.steps < 0:
            raise Fragmented


def box_of(rule: Rule, prefixes: Prefixes) -> Box:
    source, destination = prefixes.ranges(rule.source), prefixes.ranges(rule.destination)
    return Box(
        EVERYWHERE if source is None else source,
        EVERYWHERE if destination is None else destination,
        cells(rule.protocol, rule.ports),
    )


def touch(one: Sequence[Range], other: Sequence[Range]) -> bool:
    """Whether two sorted lists of ranges have anything in common."""
    if one is other:
        return bool(one)
    if len(one) == 1 == len(other):
        return one[0][0] <= other[0][1] and other[0][0] <= one[0][1]
    if len(one) > len(other):
        one, other = other, one
    if len(one) * UNEVEN < len(other):
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


def within(inner: Sequence[Range], outer: Sequence[Range]) -> bool:
    """Whether the second of two sorted lists of ranges holds all of the first, which is not empty."""
    if inner is outer or outer is EVERYWHERE:
        return True
    if len(outer) == 1:
        return outer[0][0] <= inner[0][0] and inner[-1][1] <= outer[0][1]
    return covers(outer, inner)


def meet(one: Box, other: Box) -> bool:
    return all(map(touch, one, other))


Hulls = npt.NDArray[np.float64]
"""[box, low and high of each side]: rounded, which keeps their order, so that what touches still does."""


def hulls(boxes: Sequence[Box]) -> Hulls:
    """The first and last number of every side; of an empty one such that it touches nothing."""
    rows = [[edge for side in box for edge in _hull(side)] for box in boxes]
    return np.array(rows, np.float64).reshape(len(boxes), 6)


def _hull(side: Sequence[Range]) -> tuple[float, float]:
    return (float(side[0][0]), float(side[-1][1])) if side else (np.inf, -np.inf)


def around(box: Box, others: Hulls) -> list[int]:
    """Places of all boxes that meet this one, and of some that do not."""
    low, high = hulls([box])[0].reshape(3, 2).T
    found: list[int] = np.flatnonzero(((others[:, ::2] <= high) & (others[:, 1::2] >= low)).all(axis=1)).tolist()
    return found


def covering(box: Box, others: Sequence[Box], effort: Effort) -> list[int] | None:
    """Places in ``others`` of those that together hold all of the box; None when something of it is left.

    One that holds it alone is named alone. Otherwise piece by piece: what one of them leaves of a piece is looked for
    in those after it. Raises Fragmented.
    """
    near = _near(box, others, effort)
    for place in near:
        if all(map(within, box, others[place])):
            return [place]
    used: set[int] = set()
    pieces, seen = [(box, 0)], 0
    while pieces:
        piece, start = pieces.pop()
        nth = next((nth for nth in range(start, len(near)) if meet(piece, others[near[nth]])), None)
        effort.spend(((len(near) if nth is None else nth + 1) - start) * (1 + piece.breadth // AT_ONCE))
        if nth is None:
            return None
        seen += 1
        if seen > MOST_PIECES:
            raise Fragmented
        effort.spend(piece.breadth + others[near[nth]].breadth)
        used.add(near[nth])
        pieces += [(part, nth + 1) for part in _rest(piece, others[near[nth]])]
    return sorted(used)


def _near(box: Box, others: Sequence[Box], effort: Effort) -> list[int]:
    """Places of the others that have a packet in common with the box: side by side, so that what the first side tells
    apart is never compared by a thousand ports."""
    near = list(range(len(others)))
    for side, mine in enumerate(box):
        if len(mine) < AT_ONCE:
            effort.spend(len(near))
        else:
            effort.spend(sum(1 + min(len(mine), len(others[place][side])) // AT_ONCE for place in near))
        near = [place for place in near if touch(mine, others[place][side])]
    return near


def _rest(box: Box, taken: Box) -> list[Box]:
    """What of a box another one leaves, as disjoint boxes."""
    rest: list[Box] = []
    source, destination = box.source, box.destination
    if source is not taken.source and (left := subtract(source, taken.source)):
        rest.append(Box(left, destination, box.cells))
        source = intersect(source, taken.source)
    if destination is not taken.destination and (left := subtract(destination, taken.destination)):
        rest.append(Box(source, left, box.cells))
        destination = intersect(destination, taken.destination)
    if box.cells is not taken.cells and (left := subtract(box.cells, taken.cells)):
        rest.append(Box(source, destination, left))
    return rest
