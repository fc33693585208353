"""Celery tasks: one line each, the jobs are services. ``wake_*`` are handlers of the outbox (OUTBOX_HANDLERS)."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from provisioning.services import discovery, plans, steps
from tenants import outbox
from tenants.models import Tenant
from tenants.tasks import TenantJob, tenant_task

process_step = tenant_task("provisioning.step", steps.StepJob)
process_plan = tenant_task("provisioning.plan", plans.PlanJob)
discover_account = tenant_task("provisioning.discover", discovery.DiscoveryJob)


class SweepJob(TenantJob[None, None]):
    """Wake the steps and plans of a tenant that a worker should look at."""

    def claim(self) -> None:
        now = timezone.now()
        for step in steps.due_steps(now):
            wake_step(self.tenant.slug, step)
        for plan in plans.due_plans(now):
            wake_plan(self.tenant.slug, plan)


@shared_task(name="provisioning.sweep")
def sweep() -> None:
    """Deliver messages that a crash left behind and, in every tenant, find lapsed leases and lost wake-ups."""
    outbox.deliver_overdue(timezone.now())
    for tenant in Tenant.objects.order_by("pk"):
        SweepJob(tenant).run()


@worker_ready.connect
def sweep_at_start(**kwargs: object) -> None:
    sweep.delay()


def wake_step(tenant: str, step: int, after: float = 0) -> None:
    process_step.apply_async((tenant, step), countdown=after or None)


def wake_plan(tenant: str, plan: int) -> None:
    process_plan.delay(tenant, plan)


def wake_discovery(tenant: str, account: str) -> None:
    discover_account.delay(tenant, account)
