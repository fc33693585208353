"""Meter a tenant: collect its usage and bring its draft invoices up to date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from billing.metering import collect_samples
from billing.models import Watermark
from billing.sample_store import CollectionResult
from billing.services.draft_invoices import update_draft_invoice
from provisioning.selectors import metering
from tenants.jobs import TenantJob

COLLECTION_OVERLAP = timedelta(hours=2)
"""How far before the watermark each collection begins, for ends and readings that were written late."""


class MeterJob(TenantJob[None, None]):
    """Meter what a tenant used since the last time, and bring its draft invoices up to date: one transaction."""

    def claim(self) -> None:
        meter_usage(timezone.now())


@transaction.atomic
def meter_usage(now: datetime) -> CollectionResult:
    """Collect everything since the last run, however long ago, and update the draft invoices that it touches."""
    Watermark.objects.get_or_create(defaults={"until": metering.first_activity() or now})
    # The row lock makes two workers that meter one tenant do so one after the other.
    watermark = Watermark.objects.select_for_update().get()
    collected = collect_samples(min(watermark.until, now) - COLLECTION_OVERLAP, now, now)
    if any(collected[:3]):
        month = collected.since.astimezone(UTC).date().replace(day=1)
        while month <= now.astimezone(UTC).date():
            update_draft_invoice(month, now)
            month = (month + timedelta(days=31)).replace(day=1)
    watermark.until = max(watermark.until, now)
    watermark.save()
    return collected
