"""Many pairs as few products: pairs of one kind become sets of rows times sets of columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from provisioning.core.reach.compare.rule_table import IndexArray
from provisioning.core.reach.compare.set_hashes import hash_weights

Rectangle = tuple[int, IndexArray, IndexArray]
"""Kind, rows and columns; every row goes with every column."""


def rectangles(kinds: IndexArray, rows: IndexArray, columns: IndexArray, width: int) -> Iterator[Rectangle]:
    """Yield rows with equal sets of columns together, kind by kind. width: one more than the highest column.

    The three arrays say which kinds each (row, column) has, in any order, nothing twice.
    """
    if not len(kinds):
        return
    order = np.lexsort((columns, rows, kinds))
    kinds, rows, columns = kinds[order], rows[order], columns[order]
    begins = np.flatnonzero(np.r_[True, (kinds[1:] != kinds[:-1]) | (rows[1:] != rows[:-1])])
    ends = np.r_[begins[1:], len(kinds)]
    # Sums of 64-bit weights tell sets apart; see set_hashes.
    sets = np.add.reduceat(hash_weights(width, 1)[0][columns], begins)
    order = np.lexsort((rows[begins], sets, kinds[begins]))
    begins, ends, sets = begins[order], ends[order], sets[order]
    kind = kinds[begins]
    firsts = np.flatnonzero(np.r_[True, (kind[1:] != kind[:-1]) | (sets[1:] != sets[:-1])])
    for first, after in zip(firsts.tolist(), [*firsts[1:].tolist(), len(begins)], strict=True):
        yield int(kind[first]), rows[begins[first:after]], columns[begins[first] : ends[first]]


def expand_pairs(
    ids: npt.NDArray[np.int32], of_list: Sequence[Sequence[int]]
) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Return the arrays (kind, row, column) of every pair.

    ids: [row, column] → number of its list, -1 for none. of_list: the kinds of each list.
    """
    flat = ids.ravel()
    count = np.array([*(len(kinds) for kinds in of_list), 0], np.intp)
    indexes = np.flatnonzero(count[flat] > 0)
    kinds = np.array([kind for kinds in of_list for kind in kinds], np.intp)
    first = np.cumsum(count) - count
    numbers = flat[indexes]
    times = count[numbers]
    nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    rows, columns = np.divmod(np.repeat(indexes, times), ids.shape[1])
    return kinds[np.repeat(first[numbers], times) + nth], rows, columns
