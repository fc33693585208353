"""What a network costs each month, before it is provisioned: the invoice's own rating over a month of 730 hours.

The month is a sample like any other, so a preview and an invoice cannot disagree about a price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from billing.core.books import PriceBook, Version
from billing.core.meters import hourly
from billing.core.money import Money, total
from billing.core.rating import Line, Period, Rating, rate
from billing.core.samples import HOUR, Sample

MONTH_HOURS = Decimal(730)
"""Hours of the average month, as cloud price lists use it (365 × 24 / 12)."""
_START = datetime(2001, 1, 1, tzinfo=UTC)


class Compiled(Protocol):
    """What an estimate reads of a compiled resource."""

    @property
    def address(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


def monthly(resources: Iterable[Compiled], book: PriceBook, at: datetime) -> Rating:
    """Lines for 730 hours of every resource that is sold by the hour, at the prices in force ``at`` that instant.

    The subject of a line is the resource's address. ``unpriced`` names what the book has no price for.
    """
    version = book.version_at(at)
    versions = () if version is None else (Version(version.key, _START, version.rates),)
    samples = [
        Sample(meter.key, resource.address, _START, _START + HOUR, MONTH_HOURS, tuple(found.items()))
        for resource in resources
        if (known := hourly(resource.kind, resource.body))
        for meter, found in [known]
    ]
    month = Period(_START, _START + HOUR, _START)
    return rate(samples, PriceBook(book.name, book.currency, versions), month)


class Difference(NamedTuple):
    """One thing whose monthly cost differs; ``before`` or ``after`` is None where it is not there."""

    before: Line | None
    after: Line | None
    amount: Money


class Estimate(NamedTuple):
    """Monthly totals of two networks, and the lines that make the difference: they sum to ``after − before``."""

    before: Money
    after: Money
    lines: list[Difference]
    unpriced: list[Sample]


def compare(before: Iterable[Compiled], after: Iterable[Compiled], book: PriceBook, at: datetime) -> Estimate:
    """The cost delta of a plan."""
    old, new = monthly(before, book, at), monthly(after, book, at)
    olds, news = ({(line.subject, line.meter): line for line in side.lines} for side in (old, new))
    zero = Money(0, book.currency)
    lines = []
    for key in sorted({*olds, *news}):
        was, becomes = olds.get(key), news.get(key)
        amount = (becomes.amount if becomes else zero) - (was.amount if was else zero)
        if amount.minor:
            lines.append(Difference(was, becomes, amount))
    return Estimate(
        total((line.amount for line in old.lines), book.currency),
        total((line.amount for line in new.lines), book.currency),
        lines,
        new.unpriced,
    )
