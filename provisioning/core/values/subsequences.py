"""Orders of the same things: which of them keep their places."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def longest_increasing_subsequence(numbers: Sequence[int]) -> list[int]:
    """Return the indexes of a longest increasing subsequence of numbers without repeats, rising.

    Patience sorting, O(n log n) (Fredman, "On computing the length of longest increasing subsequences", 1975).
    """
    tails: list[int] = []
    """tails[k]: the smallest number that ends an increasing subsequence of k + 1 numbers"""
    tail_indexes: list[int] = []
    predecessors: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(tails, number)
        predecessors.append(tail_indexes[length - 1] if length else -1)
        tails[length : length + 1] = [number]
        tail_indexes[length : length + 1] = [index]
    chosen: list[int] = []
    index = tail_indexes[-1] if tail_indexes else -1
    while index >= 0:
        chosen.append(index)
        index = predecessors[index]
    return chosen[::-1]
