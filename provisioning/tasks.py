"""Celery tasks: one line each; the doors and services do the rest. ``wake_*`` are the outbox's handlers."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from provisioning.services import accounts, plans, steps
from tenants import outbox
from tenants.models import Tenant
from tenants.scope import scope


@shared_task(name="provisioning.step")
def process_step(tenant: str, step: int) -> None:
    steps.process_step(Tenant.objects.get(slug=tenant), step)


@shared_task(name="provisioning.plan")
def process_plan(tenant: str, plan: int) -> None:
    plans.process_plan(Tenant.objects.get(slug=tenant), plan)


@shared_task(name="provisioning.discover")
def discover_account(tenant: str, account: str) -> None:
    accounts.run_discovery(Tenant.objects.get(slug=tenant), account)


@shared_task(name="provisioning.sweep")
def sweep() -> None:
    """Find lapsed leases, lost wake-ups and messages a crash left behind, in every tenant."""
    now = timezone.now()
    outbox.deliver_overdue(now)
    for tenant in Tenant.objects.order_by("pk"):
        with scope(tenant):
            due, unplanned = steps.due_steps(now), plans.due_plans(now)
        for pk in due:
            wake_step(tenant.slug, pk)
        for pk in unplanned:
            wake_plan(tenant.slug, pk)


@worker_ready.connect
def sweep_at_start(**kwargs: object) -> None:
    sweep.delay()


def wake_step(tenant: str, step: int, after: float = 0) -> None:
    process_step.apply_async((tenant, step), countdown=after or None)


def wake_plan(tenant: str, plan: int) -> None:
    process_plan.delay(tenant, plan)


def wake_discovery(tenant: str, account: str) -> None:
    discover_account.delay(tenant, account)
