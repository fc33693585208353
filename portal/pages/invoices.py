"""Invoices: each amount opens to the lines, days and samples behind it, and links to the resource that caused it."""

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
    invoice_json = _get_invoice(number)
    context = {
        "invoice": invoice_json,
        "adds_up": sum((line["amount"] for line in invoice_json["lines"]), Decimal(0)) == invoice_json["total"],
        "books": sorted({line["version"] for line in invoice_json["lines"]}),
        "costs_by_resource": _cost_by_object(invoice_json),
    }
    return render(request, "pages/invoice.html", context)


@tenant_page("usage")
def group(request: PageRequest, number: str, position: int) -> HttpResponse:
    """Answer one row of the invoice in detail, as a fragment: how it was computed, each day, each resource."""
    invoice_json = _get_invoice(number)
    if not 0 < position <= len(invoice_json["groups"]):
        raise Http404
    opened = invoice_json["groups"][position - 1]
    days: dict[date, Decimal] = defaultdict(Decimal)
    for line in opened["lines"]:
        for day in selectors.line_days(number, line["id"]):
            days[day["day"]] += day["quantity"]
    bars = [
        ChartBar(f"{day.day} {day:%b}", quantity, f"{day.day} {day:%b}: {quantity:,.2f} {opened['unit']}")
        for day, quantity in sorted(days.items())
    ]
    context = {"invoice": invoice_json, "group": opened, "position": position, "chart": bar_chart(bars)}
    return render(request, "pages/invoice_group.html", context)


@tenant_page("usage")
def samples(request: PageRequest, number: str, line: str) -> HttpResponse:
    """Answer the samples that one line charges, as a fragment."""
    try:
        line_samples = selectors.line_samples(number, line)
    except selectors.UnknownInvoice as error:
        raise Http404(str(error)) from error
    return render(
        request,
        "pages/invoice_samples.html",
        {"samples": line_samples[:SAMPLES_SHOWN], "more": len(line_samples) - SAMPLES_SHOWN},
    )


@tenant_page("usage")
def table(request: PageRequest, number: str) -> HttpResponse:
    """Answer the invoice as CSV, one row for each line."""
    _get_invoice(number)
    response = HttpResponse(exports.invoice_csv(number), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{number}.csv"'
    return response


def _get_invoice(number: str) -> dict[str, Any]:
    try:
        return selectors.get_invoice(number)
    except selectors.UnknownInvoice as error:
        raise Http404(str(error)) from error


def _cost_by_object(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what each resource costs, the most expensive first."""
    sums: dict[str, dict[str, Any]] = {}
    for line in invoice["lines"]:
        thing = line["subject"]
        entry = sums.setdefault(thing["uid"] or thing["address"], {"resource": thing, "amount": Decimal(0)})
        entry["amount"] += line["amount"]
    entries = sorted(sums.values(), key=lambda entry: entry["amount"], reverse=True)
    shares = whole_percents([entry["amount"] for entry in entries])
    return [{**entry, "share": share} for entry, share in zip(entries, shares, strict=True)]


def whole_percents(amounts: list[Decimal]) -> list[int]:
    """Return each amount's share in percent; they add up to 100 (largest remainder)."""
    total = sum(amounts)
    if not total:
        return [0] * len(amounts)
    exact = [amount / total * 100 for amount in amounts]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: exact[n] - whole[n], reverse=True)
    for n in by_remainder[: 100 - sum(whole)]:
        whole[n] += 1
    return whole
