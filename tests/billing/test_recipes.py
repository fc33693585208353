"""The recipes of billing/README.md, followed: a meter is one entry, a price shape is one class and one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any, ClassVar, Self

import pytest
from django.template.loader import render_to_string

from billing import selectors, services
from billing.core.meters import METERS, Meter, NodeCounter, ResourceHours, lifecycle_dimensions
from billing.core.money import EXACT
from billing.core.price import Band, Price, parse_decimal
from billing.core.price_books import Rate
from billing.core.price_shapes import PRICE_SHAPES, FlatPrice, shapes_by_name
from billing.metering import collect_samples
from provisioning.core.values.resource import Resource
from tenants.models import Tenant
from tenants.scope import scope
from tests.billing.conftest import (
    at,
    create_connector_lifecycle,
    create_lifecycle,
    get_or_create_node,
    record_reading,
)

NOVEMBER, START, END = date(2026, 11, 1), datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CappedPrice(Price):
    """A price per unit, up to ``cap`` a month."""

    shape: ClassVar[str] = "capped"
    pooled: ClassVar[bool] = False
    each: D
    cap: D

    def amount(self, quantity: D) -> D:
        return min(EXACT.multiply(quantity, self.each), self.cap)

    def bands(self, start: D, end: D) -> list[Band]:
        return [Band(D(0), D(0), EXACT.subtract(self.amount(end), self.amount(start)))]

    def to_data(self) -> dict[str, Any]:
        return {"shape": self.shape, "each": str(self.each), "cap": str(self.cap)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(parse_decimal(data, "each"), parse_decimal(data, "cap"))

    def explain(self, bands: Sequence[Band], unit: str) -> str:
        return f"{self.each} for each {unit}, at most {self.cap}"


def publish(tenant: Any, *rates: Rate) -> None:
    book = selectors.price_book_of(tenant)
    assert book is not None
    services.publish_version(book, START, list(rates))


def test_a_meter_of_hours_is_one_entry(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        METERS,
        "segment_hours",
        Meter("segment_hours", "Segment hours", ResourceHours("exchange.segment"), ("grade",), ("exchange",)),
    )
    body = {"grade": "gold", "exchange": "eu", "vni": 7}
    dimensions = lifecycle_dimensions("exchange.segment", body)
    assert dimensions == {"grade": "gold", "exchange": "eu"}
    with scope(acme):
        publish(acme, Rate.of("segment_hours", FlatPrice(D("0.5")), grade="gold"))
        create_lifecycle("exchange/eu/1/segment/corp", "exchange.segment", at(0), at(120), **dimensions)
        collect_samples(START, END, END)
        services.update_draft_invoice(NOVEMBER, END)
        (line,) = selectors.invoice_lines("DRAFT-2026-11")
        assert (line["label"], line["quantity"], line["amount"]) == ("Segment hours, gold", 2, D("1.00"))
        assert line["explanation"] == "2 h × 0.5 = EUR 1.00, flat price, half up to the minor unit."
        (row,) = selectors.usage_report(START, END, group_by="grade")["rows"]
        assert (row["label"], row["group"], row["amount"]) == ("Segment hours", "gold", D("1.00"))
        plan = services.price_plan([], [Resource("exchange/eu/1/segment/new", "exchange.segment", body)], at(0))
        assert [(line["label"], line["amount"]) for line in plan["lines"]] == [("Segment hours, gold", "365.00")]


def test_a_meter_of_bytes_is_one_entry(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        METERS,
        "gb_exchange_in",
        Meter("gb_exchange_in", "GB into an exchange", NodeCounter("connector", "in"), ("kind",), ("exchange",)),
    )
    with scope(acme):
        publish(acme, Rate.of("gb_exchange_in", FlatPrice(D("0.01"))))
        create_connector_lifecycle("a", at(-60))
        record_reading(get_or_create_node("aws-eu-central-1", 1), "connector/a|corp|in|bytes", at(5), 200 * 10**9)
        collect_samples(START, END, END)
        services.update_draft_invoice(NOVEMBER, END)
        (line,) = selectors.invoice_lines("DRAFT-2026-11")
        assert (line["label"], line["quantity"], line["unit"]) == ("GB into an exchange, lab-site", 200, "GB")
        assert line["amount"] == D("2.00")
        (row,) = selectors.usage_report(START, END, meter="gb_exchange_in", group_by="exchange")["rows"]
        assert (row["group"], row["amount"]) == ("eu", D("2.00"))


def test_a_meter_of_what_nodes_count_is_one_entry(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    source = NodeCounter("connector", "out", "sessions", "sessions", 0)
    meter = Meter("sessions_out", "Sessions of a connector", source, ("kind",), ("exchange",))
    monkeypatch.setitem(METERS, meter.key, meter)
    with scope(acme):
        publish(acme, Rate.of("sessions_out", FlatPrice(D("0.01"))), Rate.of("gb_exchange_out", FlatPrice(D(1))))
        create_connector_lifecycle("a", at(-60))
        for index, sessions in ((1, 150), (2, 50)):
            node = get_or_create_node("aws-eu-central-1", index)
            record_reading(node, "connector/a|corp|out|sessions", at(5), sessions)
            record_reading(node, "connector/a|corp|out|packets", at(5), 9_999)
        collect_samples(START, END, END)
        services.update_draft_invoice(NOVEMBER, END)
        (line,) = selectors.invoice_lines("DRAFT-2026-11")
        assert (line["label"], line["quantity"], line["unit"]) == ("Sessions of a connector, lab-site", 200, "sessions")
        assert line["explanation"] == "200 sessions × 0.01 = EUR 2.00, flat price, half up to the minor unit."
        (sample,) = selectors.line_samples("DRAFT-2026-11", line["id"])
        assert sample["provenance"] == {"source": "counter", "sessions": {"corp": 200}}
        assert "corp 200 sessions" in " ".join(
            render_to_string("pages/invoice_samples.html", {"samples": [sample], "more": 0}).split()
        )
        (row,) = selectors.usage_report(START, END, meter="sessions_out", group_by="exchange")["rows"]
        assert (row["group"], row["amount"]) == ("eu", D("2.00"))


def test_a_meter_whose_unit_no_invoice_line_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 8 characters"):
        Meter("hours", "Hours", NodeCounter("connector", unit="connections"), ())


def test_a_price_shape_is_one_class_and_one_line(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRICE_SHAPES, "capped", CappedPrice)
    with scope(acme):
        publish(acme, Rate.of("connector_hours", CappedPrice(D("0.5"), D(3))))
        create_connector_lifecycle("a", at(0), at(600))
        collect_samples(START, END, END)
        services.update_draft_invoice(NOVEMBER, END)
        (line,) = selectors.invoice_lines("DRAFT-2026-11")
        assert (line["amount"], line["average"], line["price"]["shape"]) == (D("3.00"), True, "capped")
        words = "0.5 for each h, at most 3 = EUR 3.00, capped price, half up to the minor unit."
        assert line["explanation"] == words
        assert selectors.usage_report(START, END)["total"] == D("3.00")
        connector = Resource("connector/b", "exchange.connector", {"size": "small", "kind": "lab-site"})
        plan = services.price_plan([], [connector], at(0))
        assert plan["lines"][0]["after"] == {
            "label": "Connector hours, small, lab-site",
            "quantity": "730",
            "unit_price": None,
            "amount": "3.00",
            "explanation": words,
        }


def test_two_price_shapes_of_one_name_are_refused() -> None:
    class OtherFlatPrice(FlatPrice):
        pass

    with pytest.raises(ValueError, match="FlatPrice and OtherFlatPrice are both called 'flat'"):
        shapes_by_name(FlatPrice, OtherFlatPrice)


@pytest.mark.parametrize("meter", [meter for meter in METERS.values() if isinstance(meter.source, ResourceHours)])
def test_the_lifecycle_log_stores_the_dimensions_that_hours_are_priced_by(meter: Meter) -> None:
    names = (*meter.dimensions, *meter.details)
    body = {**dict.fromkeys(names, "x"), "links": []}
    assert isinstance(meter.source, ResourceHours)
    assert lifecycle_dimensions(meter.source.kind, body) == dict.fromkeys(names, "x")
    assert lifecycle_dimensions("exchange.policies", body) is None
