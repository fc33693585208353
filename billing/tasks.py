"""Metering as tasks: every minute one for each tenant, so that the trouble of one stops no other."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from billing import services
from tenants.doors import tenant_task
from tenants.models import Tenant

LOOK_BACK = timedelta(hours=2)
"""How far back each collection looks, for readings and ends that arrive late."""


@shared_task(name="billing.meter")
def meter() -> None:
    """Wake the metering of every tenant."""
    for slug in Tenant.objects.order_by("pk").values_list("slug", flat=True):
        meter_tenant.apply_async(kwargs={"tenant": slug}, expires=60)


@shared_task(name="billing.meter_tenant")
@tenant_task
def meter_tenant() -> None:
    """Collect the running hour and the one before it, and bring the draft invoice up to date."""
    now = timezone.now()
    services.meter(now - LOOK_BACK, now)
