"""Metering tasks: each minute one for each tenant, so that a failure for one tenant stops no other."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing import services
from tenants.models import Tenant
from tenants.tasks import TenantJob, tenant_task


@shared_task(name="billing.meter")
def meter_tenants() -> None:
    """Start the metering of every tenant."""
    for slug in Tenant.objects.order_by("pk").values_list("slug", flat=True):
        meter_tenant.apply_async(kwargs={"tenant": slug}, expires=60)


class MeterJob(TenantJob[None, None]):
    """Meter what a tenant used since the last time, and bring its draft invoices up to date: one transaction."""

    def claim(self) -> None:
        services.meter_usage(timezone.now())


meter_tenant = tenant_task("billing.meter_tenant", MeterJob)
