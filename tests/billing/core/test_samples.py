"""Samples: hours without gaps, counters with resets and repeats, bytes distributed over hours."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.meters import NodeCounter
from billing.core.samples import (
    HOUR,
    CounterReadingValue,
    SampleValue,
    counts_by_hour,
    hour_windows,
    hours_between,
    increments,
    spread_over_hours,
)

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(minute: float) -> datetime:
    return TEN + timedelta(minutes=minute)


@given(st.sets(st.integers(1, 3_600_000_000 - 1), max_size=8))
def test_pieces_of_an_hour_add_up_to_exactly_one(cuts: set[int]) -> None:
    edges = [TEN, *(TEN + timedelta(microseconds=cut) for cut in sorted(cuts)), TEN + HOUR]
    assert sum(hours_between(a, b) for a, b in itertools.pairwise(edges)) == 1


def test_a_lifetime_is_split_at_the_hours() -> None:
    assert [(a.hour, a.minute, hours_between(a, b)) for a, b in hour_windows(at(45), at(150))] == [
        (10, 45, Decimal("0.25")),
        (11, 0, Decimal(1)),
        (12, 0, Decimal("0.5")),
    ]


def test_a_counter_that_restarts_counts_from_zero_and_repeats_add_nothing() -> None:
    readings = [
        CounterReadingValue(at(0), "boot-1", 100),
        CounterReadingValue(at(5), "boot-1", 700),
        CounterReadingValue(at(5), "boot-1", 700),
    ]
    readings += [
        CounterReadingValue(at(10), "boot-2", 50),
        CounterReadingValue(at(15), "boot-2", 20),
        CounterReadingValue(at(20), "boot-2", 20),
    ]
    assert [count for *_, count in increments(readings)] == [100, 600, 50, 20, 0]
    assert [count for *_, count in increments(readings[1:], readings[0])] == [600, 50, 20, 0]


def test_what_is_counted_between_two_readings_is_distributed_over_the_hours_they_span() -> None:
    assert counts_by_hour([CounterReadingValue(at(30), "b", 1_000), CounterReadingValue(at(150), "b", 5_001)]) == {
        TEN: 1_000 + 1_000,
        TEN + HOUR: 2_000,
        TEN + 2 * HOUR: 1_001,
    }
    assert NodeCounter("connector").units(1_234_567_890) == Decimal("1.23456789")


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 10**15))
def test_a_distributed_count_sums_to_the_whole(start: int, length: int, count: int) -> None:
    assert sum(part for _, part in spread_over_hours(at(start), at(start + length), count)) == count


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 10**12)), min_size=1, max_size=10, unique_by=lambda r: r[0]),
    st.data(),
)
def test_readings_give_the_same_samples_in_any_order_repetition_and_batches(points: Any, data: st.DataObject) -> None:
    totals = sorted(total for _, total in points)
    readings = [
        CounterReadingValue(at(minute), "b", total) for (minute, _), total in zip(sorted(points), totals, strict=True)
    ]
    whole = counts_by_hour(readings)
    assert sum(whole.values()) == totals[-1]
    assert counts_by_hour(data.draw(st.permutations(readings + readings))) == whole
    cut = data.draw(st.integers(1, len(readings)))
    first, rest = counts_by_hour(readings[:cut]), counts_by_hour(readings[cut:], readings[cut - 1])
    assert {hour: first.get(hour, 0) + rest.get(hour, 0) for hour in {*first, *rest}} == whole


@pytest.mark.parametrize("quantity", [Decimal(-1), Decimal("NaN"), 1.5])
def test_an_invalid_quantity_is_refused(quantity: Any) -> None:
    with pytest.raises(ValueError, match="not 0 or more"):
        SampleValue("gb_inspected", "fw", TEN, TEN + HOUR, quantity)


def test_a_window_is_inside_one_hour_and_has_a_time_zone() -> None:
    with pytest.raises(ValueError, match="inside one hour"):
        SampleValue("gb_inspected", "fw", at(30), at(61), Decimal(1))
    with pytest.raises(ValueError, match="no time zone"):
        SampleValue("gb_inspected", "fw", datetime(2026, 1, 1), datetime(2026, 1, 1), Decimal(1))
