"""Property tests of the algorithms of reachability: alignment, L4 bitmaps, rectangles, hash weights."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.reach.compare.alignment import MISSING, align
from provisioning.core.reach.compare.l4_bitmap import L4Bitmap
from provisioning.core.reach.compare.rectangles import expand_pairs, rectangles
from provisioning.core.reach.compare.set_hashes import exact_float_weights, hash_weights
from provisioning.core.values.headers import HeaderMatch
from provisioning.core.values.l4 import ALL_L4

orders = st.lists(st.integers(0, 12), unique=True)


@given(orders, orders)
def test_alignment_keeps_the_order_of_both_lists(first: list[int], second: list[int]) -> None:
    pairs = align([first, second])
    assert [left for left, _ in pairs if left != MISSING] == list(range(len(first)))
    assert [right for _, right in pairs if right != MISSING] == list(range(len(second)))
    assert all(first[left] == second[right] for left, right in pairs if MISSING not in (left, right))


@given(orders, st.data())
def test_alignment_pairs_every_key_of_a_sublist(full: list[int], data: st.DataObject) -> None:
    partial = [key for key in full if data.draw(st.booleans())]
    assert sum(MISSING not in pair for pair in align([full, partial])) == len(partial)


@given(st.lists(st.tuples(st.integers(0, 131000), st.integers(0, 900)), max_size=6))
def test_a_bitmap_gives_back_the_ports_of_its_mask(spans: list[tuple[int, int]]) -> None:
    ranges = tuple((low, low + more) for low, more in spans)
    cells = L4Bitmap([HeaderMatch(ranges)])
    mask = cells.mask(HeaderMatch(ranges))
    listed = [cell for match in cells.matches(mask) for low, high in match.l4 for cell in range(low, high + 1)]
    assert listed == sorted({cell for low, high in ranges for cell in range(low, high + 1)})
    assert [*cells.matches(cells.full)] == [HeaderMatch(ALL_L4)]


@given(
    st.lists(st.lists(st.integers(-1, 3), min_size=4, max_size=4), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(0, 2), unique=True), min_size=4, max_size=4),
)
def test_rectangles_cover_every_pair_of_a_kind_once(ids: list[list[int]], of_list: list[list[int]]) -> None:
    grid = np.array(ids, np.int32)
    expected = {
        (kind, row, column)
        for row, line in enumerate(ids)
        for column, number in enumerate(line)
        for kind in (of_list[number] if number >= 0 else ())
    }
    listed = [
        (kind, row, column)
        for kind, rows, columns in rectangles(*expand_pairs(grid, of_list), grid.shape[1])
        for row in rows.tolist()
        for column in columns.tolist()
    ]
    assert len(listed) == len(set(listed)) and set(listed) == expected


def test_hash_weights_are_distinct_and_their_sums_exact() -> None:
    assert len(set(hash_weights(5000, 2).ravel().tolist())) == 10000
    for count in (10, 20_000):
        first, second = exact_float_weights(count)
        assert sum(map(int, first)) == int(first.sum()) and int(first.sum()) < 1 << 53 and (first != second).all()
