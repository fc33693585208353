"""The draft invoice of a month: exact, explained, stable, and equal in every export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from uuid import uuid4

import pytest
from django.db import DatabaseError, ProgrammingError, transaction
from syrupy.assertion import SnapshotAssertion

from billing import exports, selectors, services
from billing.core.price import InvalidPrice
from billing.core.price_books import Rate
from billing.core.price_shapes import FlatPrice
from billing.metering import collect_samples
from billing.models import Invoice, InvoiceLine, LineSample, PriceBookVersion, Sample
from tenants.models import Tenant
from tenants.scope import scope
from tests.billing.conftest import (
    at,
    create_connector_lifecycle,
    create_lifecycle,
    create_named_item,
    get_or_create_node,
    record_reading,
)

NOVEMBER, START, END = date(2026, 11, 1), datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
LATER = END + timedelta(days=1)


@pytest.fixture
def month(acme: Tenant) -> Tenant:
    """Collect November of a small network: two exchanges, three connectors, a firewall, some traffic."""
    with scope(acme):
        create_named_item("exchanges", "eu", "Europe")
        create_named_item("exchanges", "us", "America")
        for key, name in (("dc", "Data centre"), ("hospital", '=HYPERLINK("http://evil")'), ("office", "Office")):
            create_named_item("connectors", key, name)
        create_named_item("services", "fw", "Firewall")
        create_lifecycle("exchange/eu", "exchange.presence", START, location="aws-eu-central-1", size="medium")
        create_lifecycle("exchange/us", "exchange.presence", at(0), location="aws-us-east-1", size="small")
        create_connector_lifecycle("dc", START, size="large")
        create_connector_lifecycle("hospital", START, at(20))
        create_connector_lifecycle("hospital", at(20), size="medium")
        create_connector_lifecycle("office", at(0), at(0.5))
        for number in (1, 2):
            create_lifecycle(
                f"service/fw/eu/instance/{number}", "exchange.instance", at(7),
                service="fw", product="linux-firewall", license="included", exchange="eu",
            )  # fmt: skip
        eu = get_or_create_node("aws-eu-central-1", 1)
        record_reading(eu, "connector/dc|corp|out|bytes", at(90), 9_100_000_000_001)
        record_reading(eu, "connector/hospital|corp|out|bytes", at(95), 3_333_333_333_333)
        record_reading(eu, "connector/office|corp|out|bytes", at(0.4), 17)
        record_reading(eu, "mesh/us|corp|out|bytes", at(200), 250_000_000_000)
        record_reading(eu, "service/fw|corp|bytes", at(200), 1_234_567_891)
        collect_samples(START, END, LATER)
    return acme


def test_a_month_reads_as_its_approved_invoice(month: Tenant, json_snapshot: SnapshotAssertion) -> None:
    with scope(month):
        services.update_draft_invoice(NOVEMBER, LATER)
        invoice = selectors.get_invoice("DRAFT-2026-11")
    for line in invoice["lines"]:
        line["id"], line["subject"] = None, line["subject"]["title"]
    lines = [{**line, "quantity": f"{line['quantity']:f}", "amount": str(line["amount"])} for line in invoice["lines"]]
    shown = {
        "number": invoice["number"],
        "currency": invoice["currency"],
        "total": str(invoice["total"]),
        "lines": lines,
    }
    assert json.dumps(shown, indent=1, default=str, ensure_ascii=False) + "\n" == json_snapshot


def test_lines_add_up_to_the_total_and_samples_to_their_line(month: Tenant) -> None:
    with scope(month):
        services.update_draft_invoice(NOVEMBER, LATER)
        invoice = selectors.get_invoice("DRAFT-2026-11")
        assert sum(line["amount"] for line in invoice["lines"]) == invoice["total"] > 0
        assert sum(group["amount"] for group in invoice["groups"]) == invoice["total"]
        for line in invoice["lines"]:
            samples = selectors.line_samples("DRAFT-2026-11", line["id"])
            assert sum(sample["quantity"] for sample in samples) == line["quantity"]
            assert len(samples) == line["sample_count"]
            days = selectors.line_days("DRAFT-2026-11", line["id"])
            assert sum(day["quantity"] for day in days) == line["quantity"]
        assert LineSample.objects.count() == Sample.objects.count() == invoice["sample_count"]
        assert invoice["unpriced"] == []


def test_computing_a_draft_invoice_again_changes_nothing_and_lines_keep_their_id(month: Tenant) -> None:
    def shown() -> tuple:
        services.update_draft_invoice(NOVEMBER, LATER)
        return selectors.get_invoice("DRAFT-2026-11"), set(LineSample.objects.values_list("pk", "sample_id", "line_id"))

    with scope(month):
        assert shown() == shown()
        create_connector_lifecycle("new", at(60), at(90))
        collect_samples(START, END, LATER)
        before = set(InvoiceLine.objects.values_list("uid", flat=True))
        services.update_draft_invoice(NOVEMBER, LATER)
        assert before < set(InvoiceLine.objects.values_list("uid", flat=True))
        assert Invoice.objects.count() == 1


def test_a_new_price_within_the_month_gets_its_own_line(month: Tenant) -> None:
    with scope(month):
        services.update_draft_invoice(NOVEMBER, LATER)
        book = selectors.price_book_of(month)
        assert book is not None
        services.publish_version(book, at(0), [Rate.of("connector_hours", FlatPrice(D("1")))], note="Only connectors")
        services.update_draft_invoice(NOVEMBER, LATER)
        invoice = selectors.get_invoice("DRAFT-2026-11")
        dc = [
            line for line in invoice["lines"] if line["subject"]["key"] == "dc" and line["meter"] == "connector_hours"
        ]
        assert [(line["quantity"], line["unit_price"], line["amount"]) for line in dc] == [
            (538, D("0.29"), D("156.02")),
            (182, D(1), D("182.00")),
        ]
        assert {row["meter"] for row in invoice["unpriced"]} == {
            "exchange_hours", "service_instance_hours", "gb_exchange_out", "gb_between_exchanges", "gb_inspected",
        }  # fmt: skip
        assert LineSample.objects.count() + sum(row["samples"] for row in invoice["unpriced"]) == Sample.objects.count()
        usage = selectors.usage_report(START, END)
        assert usage["total"] == invoice["total"]
        assert sum(row["samples"] for row in usage["rows"] + usage["unpriced"]) == Sample.objects.count()


def test_the_csv_sums_to_the_invoice_and_escapes_formulas(month: Tenant) -> None:
    with scope(month):
        services.update_draft_invoice(NOVEMBER, LATER)
        rows = list(csv.DictReader(io.StringIO(exports.invoice_csv("DRAFT-2026-11"))))
        assert sum(D(row["amount"]) for row in rows) == Invoice.objects.get().total
        assert any(row["name"] == '\'=HYPERLINK("http://evil")' for row in rows)
        assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_usage_costs_the_same_in_every_grouping_and_window(month: Tenant) -> None:
    with scope(month):
        services.update_draft_invoice(NOVEMBER, LATER)
        for group_by in ("meter", "subject", "day", "hour", "size", "exchange"):
            report = selectors.usage_report(START, END, group_by=group_by)
            assert report["total"] == sum(row["amount"] for row in report["rows"]) == Invoice.objects.get().total
            assert sum(row["samples"] for row in report["rows"]) == Sample.objects.count()
        parts = [selectors.usage_report(a, b) for a, b in ((START, at(1234)), (at(1234), END))]
        assert sum(part["total"] for part in parts) == report["total"]


def test_usage_names_the_resource_and_filters_by_meter(month: Tenant) -> None:
    with scope(month):
        rows = selectors.usage_report(START, END, meter="service_instance_hours", group_by="subject")["rows"]
        assert [row["group_label"] for row in rows] == [
            "Firewall at Europe, instance 1",
            "Firewall at Europe, instance 2",
        ]
        assert rows[0]["thing"]["kind"] == "services" and rows[0]["thing"]["uid"]
        with pytest.raises(selectors.UnknownGrouping, match="use one of"):
            selectors.usage_report(START, END, group_by="colour")
        with pytest.raises(selectors.UnknownGrouping, match="use one of"):
            selectors.usage_report(START, END, meter="joules")


def test_another_tenant_has_no_such_invoice(month: Tenant, globex: Tenant) -> None:
    with scope(month):
        services.update_draft_invoice(NOVEMBER, LATER)
        line = selectors.invoice_lines("DRAFT-2026-11")[0]["id"]
    with scope(globex):
        assert selectors.list_invoices() == []
        assert selectors.usage_report(START, END)["rows"] == []
        assert services.update_draft_invoice(NOVEMBER, LATER) is None and selectors.list_invoices() == []
        with pytest.raises(selectors.UnknownInvoice):
            selectors.line_samples("DRAFT-2026-11", line)


def test_usage_without_a_price_book_is_shown_and_not_charged(acme: Tenant) -> None:
    nobody = Tenant.objects.create(slug="nobody", name="Nobody")
    with scope(nobody):
        create_connector_lifecycle("a", at(0))
        collect_samples(at(0), at(60), at(60))
        assert services.update_draft_invoice(NOVEMBER, at(60)) is None
        report = selectors.usage_report(START, END)
        assert [(row["quantity"], row["amount"]) for row in report["rows"]] == [(1, None)]
        assert report["total"] is None
        assert services.price_plan([], [])["monthly_after"] is None


def test_a_tenant_gets_no_price_book_in_another_currency_than_its_own(acme: Tenant) -> None:
    like, at_once = "Northwind Managed Networks for Acme Health", datetime(2026, 11, 1, tzinfo=UTC)
    dollars = Tenant.objects.create(slug="dollars", name="Dollars", msp=acme.msp, currency="USD")
    with pytest.raises(InvalidPrice, match="is in EUR, but Dollars pays in USD"):
        services.copy_price_book(dollars, like, at_once)
    euros = Tenant.objects.create(slug="euros", name="Euros", msp=acme.msp, currency="EUR")
    assert services.copy_price_book(euros, like, at_once).currency == "EUR"


def test_prices_are_never_rewritten(acme: Tenant) -> None:
    version = PriceBookVersion.objects.filter(book=selectors.price_book_of(acme)).get()
    version.note = "cheaper"
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        version.save()
    with pytest.raises(InvalidPrice, match="must begin later"):
        services.publish_version(version.book, version.effective_from, [])


def test_each_seller_sees_its_own_books(acme: Tenant) -> None:
    assert [book["buyer"] for book in selectors.price_books_sold_by(None)] == ["Initech", "Northwind Managed Networks"]
    northwind = selectors.price_books_sold_by(acme.msp)
    assert [book["buyer"] for book in northwind] == ["Acme Health", "Globex Retail"]
    with scope(acme):
        assert selectors.own_price_book() == northwind[0]


def test_the_database_keeps_an_issued_invoice_its_lines_and_its_samples(month: Tenant) -> None:
    with scope(month):
        invoice = services.update_draft_invoice(NOVEMBER, LATER)
        assert invoice is not None
        line = invoice.lines.order_by("position")[0]
        charged = line.charged.all()[0]
        Invoice.objects.update(state="issued")
        changes: list[Callable[[], object]] = [
            lambda: Invoice.objects.update(total_minor=1),
            lambda: Invoice.objects.update(state=Invoice.DRAFT),
            lambda: Invoice.objects.all()._raw_delete(using="default"),
            lambda: InvoiceLine.objects.update(amount_minor=1),
            lambda: InvoiceLine.objects.filter(pk=line.pk)._raw_delete(using="default"),
            lambda: LineSample.objects.filter(pk=charged.pk)._raw_delete(using="default"),
            lambda: Sample.objects.filter(pk=charged.sample_id).update(quantity=1),
            lambda: Sample.objects.filter(pk=charged.sample_id)._raw_delete(using="default"),
            lambda: InvoiceLine.objects.bulk_create([copy_of(line)]),
        ]
        for change in changes:
            with pytest.raises(ProgrammingError, match="issued invoice cannot be changed"), transaction.atomic():
                change()
        assert Invoice.objects.update(state="paid") == 1


def copy_of(line: InvoiceLine) -> InvoiceLine:
    copy = InvoiceLine.objects.get(pk=line.pk)
    copy.pk, copy.uid, copy.subject = None, uuid4(), "connector/other"
    return copy
