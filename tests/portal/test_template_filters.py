"""Template filters: rates, money, quantities, states."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.pages.bar_chart import ChartBar, bar_chart
from portal.pages.invoices import whole_percents
from portal.templatetags import causeway


@pytest.mark.parametrize(
    ("bits", "text"),
    [(0, "0 b/s"), (999, "999 b/s"), (1500, "1.50 kb/s"), (212e6, "212 Mb/s"), (1.24e9, "1.24 Gb/s"), (None, "–")],
)
def test_rates_are_formatted_in_the_largest_unit_that_fits(bits: float | None, text: str) -> None:
    assert causeway.rate(bits) == text


def test_money_has_two_decimals_thousands_separators_and_a_minus_sign() -> None:
    assert causeway.money(Decimal("6536.85"), "EUR") == "€ 6,536.85"
    assert causeway.money(Decimal("-169.89")) == "−169.89"


def test_a_unit_price_keeps_all_significant_digits_and_at_least_two_decimals() -> None:
    assert causeway.price(Decimal("0.016852000000")) == "0.016852"
    assert causeway.price(Decimal("1.250000")) == "1.25"
    assert causeway.price(Decimal("2")) == "2.00"


def test_an_unknown_state_is_shown_as_text_and_never_as_healthy() -> None:
    markup = causeway.state("half_done")
    assert "Half done" in markup
    assert "is-idle" in markup


def test_a_name_keeps_its_hue() -> None:
    assert causeway.hue("acme-health") == causeway.hue("acme-health")
    assert {causeway.hue(str(number)) for number in range(200)} == set(range(1, 9))


def test_a_segment_has_the_muted_hue_nearest_to_its_colour() -> None:
    given = ["#3b5bdb", "#a8487f", "#c9a227", "#12b886", "#7048e8", "#e03131", "#66a80f", "#868e96"]
    assert [causeway.segment_hue("corp", color) for color in given] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert causeway.segment_hue("corp", None) == causeway.hue("corp")


def test_a_charts_axis_ends_above_its_highest_bar() -> None:
    drawn = bar_chart([ChartBar("1 Nov", Decimal("177.41")), ChartBar("2 Nov", Decimal("12"))])
    assert drawn is not None
    assert [line["label"] for line in drawn["lines"]] == ["0", "60", "120", "180"]
    assert bar_chart([ChartBar("1 Nov", Decimal(0))]) is None


def test_a_time_is_shown_with_its_date_and_zone() -> None:
    shown = causeway.timestamp(datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert re.sub(r"<[^>]*>", "", shown) == "3 Feb 2020, 04:05 UTC"
    assert 'title="2020-02-03 04:05:06 UTC"' in shown and causeway.timestamp(None) == "–"
    with timezone.override("Europe/Berlin"):
        assert ">3 Feb 2020, 05:05 <" in causeway.timestamp(datetime(2020, 2, 3, 4, 5, tzinfo=UTC))


def test_changes_carry_their_sign() -> None:
    assert [causeway.signed(number) for number in (12, -3, 0)] == ["+12", "−3", "0"]


def test_shares_of_a_whole_add_up_to_a_hundred() -> None:
    assert whole_percents([Decimal(1), Decimal(1), Decimal(1)]) == [34, 33, 33]
    assert whole_percents([Decimal(0)]) == [0] and whole_percents([]) == []
