"""Celery tasks: one line each, the jobs are services. ``wake_*`` are handlers of the outbox (OUTBOX_HANDLERS)."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from provisioning.services import discovery, list_refresh, list_sources, plans, steps, traffic_rollup
from provisioning.services.drafts import large_documents, lifecycle
from tenants import outbox
from tenants.jobs import TenantJob, start_for_every_tenant, tenant_task

process_step = tenant_task("provisioning.step", steps.StepJob)
process_plan = tenant_task("provisioning.plan", plans.PlanJob)
process_document = tenant_task("provisioning.document", large_documents.DocumentImportJob)
discover_account = tenant_task("provisioning.discover", discovery.DiscoveryJob)
refresh_list = tenant_task("provisioning.refresh", list_refresh.RefreshJob)


Due = tuple[list[int], list[int], list[int], list[str], list[int]]
"""Steps, plans and imports by primary key, accounts to discover by uid, refreshes of lists by primary key."""


class SweepJob(TenantJob[Due, None]):
    """Wake the steps, plans, imports, discoveries and refreshes of a tenant that a worker should look at.

    It does nothing but send the tasks of this module, so it stands here: services know no tasks.
    """

    def claim(self) -> Due:
        now = timezone.now()
        return (
            steps.due_steps(now),
            plans.due_plans(now),
            large_documents.due_imports(now),
            discovery.due_accounts(now),
            list_sources.due_refreshes(now),
        )

    def work(self, claim: Due) -> None:
        due_steps, due_plans, due_imports, due_accounts, due_refreshes = claim
        for step in due_steps:
            wake_step(self.tenant.slug, step)
        for plan in due_plans:
            wake_plan(self.tenant.slug, plan)
        for document_import in due_imports:
            wake_document(self.tenant.slug, document_import)
        for account in due_accounts:
            wake_discovery(self.tenant.slug, account)
        for refresh in due_refreshes:
            wake_refresh(self.tenant.slug, refresh)

    def record(self, claim: Due, outcome: None) -> None:
        """Nothing: those who are woken record what they do."""


purge_tenant = tenant_task("provisioning.purge_tenant", lifecycle.PurgeJob)
sweep_tenant = tenant_task("provisioning.sweep_tenant", SweepJob)
roll_up_tenant = tenant_task("provisioning.roll_up_tenant", traffic_rollup.RollUpJob)


@shared_task(name="provisioning.sweep")
def sweep() -> None:
    """Deliver messages that a crash left behind and, in every tenant, find lapsed leases and lost wake-ups."""
    outbox.deliver_overdue(timezone.now())
    start_for_every_tenant(sweep_tenant, expires=5)


@shared_task(name="provisioning.purge")
def purge() -> None:
    """Delete, in every tenant, what cannot be restored or is not asked for any more."""
    start_for_every_tenant(purge_tenant, expires=3600)


@shared_task(name="provisioning.roll_up")
def roll_up() -> None:
    """Sum, in every tenant, what nodes counted since the last time."""
    start_for_every_tenant(roll_up_tenant, expires=60)


@worker_ready.connect
def sweep_at_start(**kwargs: object) -> None:
    sweep.delay()


def wake_step(tenant: str, step: int, after: float = 0) -> None:
    process_step.apply_async((tenant, step), countdown=after or None)


def wake_plan(tenant: str, plan: int) -> None:
    process_plan.delay(tenant, plan)


def wake_document(tenant: str, document_import: int) -> None:
    process_document.delay(tenant, document_import)


def wake_discovery(tenant: str, account: str) -> None:
    discover_account.delay(tenant, account)


def wake_refresh(tenant: str, refresh: int) -> None:
    refresh_list.delay(tenant, refresh)
