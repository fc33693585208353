"""Boxes: what rules match, and whether some of them together hold all of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from provisioning.core.addresses import ALL_V4, V6, Range, covers, intersect, subtract
from provisioning.core.flows import cells
from provisioning.core.intent import Rule
from provisioning.core.prefixes import Prefixes

EVERYWHERE: tuple[Range, ...] = (ALL_V4, (V6, V6 + (1 << 128) - 1))
MOST_PIECES = 2_000
"""Of one box, after which nobody goes on looking whether others hold it."""


class Box(NamedTuple):
    """Addresses, addresses and cells (see ``flows``), each sorted and disjoint; a packet is in it with all three."""

    source: tuple[Range, ...]
    destination: tuple[Range, ...]
    cells: tuple[Range, ...]

    @property
    def is_empty(self) -> bool:
        """No packet is in it; one of two families is none either."""
        return not self.cells or not any(
            touch(self.source, (one,)) and touch(self.destination, (one,)) for one in EVERYWHERE
        )


class Fragmented(Exception):
    """More than ``MOST_PIECES`` are left to look at."""


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


def covering(box: Box, others: Sequence[Box]) -> list[int] | None:
    """Places in ``others`` of those that together hold all of the box; None when something of it is left.

    One that holds it alone is named alone. Otherwise piece by piece: what one of them leaves of a piece is looked for
    in those after it. Raises Fragmented.
    """
    near = [place for place, other in enumerate(others) if meet(box, other)]
    for place in near:
        if all(map(within, box, others[place])):
            return [place]
    used: set[int] = set()
    pieces, seen = [(box, 0)], 0
    while pieces:
        piece, start = pieces.pop()
        nth = next((nth for nth in range(start, len(near)) if meet(piece, others[near[nth]])), None)
        if nth is None:
            return None
        seen += 1
        if seen > MOST_PIECES:
            raise Fragmented
        used.add(near[nth])
        pieces += [(part, nth + 1) for part in _rest(piece, others[near[nth]])]
    return sorted(used)


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
