"""Rating and estimates to the cent, with amounts computed by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

from billing.core.estimate import compare_costs, rate_month
from billing.core.money import Money
from billing.core.price_books import PriceBookValue, PriceBookVersionValue, Rate
from billing.core.price_shapes import FlatPrice, GraduatedPrice, Tier
from billing.core.rating import rate_samples
from billing.core.samples import HOUR, SampleValue
from provisioning.core.values.resource import Resource
from tests.billing.core.strategies import NOVEMBER

START = datetime(2026, 1, 1, tzinfo=UTC)
BANDS = GraduatedPrice((Tier(D(10), D("0.10")), Tier(None, D("0.05"))))
BOOK = PriceBookValue(
    "Northwind",
    "EUR",
    (
        PriceBookVersionValue(
            "2026-01",
            START,
            (
                Rate.of("exchange_hours", FlatPrice(D("0.42")), size="small"),
                Rate.of("connector_hours", FlatPrice(D("0.0820")), size="small"),
                Rate.of("connector_hours", FlatPrice(D("0.1450")), size="medium"),
                Rate.of("service_instance_hours", FlatPrice(D("0.32")), product="linux-firewall"),
                Rate.of("gb_exchange_out", BANDS),
            ),
        ),
    ),
)


def used(meter: str, subject: str, hour: int, quantity: int | str, **dimensions: str) -> SampleValue:
    at = NOVEMBER.start + hour * HOUR
    return SampleValue(meter, subject, at, at + HOUR, D(quantity), tuple(dimensions.items()))


def test_a_month_of_a_connector_that_grew_in_the_middle() -> None:
    usage = [used("connector_hours", "connector/a", hour, 1, size="small") for hour in range(360)]
    usage += [used("connector_hours", "connector/a", hour, 1, size="medium") for hour in range(360, 720)]
    small, medium = sorted(rate_samples(usage, BOOK, NOVEMBER).lines, key=lambda line: line.amount.minor)
    assert (small.label, small.quantity, small.unit_price, small.amount) == (
        "Connector hours, small",
        D(360),
        D("0.0820"),
        Money(2952, "EUR"),
    )
    assert medium.amount == Money(5220, "EUR") and len(medium.samples) == 360
    assert medium.explanation == "360 h × 0.145 = EUR 52.20, flat price, half up to the minor unit."


def test_bands_count_all_connectors_together_and_the_cents_are_shared() -> None:
    usage = [used("gb_exchange_out", f"connector/{name}", 3, "5.05") for name in "abc"]
    lines = rate_samples(usage, BOOK, NOVEMBER).lines
    assert [line.amount.minor for line in lines] == [42, 42, 42]
    assert lines[0].pool_amount == Money(126, "EUR")
    assert lines[0].unit_price is None
    assert lines[0].explanation == (
        "10 GB × 0.1 + 5.15 GB × 0.05 = EUR 1.26, graduated price, half up to the minor unit; "
        "this line is 5.05 of 15.15 GB: EUR 0.42."
    )


def test_usage_without_a_price_is_listed_as_unpriced() -> None:
    rating = rate_samples([used("gb_inspected", "service/fw", 0, 7)], BOOK, NOVEMBER)
    assert rating.lines == [] and [sample.quantity for sample in rating.unpriced] == [D(7)]


def test_a_plan_is_priced_by_the_month_of_730_hours() -> None:
    exchange = Resource("exchange/eu", "exchange.presence", {"size": "small", "location": "aws-eu-central-1"})
    before = [exchange, Resource("connector/a", "exchange.connector", {"size": "small", "kind": "aws-vpc"})]
    after = [
        exchange,
        Resource("connector/a", "exchange.connector", {"size": "medium", "kind": "aws-vpc"}),
        Resource("service/fw/eu/instance/1", "exchange.instance", {"product": "linux-firewall"}),
        Resource("exchange/eu/1/segment/corp", "exchange.segment", {}),
    ]
    estimate = compare_costs(before, after, BOOK, datetime(2026, 11, 1, tzinfo=UTC))
    assert (estimate.before, estimate.after) == (Money(36646, "EUR"), Money(64605, "EUR"))
    assert [(d.before and d.before.label, d.after and d.after.label, d.amount.minor) for d in estimate.lines] == [
        ("Connector hours, small, aws-vpc", "Connector hours, medium, aws-vpc", 4599),
        (None, "Service instance hours, linux-firewall", 23360),
    ]
    assert sum(d.amount.minor for d in estimate.lines) == (estimate.after - estimate.before).minor


def test_usage_before_the_first_price_is_unpriced() -> None:
    connector = Resource("connector/a", "exchange.connector", {"size": "small", "kind": "aws-vpc"})
    rating = rate_month([connector], BOOK, datetime(2025, 1, 1, tzinfo=UTC))
    assert rating.lines == [] and rating.unpriced[0].subject == "connector/a"
