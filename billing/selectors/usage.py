"""Usage and its cost, between any two instants and by any grouping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.core.billing_period import BillingPeriod
from billing.core.decimals import strip_trailing_zeros
from billing.core.meters import METERS, all_dimensions, meter_order
from billing.core.money import Money, allocate, round_to_minor
from billing.core.price_books import PriceBookValue as BookValue
from billing.core.rated_line import RatedLine
from billing.core.rating import rate_samples
from billing.core.samples import SampleValue
from billing.selectors.cost_owners import OWNER_GROUPINGS, CostOwner, owners_of
from billing.selectors.price_books import price_book_of, price_book_value
from billing.selectors.samples import SummedSample, sum_samples
from billing.selectors.subjects import describe_subjects
from tenants.scope import current_tenant

USAGE_GROUPINGS = ("meter", "subject", "day", "hour")
"""By what usage can be grouped, besides tags, segments, groups and any dimension of a sample (size, exchange, …)."""


EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MAX_PERIOD = timedelta(days=400)
"""Of one report."""


class UnusablePeriod(ValueError):
    """There is no report of such a period; ``field`` (``from`` or ``to``) is wrong, the message says what is right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_period(start: datetime, end: datetime) -> None:
    """Raise UnusablePeriod where there is no report of [start, end). Until then no date may be calculated with."""
    for field, moment in (("from", start), ("to", end)):
        if not EARLIEST <= moment <= LATEST:
            raise UnusablePeriod(field, f"“{field}” has to be in the years {EARLIEST.year} to {LATEST.year - 1}.")
    if not start <= end <= start + MAX_PERIOD:
        raise UnusablePeriod("to", f"“to” comes after “from”, at most {MAX_PERIOD.days} days.")


class UnknownGrouping(ValueError):
    """Usage cannot be grouped or filtered like that; the message names what can."""


def usage_report(start: datetime, end: datetime, meter: str | None = None, group_by: str = "meter") -> dict[str, Any]:
    """Return what was used in [start, end) and what it costs by the price book versions in force.

    ``{"from", "to", "currency", "total", "group_by", "rows": [{"meter", "label", "unit", "group", "group_label",
    "thing", "quantity", "amount", "samples"}], "unpriced": same without amount}``; rows in order of meter, then
    group. ``group`` is the meter, the subject's address, an ISO day or hour, a dimension's value, or the uid of a
    billing tag, segment or group as the network was at ``end`` ("" where there is none; cost that belongs to several
    is split evenly). ``thing`` only when grouped by subject. Without a price book, amount, currency and total are None.
    Raises UnknownGrouping for an unknown meter or grouping.
    """
    if meter is not None and meter not in METERS:
        raise UnknownGrouping(f"Meter {meter!r} is not known; use one of {', '.join(METERS)}.")
    groupings = [*USAGE_GROUPINGS, *OWNER_GROUPINGS, *sorted(all_dimensions())]
    if group_by not in groupings:
        raise UnknownGrouping(f"Cannot group by {group_by!r}; use one of {', '.join(groupings)}.")
    if group_by in OWNER_GROUPINGS:
        return _report_by_owner(usage_report(start, end, meter, "subject"), group_by, end)
    book = price_book_of(current_tenant())
    value = price_book_value(book) if book else BookValue("", "EUR", ())
    rows: dict[tuple[str, str], _UsageTotal] = {}
    unpriced: dict[tuple[str, str], _UsageTotal] = {}
    for period in _billing_periods(start, end):
        changes = [version.effective_from for version in value.versions]
        cuts = [period.opened, period.start, period.end, *(at for at in changes if period.opened < at < period.end)]
        samples = {row.value.key: row for row in sum_samples(cuts, meter, group_by)}
        rating = rate_samples((row.value for row in samples.values()), value, period)
        for line in rating.lines:
            _allocate_line(line, samples, group_by, rows)
        for sample in rating.unpriced:
            totals = unpriced if book else rows
            total = totals.setdefault((sample.meter, _group_key(sample, group_by)), _UsageTotal())
            total.add(sample.quantity, 0, samples[sample.key].samples)
    things = describe_subjects(group for _, group in {*rows, *unpriced}) if group_by == "subject" else {}
    currency = book.currency if book else None
    return {
        "from": start,
        "to": end,
        "currency": currency,
        "total": Money(sum(total.minor for total in rows.values()), currency).amount if currency else None,
        "group_by": group_by,
        "rows": [_usage_row(key, total, things, currency) for key, total in _in_meter_order(rows)],
        "unpriced": [_usage_row(key, total, things, None) for key, total in _in_meter_order(unpriced)],
    }


def _report_by_owner(report: dict[str, Any], grouping: str, at: datetime) -> dict[str, Any]:
    """Return a report by subject as one by owner; amounts are split to the cent and their sum stays what it is."""
    subjects = {row["group"] for part in ("rows", "unpriced") for row in report[part]}
    owners = owners_of(subjects, grouping, at)
    return {
        **report,
        "group_by": grouping,
        **{part: _split_rows(report[part], owners, report["currency"]) for part in ("rows", "unpriced")},
    }


def _split_rows(
    rows: Iterable[dict[str, Any]], owners: Mapping[str, list[CostOwner]], currency: str | None
) -> list[dict[str, Any]]:
    totals: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        sharing = owners[row["group"]]
        amounts: list[Decimal | None] = [None] * len(sharing)
        if row["amount"] is not None and currency:
            parts = allocate(round_to_minor(row["amount"], currency), [Decimal(1)] * len(sharing))
            amounts = [part.amount for part in parts]
        for owner, amount in zip(sharing, amounts, strict=True):
            total = totals.setdefault(
                (row["meter"], owner.uid),
                {**row, "group": owner.uid, "group_label": owner.name, "thing": None}
                | {"quantity": Decimal(0), "samples": 0, "amount": None if amount is None else Decimal(0)},
            )
            total["quantity"] += row["quantity"] / len(sharing)
            total["samples"] += row["samples"]
            if amount is not None:
                total["amount"] += amount
    order = meter_order()
    split = sorted(totals.values(), key=lambda row: (order[row["meter"]], not row["group"], row["group_label"]))
    return [{**row, "quantity": strip_trailing_zeros(round(row["quantity"], 9))} for row in split]


class _UsageTotal:
    """A row of usage while it is added up; money in minor units."""

    def __init__(self) -> None:
        self.quantity, self.minor, self.samples = Decimal(0), 0, 0

    def add(self, quantity: Decimal, minor: int, samples: int) -> None:
        self.quantity += quantity
        self.minor += minor
        self.samples += samples


def _billing_periods(start: datetime, end: datetime) -> Iterable[BillingPeriod]:
    """Yield [start, end) cut into parts of billing months."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    period = BillingPeriod.month(start.year, start.month)
    while period.start < end:
        yield period.since(start).until(end)
        period = BillingPeriod.month(period.end.year, period.end.month)


def _group_key(sample: SampleValue, group_by: str) -> str:
    if group_by == "meter":
        return sample.meter
    if group_by == "subject":
        return sample.subject
    if group_by == "day":
        return f"{sample.window_start:%Y-%m-%d}"
    if group_by == "hour":
        return f"{sample.window_start:%Y-%m-%dT%H}:00:00Z"
    return dict(sample.dimensions).get(group_by, "")


def _allocate_line(
    line: RatedLine, samples: dict[Any, SummedSample], group_by: str, rows: dict[tuple[str, str], _UsageTotal]
) -> None:
    """Add a line to the groups its samples are in; its amount is split by quantity and stays whole."""
    parts: dict[str, _UsageTotal] = {}
    for key in line.samples:
        value, count = samples[key]
        parts.setdefault(_group_key(value, group_by), _UsageTotal()).add(value.quantity, 0, count)
    weights = [part.quantity for part in parts.values()]
    shares = allocate(line.amount, weights if any(weights) else [Decimal(1)] * len(weights))
    for (group, part), share in zip(parts.items(), shares, strict=True):
        rows.setdefault((line.meter, group), _UsageTotal()).add(part.quantity, share.minor, part.samples)


def _in_meter_order(rows: dict[tuple[str, str], _UsageTotal]) -> list[tuple[tuple[str, str], _UsageTotal]]:
    order = meter_order()
    return sorted(rows.items(), key=lambda row: (order[row[0][0]], row[0][1]))


def _usage_row(
    key: tuple[str, str], total: _UsageTotal, things: dict[str, dict[str, Any]], currency: str | None
) -> dict[str, Any]:
    meter, group = METERS[key[0]], key[1]
    thing = things.get(group)
    return {
        "meter": meter.key,
        "label": meter.label,
        "unit": meter.unit,
        "group": group,
        "group_label": meter.label if group == meter.key else thing["title"] if thing else group,
        "thing": thing,
        "quantity": strip_trailing_zeros(total.quantity),
        "amount": Money(total.minor, currency).amount if currency else None,
        "samples": total.samples,
    }
