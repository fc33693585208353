"""The invariants of money (I1 replay, I2 conservation, I3 splitting, I4 monotony, I6 totals, I11 the calendar)."""

from __future__ import annotations

import itertools
import json
from calendar import isleap, monthrange
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.billing_period import BillingPeriod
from billing.core.money import Money, allocate, round_to_minor, sum_money
from billing.core.price_books import PriceBookValue, PriceBookVersionValue
from billing.core.rating import ConflictingSamples, Rating, rate_samples
from billing.core.samples import HOUR, SampleValue, hour_windows, hours_between
from tests.billing.core.strategies import NOVEMBER, books, monotone, quantities, samples


def text(rating: Rating) -> str:
    return json.dumps(
        [line.to_data() for line in rating.lines] + [list(map(str, sample.key)) for sample in rating.unpriced]
    )


def sums(rating: Rating, currency: str) -> Money:
    return sum_money((line.amount for line in rating.lines), currency)


@given(samples(), books(), st.data())
def test_i1_any_order_and_any_repeats_give_the_same_bytes(
    usage: list[SampleValue], book: PriceBookValue, data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(usage), max_size=5)) if usage else []
    shuffled = data.draw(st.permutations(usage + repeats))
    assert text(rate_samples(shuffled, book, NOVEMBER)) == text(rate_samples(usage, book, NOVEMBER))


@given(samples(), books())
def test_i2_every_sample_is_in_one_line_or_unpriced_and_quantities_are_conserved(
    usage: list[SampleValue], book: PriceBookValue
) -> None:
    rating = rate_samples(usage, book, NOVEMBER)
    behind = [key for line in rating.lines for key in line.samples] + [sample.key for sample in rating.unpriced]
    assert sorted(behind) == sorted(sample.key for sample in usage)
    by_key = {sample.key: sample.quantity for sample in usage}
    for line in rating.lines:
        assert line.quantity == sum(by_key[key] for key in line.samples)
        assert {key[:2] for key in line.samples} == {(line.meter, line.subject)}


@given(samples(), books(), st.lists(st.integers(0, 720 * 60), max_size=3))
def test_i3_splitting_a_month_anywhere_never_changes_its_total(
    usage: list[SampleValue], book: PriceBookValue, minutes: list[int]
) -> None:
    cuts = sorted(NOVEMBER.start + timedelta(minutes=minute) for minute in minutes)
    edges = [NOVEMBER.start, *cuts, NOVEMBER.end]
    parts = [rate_samples(usage, book, NOVEMBER.since(a).until(b)) for a, b in itertools.pairwise(edges)]
    assert sum_money((sums(part, book.currency) for part in parts), book.currency) == sums(
        rate_samples(usage, book, NOVEMBER), book.currency
    )


@given(samples(), books(), st.integers(0, 719))
def test_i3_a_version_with_the_same_prices_never_changes_the_total(
    usage: list[SampleValue], book: PriceBookValue, hour: int
) -> None:
    at = NOVEMBER.start + hour * HOUR
    if any(version.effective_from == at for version in book.versions):
        return
    version = book.version_at(at)
    assert version is not None
    again = replace(version, key="again", effective_from=at)
    more = PriceBookValue(
        book.name, book.currency, tuple(sorted([*book.versions, again], key=lambda v: v.effective_from))
    )
    assert sums(rate_samples(usage, more, NOVEMBER), book.currency) == sums(
        rate_samples(usage, book, NOVEMBER), book.currency
    )


@given(samples(), books(monotone, most_versions=1, complete=True), st.data())
def test_i4_more_usage_never_lowers_a_bill_without_volume_prices(
    usage: list[SampleValue], book: PriceBookValue, data: st.DataObject
) -> None:
    if usage:
        chosen = data.draw(st.sampled_from(usage))
        more = [replace(s, quantity=s.quantity + data.draw(quantities)) if s is chosen else s for s in usage]
        assert (
            sums(rate_samples(more, book, NOVEMBER), book.currency).minor
            >= sums(rate_samples(usage, book, NOVEMBER), book.currency).minor
        )


@given(samples(), books())
def test_i6_lines_of_one_pool_add_up_to_the_rounded_amount_of_the_pool(
    usage: list[SampleValue], book: PriceBookValue
) -> None:
    pools: dict = {}
    for line in rate_samples(usage, book, NOVEMBER).lines:
        pool = (line.version, line.rate, "" if line.rate.price.pooled else line.subject)
        pools.setdefault(pool, []).append(line)
    for lines in pools.values():
        assert sum_money((line.amount for line in lines), book.currency) == lines[0].pool_amount
        before = round_to_minor(lines[0].rate.price.amount(lines[0].carried), book.currency)
        after = round_to_minor(lines[0].rate.price.amount(lines[0].carried + lines[0].pool_quantity), book.currency)
        assert lines[0].pool_amount == after - before
        if lines[0].pool_quantity:
            exact = sum((band.amount for band in lines[0].bands), Decimal(0))
            assert abs(exact - lines[0].pool_amount.amount) <= Money(1, book.currency).amount


@given(st.integers(-(10**9), 10**9), st.lists(st.decimals(0, 10**6, places=9), min_size=1, max_size=9))
def test_i6_a_split_sum_is_whole_again_fair_to_the_cent_and_mirrors(minor: int, weights: list[Decimal]) -> None:
    if not sum(weights):
        return
    whole = Money(minor, "EUR")
    parts = allocate(whole, weights)
    assert sum_money(parts, "EUR") == whole
    assert allocate(-whole, weights) == [-part for part in parts]
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - minor * weight / sum(weights)) < 1


@pytest.mark.parametrize("year", [2024, 2026, 2100])
def test_i11_a_month_has_24_hours_of_utc_per_day_regardless_of_daylight_saving(year: int) -> None:
    months = [BillingPeriod.month(year, month) for month in range(1, 13)]
    assert [(m.end - m.start) // HOUR for m in months] == [24 * monthrange(year, m)[1] for m in range(1, 13)]
    assert [a.end for a in months[:-1]] == [b.start for b in months[1:]]
    assert months[-1].end == datetime(year + 1, 1, 1, tzinfo=UTC)
    assert sum((m.end - m.start) // HOUR for m in months) == (366 if isleap(year) else 365) * 24


@pytest.mark.parametrize(
    "day, count", [(datetime(2026, 3, 29), 23), (datetime(2026, 10, 25), 25), (datetime(2026, 7, 1), 24)]
)
def test_i11_a_local_day_of_23_or_25_hours_is_metered_by_elapsed_time(day: datetime, count: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = (
        day.replace(tzinfo=berlin).astimezone(UTC),
        (day + timedelta(days=1)).replace(tzinfo=berlin).astimezone(UTC),
    )
    assert sum(hours_between(a, b) for a, b in hour_windows(start, end)) == count
    local = SampleValue("connector_hours", "c", start.astimezone(berlin), (start + HOUR).astimezone(berlin), Decimal(1))
    assert local == SampleValue("connector_hours", "c", start, start + HOUR, Decimal(1))


def test_two_different_samples_with_one_key_are_refused() -> None:
    at = NOVEMBER.start
    once = SampleValue("connector_hours", "c", at, at + HOUR, Decimal(1))
    with pytest.raises(ConflictingSamples, match="reported twice"):
        rate_samples(
            [once, replace(once, quantity=Decimal("0.5"))],
            PriceBookValue("B", "EUR", (PriceBookVersionValue("v", at, ()),)),
            NOVEMBER,
        )
