"""Price a plan and the live network by the month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import selectors
from billing.core import estimate
from billing.core.decimals import decimal_text
from billing.core.rated_line import RatedLine
from billing.services.draft_invoices import summarise_unpriced
from provisioning.core.values.resource import Resource
from provisioning.selectors import metering
from tenants.scope import current_tenant


def price_plan(before: Iterable[Resource], after: Iterable[Resource], at: datetime | None = None) -> dict[str, Any]:
    """Return what a plan changes in the cost of a month of 730 hours, as JSON; the setting PLAN_PRICER names this.

    ``{"currency", "monthly_before", "monthly_after", "difference", "price_book", "hours", "lines": [{"subject",
    "label", "meter", "unit", "before", "after", "amount"}], "unpriced": […]}``. Lines are only what differs and add
    up to ``difference``; their ``before`` and ``after`` are null or ``{"label", "quantity", "unit_price", "amount",
    "explanation"}``; ``subject`` is a thing (billing/selectors/__init__.py). Without a price book the
    amounts are null and ``note`` says so. Traffic is not estimated.
    """
    book = selectors.price_book_of(current_tenant())
    if book is None:
        note = f"{current_tenant().name} has no price book; ask your provider for one."
        return {"currency": None, "monthly_before": None, "monthly_after": None, "lines": [], "note": note}
    at = at or timezone.now()
    value = selectors.price_book_value(book)
    costs = estimate.compare_costs(before, after, value, at)
    version = value.version_at(at)
    things = selectors.describe_subjects(
        line.subject for row in costs.lines for line in (row.before, row.after) if line is not None
    )
    return {
        "currency": book.currency,
        "monthly_before": str(costs.before.amount),
        "monthly_after": str(costs.after.amount),
        "difference": str((costs.after - costs.before).amount),
        "price_book": f"{book.name} {version.effective_from:%Y-%m-%d}" if version else book.name,
        "hours": str(estimate.MONTH_HOURS),
        "lines": [_plan_line(row, things) for row in costs.lines],
        "unpriced": summarise_unpriced(costs.unpriced),
    }


def estimate_live_cost() -> dict[str, Any]:
    """Return what the live network costs each month: as ``price_plan``, with a line for every resource."""
    return price_plan([], metering.live_resources())


def _plan_line(difference: estimate.CostDifference, things: dict[str, dict[str, Any]]) -> dict[str, Any]:
    line = difference.after or difference.before
    assert line is not None
    return {
        "subject": things[line.subject],
        "label": line.label,
        "meter": line.meter,
        "unit": line.unit,
        "before": _plan_line_side(difference.before),
        "after": _plan_line_side(difference.after),
        "amount": str(difference.amount.amount),
    }


def _plan_line_side(line: RatedLine | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {
        "label": line.label,
        "quantity": decimal_text(line.quantity),
        "unit_price": None if line.unit_price is None else decimal_text(line.unit_price),
        "amount": str(line.amount.amount),
        "explanation": line.explanation,
    }
