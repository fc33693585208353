"""Compute a month's draft invoice from its samples."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing import selectors
from billing.core.billing_period import BillingPeriod
from billing.core.decimals import decimal_text
from billing.core.money import sum_money
from billing.core.price_books import Rate
from billing.core.rated_line import RatedLine
from billing.core.rating import rate_samples
from billing.core.samples import SampleValue
from billing.models import Invoice, InvoiceLine, LineSample
from tenants.scope import current_tenant


@transaction.atomic
def update_draft_invoice(month: date, now: datetime) -> Invoice | None:
    """Compute the draft invoice of the calendar month of a date from its samples, and return it.

    Lines that are still charged keep their uid. Return None when the tenant has no price book, and for a month of which
    there is neither a sample nor a draft.
    """
    book = selectors.price_book_of(current_tenant())
    if book is None:
        return None
    period = BillingPeriod.month(month.year, month.month)
    number = f"DRAFT-{month:%Y-%m}"
    has_samples = selectors.has_samples(period.start, period.end)
    if not has_samples and not Invoice.objects.filter(number=number).exists():
        return None
    Invoice.objects.get_or_create(
        number=number,
        defaults={
            "tenant": current_tenant(),
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


def _rate_key(rate: Rate) -> str:
    return ",".join(f"{name}={value}" for name, value in rate.where)


def _write_lines(
    invoice: Invoice, lines: list[RatedLine], rows: list[selectors.StoredSample]
) -> dict[_LineKey, InvoiceLine]:
    """Make the invoice's lines be these; return key → row."""
    existing = {(row.meter, row.subject, row.version_id, row.rate_key): row for row in invoice.lines.all()}
    uids = {row.value.subject: row.item_uid for row in rows}
    written: dict[_LineKey, InvoiceLine] = {}
    for position, line in enumerate(lines, 1):
        key = _line_key(line)
        row = existing.pop(key, None) or InvoiceLine(
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
    InvoiceLine.objects.filter(pk__in=[row.pk for row in existing.values()]).delete()
    return written


def _write_line_samples(
    invoice: Invoice, written: dict[_LineKey, InvoiceLine], lines: list[RatedLine], rows: list[selectors.StoredSample]
) -> None:
    """Make the charged samples of each line be these, touching only what differs."""
    samples = {row.value.key: row.pk for row in rows}
    desired = {samples[key]: written[_line_key(line)].pk for line in lines for key in line.samples}
    existing = dict(LineSample.objects.filter(line__invoice=invoice).values_list("sample_id", "line_id"))
    stale = [sample for sample, line in existing.items() if desired.get(sample) != line]
    if stale:
        LineSample.objects.filter(sample_id__in=stale).delete()
    missing = [
        LineSample(sample_id=sample, line_id=line) for sample, line in desired.items() if existing.get(sample) != line
    ]
    LineSample.objects.bulk_create(missing, batch_size=1000)


def summarise_unpriced(samples: Iterable[SampleValue]) -> list[dict[str, Any]]:
    """Return ``[{"meter", "subject", "quantity", "samples"}]``: what was metered and has no price."""
    groups: dict[tuple[str, str], list[SampleValue]] = {}
    for sample in samples:
        groups.setdefault((sample.meter, sample.subject), []).append(sample)
    return [
        {
            "meter": meter,
            "subject": subject,
            "quantity": decimal_text(sum((sample.quantity for sample in group), start=Decimal(0))),
            "samples": len(group),
        }
        for (meter, subject), group in sorted(groups.items())
    ]
