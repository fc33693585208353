"""Two orders of things as one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence

MISSING = -1
AlignedIndexes = list[tuple[int, ...]]
"""Places in each list; NONE where one has nothing there."""


def align(keys: Sequence[Sequence[Hashable]]) -> AlignedIndexes:
    """Places in one or two lists without repeats, equal keys together as far as neither order is broken."""
    if len(keys) == 1:
        return [(place,) for place in range(len(keys[0]))]
    one, other = keys
    if one == other:
        return [(place, place) for place in range(len(one))]
    where = {key: place for place, key in enumerate(other)}
    common = [(place, where[key]) for place, key in enumerate(one) if key in where]
    pairs: AlignedIndexes = []
    i = j = 0
    for left, right in (*_longest_increasing_subsequence(common), (len(one), len(other))):
        pairs += [(place, MISSING) for place in range(i, left)]
        pairs += [(MISSING, place) for place in range(j, right)]
        if left < len(one):
            pairs.append((left, right))
        i, j = left + 1, right + 1
    return pairs


def _longest_increasing_subsequence(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
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
