"""Metering tasks: each minute one for each tenant, so that a failure for one tenant stops no other."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing import services
from tenants.jobs import TenantJob, start_for_every_tenant, tenant_task


class MeterJob(TenantJob[None, None]):
    """Meter what a tenant used since the last time, and bring its draft invoices up to date: one transaction."""

    def claim(self) -> None:
        services.meter_usage(timezone.now())


meter_tenant = tenant_task("billing.meter_tenant", MeterJob)


@shared_task(name="billing.meter")
def meter_tenants() -> None:
    """Start the metering of every tenant."""
    start_for_every_tenant(meter_tenant, expires=60)
