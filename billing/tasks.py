"""Metering tasks: each minute one for each tenant, so that a failure for one tenant stops no other."""

from __future__ import annotations

from celery import shared_task

from billing.services import MeterJob
from tenants.jobs import start_for_every_tenant, tenant_task

meter_tenant = tenant_task("billing.meter_tenant", MeterJob)


@shared_task(name="billing.meter")
def meter_tenants() -> None:
    """Start the metering of every tenant."""
    start_for_every_tenant(meter_tenant, expires=60)
