"""Fixed numbers that look random, by which sets are told apart: a set is the sum of its members' weights.

Two sets meet in one word with a chance of one in 2^64. A delta of ten thousand connectors has fewer than 2^20 lists, so
one in some thirty million such deltas could take two lists for one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HashArray = npt.NDArray[np.uint64]


def mix64(words: HashArray) -> HashArray:
    """The finisher of splitmix64 (Steele, Lea and Flood 2014): every bit depends on every bit."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def hash_weights(count: int, rows: int) -> HashArray:
    """[row, place]: independent 64-bit words."""
    places = np.arange(1, rows * count + 1, dtype=np.uint64).reshape(rows, count)
    return mix64(places * np.uint64(0x9E3779B97F4A7C15))


def exact_float_weights(count: int) -> npt.NDArray[np.float64]:
    """[2, place]: whole numbers so small that all sums of them are exact as floats (39 bits for 16,384 places)."""
    bits = 53 - max(count.bit_length(), 14)
    return (hash_weights(count, 2) >> np.uint64(64 - bits)).astype(np.float64)
