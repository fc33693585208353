"""The parts of reachability that are true of any input: orders joined, cells as bits, pairs as rectangles."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.reach.compare.alignment import MISSING, align
from provisioning.core.reach.compare.l4_bitmap import L4Bitmap
from provisioning.core.reach.compare.rectangles import expand_pairs, rectangles
from provisioning.core.reach.compare.set_hashes import exact_float_weights, hash_weights
from provisioning.core.values.l4 import ALL_L4

orders = st.lists(st.integers(0, 12), unique=True)


@given(orders, orders)
def test_two_orders_become_one_that_is_right_for_either(one: list[int], other: list[int]) -> None:
    pairs = align([one, other])
    assert [left for left, _ in pairs if left != MISSING] == list(range(len(one)))
    assert [right for _, right in pairs if right != MISSING] == list(range(len(other)))
    assert all(one[left] == other[right] for left, right in pairs if MISSING not in (left, right))


@given(orders, st.data())
def test_as_much_as_possible_stays_together(one: list[int], data: st.DataObject) -> None:
    other = [key for key in one if data.draw(st.booleans())]
    assert sum(MISSING not in pair for pair in align([one, other])) == len(other)


@given(st.lists(st.tuples(st.integers(0, 131000), st.integers(0, 900)), max_size=6))
def test_cells_come_back_from_their_bits(spans: list[tuple[int, int]]) -> None:
    held = tuple((low, low + more) for low, more in spans)
    cells = L4Bitmap([held])
    mask = cells.mask(held)
    told = [cell for low, high in cells.intervals(mask) for cell in range(low, high + 1)]
    assert told == sorted({cell for low, high in held for cell in range(low, high + 1)})
    assert tuple(cells.intervals(cells.full)) == ALL_L4


@given(
    st.lists(st.lists(st.integers(-1, 3), min_size=4, max_size=4), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(0, 2), unique=True), min_size=4, max_size=4),
)
def test_rectangles_are_every_pair_of_a_kind_once(ids: list[list[int]], of_list: list[list[int]]) -> None:
    grid = np.array(ids, np.int32)
    wanted = {
        (kind, row, column)
        for row, line in enumerate(ids)
        for column, number in enumerate(line)
        for kind in (of_list[number] if number >= 0 else ())
    }
    found = [
        (kind, row, column)
        for kind, rows, columns in rectangles(*expand_pairs(grid, of_list), grid.shape[1])
        for row in rows.tolist()
        for column in columns.tolist()
    ]
    assert len(found) == len(set(found)) and set(found) == wanted


def test_weights_are_fixed_apart_and_exact_in_sums() -> None:
    assert len(set(hash_weights(5000, 2).ravel().tolist())) == 10000
    for count in (10, 20_000):
        one, other = exact_float_weights(count)
        assert sum(map(int, one)) == int(one.sum()) and int(one.sum()) < 1 << 53 and (one != other).all()
