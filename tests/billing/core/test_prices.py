"""Price shapes at their boundaries; price books by date and by the most specific rate."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given

from billing.core.money import Money, round_to_minor
from billing.core.price import Band, InvalidPrice, Price
from billing.core.price_books import PriceBookValue, PriceBookVersionValue, Rate
from billing.core.price_shapes import FlatPrice, GraduatedPrice, PackagePrice, Tier, VolumePrice, price_from_data
from tests.billing.core.strategies import quantities, shapes

TIERS = (Tier(D(100), D("0.10")), Tier(D(1000), D("0.05"), D(3)), Tier(None, D("0.01")))


@pytest.mark.parametrize(
    "price, quantity, amount",
    [
        (FlatPrice(D("0.0420")), "744", "31.2480"),
        (FlatPrice(D("0.0000001")), "1000000000", "100"),
        (GraduatedPrice(TIERS), "0", "0"),
        (GraduatedPrice(TIERS), "100", "10"),
        (GraduatedPrice(TIERS), "100.5", "13.025"),
        (GraduatedPrice(TIERS), "1000", "58"),
        (GraduatedPrice(TIERS), "3000", "78"),
        (VolumePrice(TIERS), "0", "0"),
        (VolumePrice(TIERS), "100", "10"),
        (VolumePrice(TIERS), "101", "8.05"),
        (VolumePrice(TIERS), "1000", "53"),
        (VolumePrice(TIERS), "3000", "30"),
        (PackagePrice(D(100), D(4)), "0", "0"),
        (PackagePrice(D(100), D(4)), "0.000000001", "4"),
        (PackagePrice(D(100), D(4)), "100", "4"),
        (PackagePrice(D(100), D(4)), "100.1", "8"),
    ],
)
def test_prices_give_the_expected_amounts_at_their_boundaries(price: Price, quantity: str, amount: str) -> None:
    assert price.amount(D(quantity)) == D(amount)


@given(shapes, quantities, quantities)
def test_bands_add_up_to_the_amount(price: Price, first: D, more: D) -> None:
    bands = price.bands(first, first + more)
    assert sum((band.amount for band in bands), D(0)) == price.amount(first + more) - price.amount(first)


@given(shapes)
def test_a_price_is_equal_after_storage(price: Price) -> None:
    assert price_from_data(price.to_data()) == price


def test_bands_continue_after_earlier_usage() -> None:
    assert GraduatedPrice(TIERS).bands(D(50), D(1100)) == [
        Band(D(50), D("0.10")),
        Band(D(900), D("0.05"), D(3)),
        Band(D(100), D("0.01")),
    ]


def test_rounding_is_half_up_and_mirrors() -> None:
    assert round_to_minor(D("0.005"), "EUR") == Money(1, "EUR") == -round_to_minor(D("-0.005"), "EUR")
    assert round_to_minor(D("0.0049999999"), "EUR") == Money(0, "EUR")
    assert round_to_minor(D("1.5"), "JPY") == Money(2, "JPY")
    assert str(Money(123456, "EUR")) == "EUR 1,234.56"


def test_a_cheaper_tier_of_a_volume_price_can_lower_the_bill() -> None:
    cheaper = VolumePrice(TIERS)
    assert cheaper.amount(D(101)) < cheaper.amount(D(100))
    with_fee = VolumePrice((Tier(D(10), D(1)), Tier(None, D(1), D(5))))
    assert with_fee.amount(D(11)) > with_fee.amount(D(10))


@pytest.mark.parametrize(
    "data, message",
    [
        ({"shape": "flat", "unit_price": 0.1}, "decimal string"),
        ({"shape": "flat", "unit_price": "-1"}, "0 or more"),
        ({"shape": "flat", "unit_price": "NaN"}, "finite"),
        ({"shape": "flat", "unit_price": "ten"}, "not a number"),
        ({"shape": "cheap"}, "not known"),
        ({"shape": "graduated", "tiers": []}, "no end"),
        ({"shape": "graduated", "tiers": [{"up_to": "1", "unit_price": "1"}]}, "no end"),
        (
            {"shape": "volume", "tiers": [{"up_to": "5", "unit_price": "1"}] * 2 + [{"unit_price": "1"}]},
            "must end after",
        ),
        ({"shape": "package", "size": "0", "package_price": "1"}, "above 0"),
    ],
)
def test_an_invalid_price_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPrice, match=message):
        price_from_data(data)


def test_a_book_finds_the_version_in_force_and_the_most_specific_rate() -> None:
    start, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    default, small = (
        Rate.of("connector_hours", FlatPrice(D(2))),
        Rate.of("connector_hours", FlatPrice(D(1)), size="small"),
    )
    lab = Rate.of("connector_hours", FlatPrice(D(0)), size="small", kind="lab-site")
    book = PriceBookValue(
        "B",
        "EUR",
        (PriceBookVersionValue("1", start, (default,)), PriceBookVersionValue("2", later, (default, small, lab))),
    )
    assert book.version_at(datetime(2025, 12, 31, tzinfo=UTC)) is None
    versions = [book.version_at(start), book.version_at(later)]
    assert [version and version.key for version in versions] == ["1", "2"]
    rate_for = book.versions[1].rate_for
    assert rate_for("connector_hours", {"size": "small", "kind": "aws-vpc"}) == small
    assert rate_for("connector_hours", {"size": "small", "kind": "lab-site"}) == lab
    assert rate_for("connector_hours", {"size": "large"}) == default
    assert rate_for("gb_inspected", {}) is None
    with pytest.raises(InvalidPrice, match="two prices"):
        PriceBookVersionValue("3", later, (small, small))
    with pytest.raises(InvalidPrice, match="order of their dates"):
        PriceBookValue("B", "EUR", (book.versions[1], book.versions[0]))
