"""What a network costs each month, before it is provisioned: the invoice's own rating over a month of 730 hours.

The month is a sample like any other, so a preview and an invoice cannot disagree about a price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from billing.core.billing_period import BillingPeriod
from billing.core.meters import hourly_usage
from billing.core.money import Money, sum_money
from billing.core.price_books import PriceBookValue, PriceBookVersionValue
from billing.core.rated_line import RatedLine
from billing.core.rating import Rating, rate_samples
from billing.core.samples import HOUR, SampleValue

MONTH_HOURS = Decimal(730)
"""Hours of the average month (365 × 24 / 12), as the price calculators of AWS and Azure use it."""
_START = datetime(2001, 1, 1, tzinfo=UTC)


class PriceableResource(Protocol):
    """The attributes of a compiled resource that an estimate reads."""

    @property
    def address(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


def rate_month(resources: Iterable[PriceableResource], book: PriceBookValue, at: datetime) -> Rating:
    """Return lines for 730 hours of every resource that is sold by the hour, at the prices in force ``at`` an instant.

    The subject of a line is the resource's address. ``unpriced`` holds what the book has no price for.
    """
    version = book.version_at(at)
    versions = () if version is None else (PriceBookVersionValue(version.key, _START, version.rates),)
    samples = [
        SampleValue(meter.key, resource.address, _START, _START + HOUR, MONTH_HOURS, tuple(dimensions.items()))
        for resource in resources
        for meter, dimensions in hourly_usage(resource.kind, resource.body)
    ]
    month = BillingPeriod(_START, _START + HOUR, _START)
    return rate_samples(samples, PriceBookValue(book.name, book.currency, versions), month)


class CostDifference(NamedTuple):
    """A resource whose monthly cost differs; ``before`` or ``after`` is None in the network that lacks it."""

    before: RatedLine | None
    after: RatedLine | None
    amount: Money


class CostEstimate(NamedTuple):
    """Monthly totals of two networks, and the lines that make the difference: they sum to ``after − before``."""

    before: Money
    after: Money
    lines: list[CostDifference]
    unpriced: list[SampleValue]


def compare_costs(
    before: Iterable[PriceableResource], after: Iterable[PriceableResource], book: PriceBookValue, at: datetime
) -> CostEstimate:
    """Return the monthly cost of two networks and the lines that make the difference."""
    old, new = rate_month(before, book, at), rate_month(after, book, at)
    old_lines, new_lines = ({(line.subject, line.meter): line for line in rating.lines} for rating in (old, new))
    zero = Money(0, book.currency)
    lines = []
    for key in sorted({*old_lines, *new_lines}):
        old_line, new_line = old_lines.get(key), new_lines.get(key)
        amount = (new_line.amount if new_line else zero) - (old_line.amount if old_line else zero)
        if amount.minor:
            lines.append(CostDifference(old_line, new_line, amount))
    return CostEstimate(
        sum_money((line.amount for line in old.lines), book.currency),
        sum_money((line.amount for line in new.lines), book.currency),
        lines,
        new.unpriced,
    )
