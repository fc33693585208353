"""Metering as a task: one scope after the other, each hour that is running or has just ended."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from billing import services
from tenants.models import Tenant
from tenants.scope import scope

LOOK_BACK = timedelta(hours=2)
"""How far back each collection looks, for readings and ends that arrive late."""


@shared_task(name="billing.meter")
def meter() -> None:
    now = timezone.now()
    for tenant in Tenant.objects.order_by("pk"):
        with scope(tenant):
            services.meter(now - LOOK_BACK, now)
