"""Invoices: each amount opens to the lines, days and samples behind it, and to the thing that caused it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from billing import exports, selectors
from portal.pages.bar_chart import ChartBar, bar_chart
from portal.pages.decorators import PageRequest, tenant_page

SAMPLES_SHOWN = 200


@tenant_page("usage")
def invoices(request: PageRequest) -> HttpResponse:
    return render(request, "pages/invoices.html", {"invoices": selectors.list_invoices()})


@tenant_page("usage")
def invoice(request: PageRequest, number: str) -> HttpResponse:
    found = _get_invoice(number)
    context = {
        "invoice": found,
        "adds_up": sum((line["amount"] for line in found["lines"]), Decimal(0)) == found["total"],
        "books": sorted({line["version"] for line in found["lines"]}),
        "things": _cost_by_object(found),
    }
    return render(request, "pages/invoice.html", context)


@tenant_page("usage")
def group(request: PageRequest, number: str, position: int) -> HttpResponse:
    """One row of the invoice opened: how it was computed, each day, each thing. A fragment."""
    found = _get_invoice(number)
    if not 0 < position <= len(found["groups"]):
        raise Http404
    opened = found["groups"][position - 1]
    days: dict[date, Decimal] = defaultdict(Decimal)
    for line in opened["lines"]:
        for day in selectors.line_days(number, line["id"]):
            days[day["day"]] += day["quantity"]
    bars = [
        ChartBar(f"{day.day} {day:%b}", quantity, f"{day.day} {day:%b}: {quantity:,.2f} {opened['unit']}")
        for day, quantity in sorted(days.items())
    ]
    context = {"invoice": found, "group": opened, "position": position, "chart": bar_chart(bars)}
    return render(request, "pages/invoice_group.html", context)


@tenant_page("usage")
def samples(request: PageRequest, number: str, line: str) -> HttpResponse:
    """The samples one line charges. A fragment."""
    try:
        found = selectors.line_samples(number, line)
    except selectors.UnknownInvoice as error:
        raise Http404(str(error)) from error
    return render(
        request, "pages/invoice_samples.html", {"samples": found[:SAMPLES_SHOWN], "more": len(found) - SAMPLES_SHOWN}
    )


@tenant_page("usage")
def table(request: PageRequest, number: str) -> HttpResponse:
    """The invoice as CSV, one row for each line."""
    _get_invoice(number)
    response = HttpResponse(exports.invoice_csv(number), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{number}.csv"'
    return response


def _get_invoice(number: str) -> dict[str, Any]:
    try:
        return selectors.get_invoice(number)
    except selectors.UnknownInvoice as error:
        raise Http404(str(error)) from error


def _cost_by_object(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What each thing costs, the dearest first."""
    sums: dict[str, dict[str, Any]] = {}
    for line in found["lines"]:
        thing = line["subject"]
        entry = sums.setdefault(thing["uid"] or thing["address"], {"thing": thing, "amount": Decimal(0)})
        entry["amount"] += line["amount"]
    listed = sorted(sums.values(), key=lambda entry: entry["amount"], reverse=True)
    return [
        {**entry, "share": round(entry["amount"] / found["total"] * 100) if found["total"] else 0} for entry in listed
    ]
