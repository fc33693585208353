"""Fixed pseudo-random weights that tell sets apart: the hash of a set is the sum of its members' weights.

Two different sets have the same 64-bit hash with a probability of 2^-64 (Zobrist hashing, 1970, with sums for XOR). A
delta of ten thousand connectors has fewer than 2^20 lists, about 2^39 pairs of them, so one in some thirty million such
deltas could take two lists for one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HashArray = npt.NDArray[np.uint64]


def mix64(words: HashArray) -> HashArray:
    """Return each word mixed so that every bit depends on every bit: the finisher of splitmix64 (Steele, Lea and Flood,
    "Fast splittable pseudorandom number generators", OOPSLA 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def hash_weights(count: int, rows: int) -> HashArray:
    """Return independent 64-bit words, [row, index]."""
    indexes = np.arange(1, rows * count + 1, dtype=np.uint64).reshape(rows, count)
    return mix64(indexes * np.uint64(0x9E3779B97F4A7C15))


def exact_float_weights(count: int) -> npt.NDArray[np.float64]:
    """Return whole numbers, [2, index], so small that their sums are exact as floats (39 bits for 16,384 indexes)."""
    bits = 53 - max(count.bit_length(), 14)
    return (hash_weights(count, 2) >> np.uint64(64 - bits)).astype(np.float64)
