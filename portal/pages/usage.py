"""Usage and cost over any period, of one meter or all, by a chosen grouping, as a page and as CSV."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from billing import selectors
from billing.core.decimals import decimal_text
from billing.core.meters import METERS, all_dimensions
from portal.pages.bar_chart import ChartBar, bar_chart
from portal.pages.days import midnight, parse_day
from portal.pages.decorators import PageRequest, tenant_page
from provisioning.core.formats.csv_text import escape_formula
from tenants.errors import FieldProblem


@tenant_page("usage")
def usage(request: PageRequest) -> HttpResponse:
    today = timezone.now().astimezone(UTC).date()
    start, end, problem = _period(request, today)
    meter = request.GET.get("meter") if request.GET.get("meter") in METERS else None
    groupings = _groupings()
    by = request.GET.get("by", "") if request.GET.get("by") in groupings else "meter"
    report = selectors.usage_report(midnight(start), midnight(end), meter, by)
    if request.GET.get("format") == "csv":
        return _csv_response(report, start, end, request)
    days = report if by == "day" else selectors.usage_report(midnight(start), midnight(end), meter, "day")
    before = _previous_period(start, end, today, meter, by, report)
    context = {
        "report": report,
        "problems": [problem] if problem else [],
        "rows": [
            {**row, "share": _percent_of_total(row, report), "change": before and _row_change(row, before["amounts"])}
            for row in report["rows"]
        ],
        "chart": bar_chart(_daily_bars(days, start, min(end, today + timedelta(days=1)), bool(report["currency"]))),
        "in_money": bool(report["currency"]),
        "before": before,
        "most_expensive": _most_expensive_group(report),
        "start": start,
        "last": end - timedelta(days=1),
        "months": [
            {
                "from": first,
                "last": _next_month(first) - timedelta(days=1),
                "is_current": (start, end) == (first, _next_month(first)),
            }
            for first in _months(today)
        ],
        "meters": METERS.values(),
        "meter": METERS.get(meter or ""),
        "by": by,
        "groupings": groupings.items(),
    }
    return render(request, "pages/usage.html", context, status=400 if problem else 200)


def _groupings() -> dict[str, str]:
    """Return what usage can be grouped by → its word: a new dimension of a meter is offered without a change here."""
    dimensions = {name: name.replace("_", " ").capitalize() for name in sorted(all_dimensions())}
    owners = {"tag": "Billing tag", "segment": "Segment", "group": "Group"}
    return {"meter": "Meter", "subject": "Resource", **owners, "day": "Day", **dimensions}


def _period(request: PageRequest, today: date) -> tuple[date, date, FieldProblem | None]:
    """Return [from, to) of the query, whose ``to`` is the last day; the current month, and what is wrong with the
    query, where it is unusable."""
    start = today.replace(day=1)
    month = start, _next_month(start)
    from_text, to_text = request.GET.get("from", ""), request.GET.get("to", "")
    if not from_text and not to_text:
        return *month, None
    try:
        first, last = _required_day("from", from_text), _required_day("to", to_text)
        selectors.check_period(midnight(first), midnight(last))
    except selectors.UnusablePeriod as error:
        return *month, FieldProblem("out_of_range", error.field, str(error))
    return first, last + timedelta(days=1), None


def _required_day(name: str, text: str) -> date:
    day = parse_day(text)
    if day is None:
        raise selectors.UnusablePeriod(name, f"“{name}” is no date; write it like 2026-11-01.")
    return day


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _months(today: date) -> list[date]:
    """Return this month and the one before, which are offered as shortcuts."""
    this = today.replace(day=1)
    return [this, (this - timedelta(days=1)).replace(day=1)]


def _daily_bars(report: dict[str, Any], start: date, end: date, in_money: bool) -> list[ChartBar]:
    """Return a bar for every day of the period until today; none for quantities of several units."""
    units = {row["unit"] for row in report["rows"]}
    if not in_money and len(units) > 1:
        return []
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in report["rows"]:
        sums[row["group"]] += row["amount"] if in_money else row["quantity"]
    unit = report["currency"] if in_money else next(iter(units), "")
    days = [start + timedelta(days=number) for number in range((end - start).days)]
    return [
        ChartBar(f"{day.day} {day:%b}", sums[f"{day}"], f"{day.day} {day:%b}: {sums[f'{day}']:,.2f} {unit}")
        for day in days
    ]


def _previous_period(
    start: date, end: date, today: date, meter: str | None, by: str, report: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the cost of a period as long as the passed part of this one, just before it, in all and by row.

    ``amounts``: (meter, group) → amount; empty by day, since no day is in both.
    """
    passed, total = min(end, today + timedelta(days=1)) - start, report["total"]
    if total is None or passed <= timedelta():
        return None
    previous = selectors.usage_report(midnight(start - passed), midnight(start), meter, by)
    return {
        "total": previous["total"],
        "percent": percent_change(previous["total"], total),
        "from": start - passed,
        "days": passed.days,
        "amounts": {} if by == "day" else {(row["meter"], row["group"]): row["amount"] for row in previous["rows"]},
    }


def percent_change(before: Decimal, after: Decimal) -> int | None:
    """Return the change in whole percents; −100 only where nothing is left."""
    if not before:
        return None
    percent = round((after - before) / before * 100)
    return max(percent, -99) if after > 0 else percent


def _row_change(row: dict[str, Any], amounts: dict[tuple[str, str], Decimal]) -> dict[str, Any] | None:
    """Return how a row's amount differs from the one of the period before; None where that cannot be said."""
    if not amounts or row["amount"] is None:
        return None
    previous = amounts.get((row["meter"], row["group"]), Decimal(0))
    return {"amount": row["amount"] - previous, "percent": percent_change(previous, row["amount"])}


def _most_expensive_group(report: dict[str, Any]) -> dict[str, Any] | None:
    """Return the group that costs most, over all its meters."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in report["rows"]:
        sums[row["group_label"] or row["label"]] += row["amount"] or 0
    label = max(sums, key=lambda group: sums[group], default=None)
    return {"label": label, "amount": sums[label]} if label else None


def _percent_of_total(row: dict[str, Any], report: dict[str, Any]) -> int:
    return round(row["amount"] / report["total"] * 100) if report["total"] and row["amount"] else 0


def _csv_response(report: dict[str, Any], start: date, end: date, request: PageRequest) -> HttpResponse:
    last = end - timedelta(days=1)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"usage-{request.tenant.slug}-{start}-{last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    head = ("from", "to", "meter", "group_by", "group", "name", "quantity", "unit", "amount", "currency", "samples")
    writer.writerow(head)
    for row in report["rows"]:
        amount = "" if row["amount"] is None else str(row["amount"])
        words = [
            escape_formula(row["group"]),
            escape_formula(row["group_label"]),
            decimal_text(row["quantity"]),
            row["unit"],
            amount,
        ]
        writer.writerow(
            [start, last, row["meter"], report["group_by"], *words, report["currency"] or "", row["samples"]]
        )
    return response
