"""The demo's last month: what the live network would have used, so that pages have a past to show.

The provenance of these samples is ``{"source": "demo"}``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from billing import selectors, services
from billing.core.billing_period import BillingPeriod
from billing.core.meters import METERS, NodeCounter, hourly_usage
from billing.core.samples import HOUR, SampleValue, hour_windows, hours_between
from billing.models import Invoice
from billing.sample_store import MeasuredSample, store_samples
from provisioning.selectors import metering
from provisioning.selectors.metering import ResourceLifetime

BUSY_HOUR_BYTES = {"internet-exit": 5_000_000_000, "aws-vpc": 3_000_000_000}
"""Bytes that a connector of a kind receives in a busy hour; others receive 1.2 GB."""


@transaction.atomic
def ensure_demo_history(now: datetime) -> Invoice | None:
    """Create last month's samples and draft invoice for the tenant in force, unless it has samples of that month."""
    this = BillingPeriod.month(now.astimezone(UTC).year, now.astimezone(UTC).month)
    last = BillingPeriod.month((this.start - HOUR).year, (this.start - HOUR).month)
    if selectors.has_samples(last.start, last.end):
        return None
    store_samples(
        (MeasuredSample(value, {"source": "demo"}) for value in _month_samples(last)), last.start, last.end, now
    )
    return services.update_draft_invoice(last.start.date(), now)


def _month_samples(period: BillingPeriod) -> Iterator[SampleValue]:
    """Yield hours and traffic of what exists now, over the whole period."""
    lifetimes = list(metering.open_lifetimes())
    inspecting = {row.dimensions["service"]: row for row in lifetimes if row.kind == "exchange.instance"}
    for start, end in hour_windows(period.start, period.end):
        inspected = 0
        for row in lifetimes:
            for meter, dimensions in hourly_usage(row.kind, row.dimensions):
                hours = hours_between(start, end)
                yield SampleValue(meter.key, row.address, start, end, hours, tuple(dimensions.items()))
            if row.kind == "exchange.connector":
                count = _bytes_in_hour(row, start)
                inspected += count // 5
                yield _traffic_sample("gb_exchange_out", row.address, start, count, row)
        for service, row in inspecting.items():
            yield _traffic_sample("gb_inspected", f"service/{service}", start, inspected, row)


def _traffic_sample(meter: str, subject: str, hour: datetime, count: int, row: ResourceLifetime) -> SampleValue:
    source, dimensions = METERS[meter].source, METERS[meter].sample_dimensions(row.dimensions)
    assert isinstance(source, NodeCounter), f"{meter} counts traffic"
    return SampleValue(meter, subject, hour, hour + HOUR, source.units(count), tuple(dimensions.items()))


def _bytes_in_hour(row: ResourceLifetime, hour: datetime) -> int:
    """Return the bytes of a working week's hour: busy by day, quiet at night and at weekends.

    Each hour differs a little, but is the same at each call.
    """
    day = Decimal("1") if hour.weekday() < 5 else Decimal("0.35")
    shape = max(Decimal("0.08"), 1 - Decimal(abs(hour.hour - 13)) / 9)
    noise = int.from_bytes(hashlib.blake2b(f"{row.address} {hour:%d %H}".encode(), digest_size=2).digest(), "big")
    busy = BUSY_HOUR_BYTES.get(row.dimensions.get("kind", ""), 1_200_000_000)
    return int(busy * day * shape * (Decimal(noise) / 65_536 + Decimal("0.5")))
