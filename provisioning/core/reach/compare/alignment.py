"""Two ordered lists as one, in an order that is right for either."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence

MISSING = -1
AlignedIndexes = list[tuple[int, ...]]
"""Indexes into each list; MISSING where a list has nothing there."""


def align(keys: Sequence[Sequence[Hashable]]) -> AlignedIndexes:
    """Return the indexes of one or two lists without repeats, with as many equal keys as possible side by side.

    Neither order is broken: like the lines of a diff (Hunt and Szymanski 1977).
    """
    if len(keys) == 1:
        return [(index,) for index in range(len(keys[0]))]
    left_keys, right_keys = keys
    if left_keys == right_keys:
        return [(index, index) for index in range(len(left_keys))]
    right_index = {key: index for index, key in enumerate(right_keys)}
    common = [(index, right_index[key]) for index, key in enumerate(left_keys) if key in right_index]
    pairs: AlignedIndexes = []
    i = j = 0
    for left, right in (*_longest_increasing_subsequence(common), (len(left_keys), len(right_keys))):
        pairs += [(index, MISSING) for index in range(i, left)]
        pairs += [(MISSING, index) for index in range(j, right)]
        if left < len(left_keys):
            pairs.append((left, right))
        i, j = left + 1, right + 1
    return pairs


def _longest_increasing_subsequence(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of some pairs, ordered by their first numbers, whose second numbers rise too.

    Patience sorting in n log n steps (Fredman, "On computing the length of longest increasing subsequences", 1975).
    """
    tails: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for n, (_, right) in enumerate(pairs):
        length = bisect_left(tails, right)
        before.append(chosen[length - 1] if length else -1)
        if length == len(tails):
            tails.append(right)
            chosen.append(n)
        else:
            tails[length], chosen[length] = right, n
    subsequence: list[tuple[int, int]] = []
    n = chosen[-1] if chosen else -1
    while n >= 0:
        subsequence.append(pairs[n])
        n = before[n]
    return subsequence[::-1]
