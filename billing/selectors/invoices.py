"""Invoices, their lines, and the samples behind a line."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from billing.core.decimals import strip_trailing_zeros
from billing.core.meters import line_label
from billing.models import Invoice, InvoiceLine, Sample
from billing.selectors.subjects import describe_subjects


class UnknownInvoice(LookupError):
    """The tenant in force has no invoice of that number, or no line of that id."""


def list_invoices() -> list[dict[str, Any]]:
    """Return all invoices, newest first, without their lines.

    ``{"id", "number", "state", "period_start", "period_end", "seller", "currency", "total", "computed_at",
    "sample_count", "unpriced"}``.
    """
    return [_invoice_fields(invoice) for invoice in Invoice.objects.all()]


def get_invoice(number: str) -> dict[str, Any]:
    """Return one invoice: its fields as in ``list_invoices``, ``lines`` as in ``invoice_lines``, and ``groups``.

    A group is the lines of one meter at one rate: ``{"label", "meter", "unit", "quantity", "unit_price", "average",
    "amount", "version", "lines"}``; ``average`` says that unit_price is amount ÷ quantity, since several bands apply.
    """
    invoice = _find_invoice(number)
    lines = _lines_json(invoice)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["meter"], line["version"], line["rate"]), []).append(line)
    return {
        **_invoice_fields(invoice),
        "lines": lines,
        "groups": [_group_json(members) for members in groups.values()],
    }


def invoice_lines(number: str) -> list[dict[str, Any]]:
    """Return the lines in order; they add up to the invoice's total.

    ``{"id", "position", "label", "meter", "subject": thing, "dimensions", "quantity", "unit", "unit_price", "average",
    "amount", "currency", "version", "rate", "price", "bands", "explanation", "sample_count"}``. unit_price is amount ÷
    quantity where ``average`` is true.
    """
    return _lines_json(_find_invoice(number))


def line_samples(number: str, line_id: str) -> list[dict[str, Any]]:
    """Return the samples a line charges, in order of time; their quantities add up to the line's.

    ``{"id", "meter", "subject", "window_start", "window_end", "quantity", "unit", "dimensions", "provenance"}``.
    """
    line = _find_line(number, line_id)
    return [
        {
            "id": sample.pk,
            "meter": sample.meter,
            "subject": sample.subject,
            "window_start": sample.window_start,
            "window_end": sample.window_end,
            "quantity": strip_trailing_zeros(sample.quantity),
            "unit": line.unit,
            "dimensions": sample.dimensions,
            "provenance": sample.provenance,
        }
        for sample in Sample.objects.filter(charged__line=line).order_by("window_start")
    ]


def line_days(number: str, line_id: str) -> list[dict[str, Any]]:
    """Return a line's quantity for each day of UTC that has any: ``{"day", "quantity", "samples"}``."""
    days: dict[Any, list[Decimal]] = {}
    for sample in Sample.objects.filter(charged__line=_find_line(number, line_id)).order_by("window_start"):
        days.setdefault(sample.window_start.astimezone(UTC).date(), []).append(sample.quantity)
    return [
        {"day": day, "quantity": strip_trailing_zeros(sum(quantities, Decimal(0))), "samples": len(quantities)}
        for day, quantities in days.items()
    ]


def _find_invoice(number: str) -> Invoice:
    invoice = Invoice.objects.filter(number=number).first()
    if invoice is None:
        raise UnknownInvoice(f"There is no invoice {number}.")
    return invoice


def _find_line(number: str, line_id: str) -> InvoiceLine:
    line = next(
        (row for row in InvoiceLine.objects.filter(invoice=_find_invoice(number)) if str(row.uid) == line_id), None
    )
    if line is None:
        raise UnknownInvoice(f"There is no line {line_id} on invoice {number}.")
    return line


def _invoice_fields(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": str(invoice.uid),
        "number": invoice.number,
        "state": invoice.state,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "seller": invoice.seller_name,
        "currency": invoice.currency,
        "total": invoice.total,
        "computed_at": invoice.computed_at,
        "sample_count": invoice.sample_count,
        "unpriced": invoice.unpriced,
    }


def _lines_json(invoice: Invoice) -> list[dict[str, Any]]:
    rows = list(InvoiceLine.objects.filter(invoice=invoice).select_related("version__book", "invoice"))
    things = describe_subjects(row.subject for row in rows)
    return [
        {
            "id": str(row.uid),
            "position": row.position,
            "label": row.label,
            "meter": row.meter,
            "subject": things[row.subject],
            "dimensions": row.dimensions,
            "quantity": strip_trailing_zeros(row.quantity),
            "unit": row.unit,
            "unit_price": _average_price(row.amount, row.quantity)
            if row.unit_price is None
            else strip_trailing_zeros(row.unit_price),
            "average": row.unit_price is None,
            "amount": row.amount,
            "currency": invoice.currency,
            "version": str(row.version),
            "rate": row.rate_key,
            "price": row.price,
            "bands": row.bands,
            "explanation": row.explanation,
            "sample_count": row.sample_count,
        }
        for row in rows
    ]


def _group_json(members: list[dict[str, Any]]) -> dict[str, Any]:
    first = members[0]
    where = dict(pair.split("=", 1) for pair in first["rate"].split(",") if pair)
    quantity, amount = sum(line["quantity"] for line in members), sum(line["amount"] for line in members)
    return {
        "label": line_label(first["meter"], where),
        "meter": first["meter"],
        "unit": first["unit"],
        "quantity": quantity,
        "unit_price": _average_price(amount, quantity) if first["average"] else first["unit_price"],
        "average": first["average"],
        "amount": amount,
        "version": first["version"],
        "lines": members,
    }


def _average_price(amount: Decimal, quantity: Decimal) -> Decimal | None:
    return (amount / quantity).quantize(Decimal("0.000001")) if quantity else None
