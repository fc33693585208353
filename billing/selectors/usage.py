"""Usage and its cost, over any stretch of time and by any grouping."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.core.books import PriceBook as BookValue
from billing.core.meters import METERS
from billing.core.money import Money, split
from billing.core.prices import trimmed
from billing.core.rating import Line, Period, rate
from billing.core.samples import Sample as SampleValue
from billing.selectors.books import book_of, book_value
from billing.selectors.samples import Summed, summed
from billing.selectors.things import things
from tenants.scope import current

GROUPS = ("meter", "subject", "day", "hour")
"""By what usage can be grouped, besides any dimension of a sample (size, kind, exchange, …)."""


class UnknownGrouping(ValueError):
    """Usage cannot be grouped or filtered like that; the message names what can."""


def usage(start: datetime, end: datetime, meter: str | None = None, group_by: str = "meter") -> dict[str, Any]:
    """What was used in [start, end) and what it costs by the books in force.

    ``{"from", "to", "currency", "total", "group_by", "rows": [{"meter", "label", "unit", "group", "group_label",
    "thing", "quantity", "amount", "samples"}], "unpriced": same without amount}``; rows in order of meter, then
    group. ``group`` is the meter, the subject's address, an ISO day or hour, or a dimension's value ("" where a
    sample has none). ``thing`` only when grouped by subject. Without a price book amount, currency and total are
    None. UnknownGrouping for a meter or grouping there is not.
    """
    if meter is not None and meter not in METERS:
        raise UnknownGrouping(f"Meter {meter!r} is not known; use one of {', '.join(METERS)}.")
    dimensions = {name for known in METERS.values() for name in known.dimensions} | {"exchange", "service"}
    if group_by not in GROUPS and group_by not in dimensions:
        raise UnknownGrouping(f"Cannot group by {group_by!r}; use one of {', '.join([*GROUPS, *sorted(dimensions)])}.")
    book = book_of(current())
    value = book_value(book) if book else BookValue("", "EUR", ())
    rows: dict[tuple[str, str], _Sum] = {}
    missing: dict[tuple[str, str], _Sum] = {}
    for period in _months(start, end):
        changes = [version.effective_from for version in value.versions]
        cuts = [period.opened, period.start, period.end, *(at for at in changes if period.opened < at < period.end)]
        samples = {row.value.key: row for row in summed(cuts, meter, group_by)}
        rating = rate((row.value for row in samples.values()), value, period)
        for line in rating.lines:
            _share(line, samples, group_by, rows)
        for sample in rating.unpriced:
            into = (missing if book else rows).setdefault((sample.meter, _group_of(sample, group_by)), _Sum())
            into.add(sample.quantity, 0, samples[sample.key].samples)
    named = things(group for _, group in {*rows, *missing}) if group_by == "subject" else {}
    return {
        "from": start,
        "to": end,
        "currency": book.currency if book else None,
        "total": Money(sum(found.minor for found in rows.values()), value.currency).amount if book else None,
        "group_by": group_by,
        "rows": [_usage_row(key, found, named, value.currency if book else None) for key, found in _ordered(rows)],
        "unpriced": [_usage_row(key, found, named, None) for key, found in _ordered(missing)],
    }


class _Sum:
    """A row of usage while it is added up; money in minor units."""

    def __init__(self) -> None:
        self.quantity, self.minor, self.samples = Decimal(0), 0, 0

    def add(self, quantity: Decimal, minor: int, samples: int) -> None:
        self.quantity += quantity
        self.minor += minor
        self.samples += samples


def _months(start: datetime, end: datetime) -> Iterable[Period]:
    """[start, end) as parts of billing months."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    period = Period.month(start.year, start.month)
    while period.start < end:
        yield period.since(start).until(end)
        period = Period.month(period.end.year, period.end.month)


def _group_of(sample: SampleValue, group_by: str) -> str:
    if group_by == "meter":
        return sample.meter
    if group_by == "subject":
        return sample.subject
    if group_by == "day":
        return f"{sample.window_start:%Y-%m-%d}"
    if group_by == "hour":
        return f"{sample.window_start:%Y-%m-%dT%H}:00:00Z"
    return dict(sample.dimensions).get(group_by, "")


def _share(line: Line, samples: dict[Any, Summed], group_by: str, rows: dict[tuple[str, str], _Sum]) -> None:
    """Add a line to the groups its samples are in; its amount is split by quantity and stays whole."""
    parts: dict[str, _Sum] = {}
    for key in line.samples:
        value, count = samples[key]
        parts.setdefault(_group_of(value, group_by), _Sum()).add(value.quantity, 0, count)
    weights = [part.quantity for part in parts.values()]
    shares = split(line.amount, weights if any(weights) else [Decimal(1)] * len(weights))
    for (group, part), share in zip(parts.items(), shares, strict=True):
        rows.setdefault((line.meter, group), _Sum()).add(part.quantity, share.minor, part.samples)


def _ordered(rows: dict[tuple[str, str], _Sum]) -> list[tuple[tuple[str, str], _Sum]]:
    order = list(METERS)
    return sorted(rows.items(), key=lambda row: (order.index(row[0][0]), row[0][1]))


def _usage_row(
    key: tuple[str, str], found: _Sum, named: dict[str, dict[str, Any]], currency: str | None
) -> dict[str, Any]:
    meter, group = key
    known, thing = METERS[meter], named.get(group)
    return {
        "meter": meter,
        "label": known.label,
        "unit": known.unit,
        "group": group,
        "group_label": known.label if group == meter else thing["title"] if thing else group,
        "thing": thing,
        "quantity": trimmed(found.quantity),
        "amount": Money(found.minor, currency).amount if currency else None,
        "samples": found.samples,
    }
