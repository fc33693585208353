"""Billing's verbs: meter, compute a month's draft invoice, publish prices, price a plan. All but ``publish`` work in
the scope of the tenant in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from billing import selectors
from billing.core import estimate, price_books
from billing.core.money import sum_money
from billing.core.prices import InvalidPrice, decimal_text
from billing.core.rating import BillingPeriod, RatedLine, rate_samples
from billing.core.samples import SampleValue
from billing.metering import CollectionResult, collect_samples
from billing.models import Invoice, InvoiceLine, LineSample, PriceBook, PriceBookVersion, Watermark
from provisioning.core.values.resource import Resource
from provisioning.models import CounterReading, Lifecycle, ResourceRecord
from tenants.models import Tenant
from tenants.scope import current

COLLECTION_OVERLAP = timedelta(hours=2)
"""How far before the watermark each collection begins, for ends and readings that were written late."""


@transaction.atomic
def meter_usage(now: datetime) -> CollectionResult:
    """Collect everything since the last time, however long ago, and bring the draft invoices it touches up to date."""
    Watermark.objects.get_or_create(defaults={"until": _first_activity(now)})
    # The lock: two workers that meter one tenant do so one after the other.
    mark = Watermark.objects.select_for_update().get()
    collected = collect_samples(min(mark.until, now) - COLLECTION_OVERLAP, now, now)
    if any(collected[:3]):
        month = collected.since.astimezone(UTC).date().replace(day=1)
        while month <= now.astimezone(UTC).date():
            update_draft_invoice(month, now)
            month = (month + timedelta(days=31)).replace(day=1)
    mark.until = max(mark.until, now)
    mark.save()
    return collected


def _first_activity(now: datetime) -> datetime:
    """When the tenant's first thing came to be, or its first counter was read."""
    firsts = [
        Lifecycle.objects.aggregate(at=Min("started_at"))["at"],
        CounterReading.objects.aggregate(at=Min("at"))["at"],
    ]
    return min((first for first in firsts if first), default=now)


@transaction.atomic
def update_draft_invoice(month: date, now: datetime) -> Invoice | None:
    """The draft invoice of a calendar month (any date in it), computed from its samples as they are.

    Lines that are still charged keep their uid. None where the tenant has no price book.
    """
    book = selectors.price_book_of(current())
    if book is None:
        return None
    period = BillingPeriod.month(month.year, month.month)
    number = f"DRAFT-{month:%Y-%m}"
    Invoice.objects.get_or_create(
        number=number,
        defaults={
            "tenant": current(),
            "book": book,
            "seller_name": book.seller_name,
            "currency": book.currency,
            "period_start": period.start,
            "period_end": period.end,
            "computed_at": now,
        },
    )
    # Two workers may compute one draft at once: the second waits here, before it reads, so the newer result stays.
    invoice = Invoice.objects.select_for_update().get(number=number)
    rows = selectors.load_samples(period.start, period.end)
    rating = rate_samples((row.value for row in rows), selectors.price_book_value(book), period)
    lines = _write_lines(invoice, rating.lines, rows)
    _write_line_samples(invoice, lines, rating.lines, rows)
    invoice.total_minor = sum_money((line.amount for line in rating.lines), invoice.currency).minor
    invoice.sample_count = len(rows)
    invoice.unpriced = summarise_unpriced(rating.unpriced)
    invoice.computed_at = now
    invoice.save()
    return invoice


_LineKey = tuple[str, str, int, str]


def _line_key(line: RatedLine) -> _LineKey:
    return line.meter, line.subject, int(line.version), _rate_key(line.rate)


def _rate_key(rate: price_books.Rate) -> str:
    return ",".join(f"{name}={value}" for name, value in rate.where)


def _write_lines(
    invoice: Invoice, lines: list[RatedLine], rows: list[selectors.StoredSample]
) -> dict[_LineKey, InvoiceLine]:
    """Make the invoice's lines be these; key → row."""
    there = {(row.meter, row.subject, row.version_id, row.rate_key): row for row in invoice.lines.all()}
    uids = {row.value.subject: row.item_uid for row in rows}
    written: dict[_LineKey, InvoiceLine] = {}
    for position, line in enumerate(lines, 1):
        key = _line_key(line)
        row = there.pop(key, None) or InvoiceLine(
            invoice=invoice, meter=line.meter, subject=line.subject, version_id=key[2], rate_key=key[3]
        )
        row.position, row.label, row.item_uid = position, line.label, uids.get(line.subject)
        row.dimensions, row.price = dict(line.dimensions), line.rate.price.to_data()
        row.quantity, row.unit, row.unit_price = line.quantity, line.unit, line.unit_price
        row.bands = [band.to_data() for band in line.bands]
        row.pool_quantity, row.pool_minor = line.pool_quantity, line.pool_amount.minor
        row.amount_minor, row.explanation, row.sample_count = line.amount.minor, line.explanation, len(line.samples)
        row.save()
        written[key] = row
    InvoiceLine.objects.filter(pk__in=[row.pk for row in there.values()]).delete()
    return written


def _write_line_samples(
    invoice: Invoice, written: dict[_LineKey, InvoiceLine], lines: list[RatedLine], rows: list[selectors.StoredSample]
) -> None:
    """Make the charged samples of each line be these, touching only what differs."""
    samples = {row.value.key: row.pk for row in rows}
    wanted = {samples[key]: written[_line_key(line)].pk for line in lines for key in line.samples}
    there = dict(LineSample.objects.filter(line__invoice=invoice).values_list("sample_id", "line_id"))
    stale = [sample for sample, line in there.items() if wanted.get(sample) != line]
    if stale:
        LineSample.objects.filter(sample_id__in=stale).delete()
    missing = [
        LineSample(sample_id=sample, line_id=line) for sample, line in wanted.items() if there.get(sample) != line
    ]
    LineSample.objects.bulk_create(missing, batch_size=1000)


def summarise_unpriced(samples: Iterable[SampleValue]) -> list[dict[str, Any]]:
    """``[{"meter", "subject", "quantity", "samples"}]``: what was metered and has no price, so that nobody overlooks
    it."""
    found: dict[tuple[str, str], list[SampleValue]] = {}
    for sample in samples:
        found.setdefault((sample.meter, sample.subject), []).append(sample)
    return [
        {
            "meter": meter,
            "subject": subject,
            "quantity": decimal_text(sum((sample.quantity for sample in group), start=type(group[0].quantity)(0))),
            "samples": len(group),
        }
        for (meter, subject), group in sorted(found.items())
    ]


def publish_version(
    book: PriceBook, effective_from: datetime, rates: list[price_books.Rate], *, note: str = "", author: str = ""
) -> PriceBookVersion:
    """Add a dated version to a book. InvalidPrice when it is not later than the newest, or two rates ask for the
    same."""
    newest = book.versions.order_by("-effective_from").first()
    if newest and effective_from <= newest.effective_from:
        raise InvalidPrice(
            f"{book.name} has prices from {newest.effective_from:%Y-%m-%d %H:%M} UTC; a new version must begin later."
        )
    price_books.PriceBookVersionValue("new", effective_from, tuple(rates))
    return PriceBookVersion.objects.create(
        book=book,
        number=newest.number + 1 if newest else 1,
        effective_from=effective_from,
        rates=[rate.to_data() for rate in rates],
        note=note,
        author=author,
    )


def copy_price_book(tenant: Tenant, like: str, at: datetime) -> PriceBook:
    """A tenant's first price book: the prices now in force in the book of that name, of the same seller.

    Raises InvalidPrice when the seller has no such book, or it has no prices yet.
    """
    model = PriceBook.objects.filter(seller=tenant.msp, buyer_tenant__isnull=False, name=like).first()
    version = model.versions.filter(effective_from__lte=at).order_by("-effective_from").first() if model else None
    if model is None or version is None:
        raise InvalidPrice(f"There is no price book “{like}” with prices in force.")
    seller = tenant.msp.name if tenant.msp else "Causeway"
    book = PriceBook.objects.create(
        name=f"{seller} for {tenant.name}"[:120], currency=model.currency, seller=tenant.msp, buyer_tenant=tenant
    )
    publish_version(book, at, [price_books.Rate.from_data(rate) for rate in version.rates], note=f"As {like}"[:200])
    return book


def price_plan(before: Iterable[Resource], after: Iterable[Resource], at: datetime | None = None) -> dict[str, Any]:
    """The cost of a plan each month of 730 hours, JSON-able; named in the settings as PLAN_PRICER.

    ``{"currency", "monthly_before", "monthly_after", "difference", "price_book", "hours", "lines": [{"subject",
    "label", "meter", "unit", "before", "after", "amount"}], "unpriced": […]}``. Lines are only what differs and add
    up to ``difference``; their ``before`` and ``after`` are null or ``{"label", "quantity", "unit_price", "amount",
    "explanation"}``; ``subject`` as in ``selectors.things``. Without a price book the amounts are null and ``note``
    says so. Gigabytes are not foreseen here.
    """
    book = selectors.price_book_of(current())
    if book is None:
        note = f"{current().name} has no price book; ask your provider for one."
        return {"currency": None, "monthly_before": None, "monthly_after": None, "lines": [], "note": note}
    at = at or timezone.now()
    value = selectors.price_book_value(book)
    compared = estimate.compare_costs(before, after, value, at)
    version = value.version_at(at)
    things = selectors.describe_subjects(
        line.subject for found in compared.lines for line in found[:2] if line is not None
    )
    return {
        "currency": book.currency,
        "monthly_before": str(compared.before.amount),
        "monthly_after": str(compared.after.amount),
        "difference": str((compared.after - compared.before).amount),
        "price_book": f"{book.name} {version.effective_from:%Y-%m-%d}" if version else book.name,
        "hours": str(estimate.MONTH_HOURS),
        "lines": [_plan_line(found, things) for found in compared.lines],
        "unpriced": summarise_unpriced(compared.unpriced),
    }


def estimate_live_cost() -> dict[str, Any]:
    """What the network that is there costs each month: as ``price_plan``, with a line for every thing."""
    there = ResourceRecord.objects.all()
    return price_plan([], [Resource(record.address, record.kind, record.body) for record in there])


def _plan_line(found: estimate.CostDifference, things: dict[str, dict[str, Any]]) -> dict[str, Any]:
    line = found.after or found.before
    assert line is not None
    return {
        "subject": things[line.subject],
        "label": line.label,
        "meter": line.meter,
        "unit": line.unit,
        "before": _plan_line_side(found.before),
        "after": _plan_line_side(found.after),
        "amount": str(found.amount.amount),
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
