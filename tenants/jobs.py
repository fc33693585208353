"""Background jobs about one tenant, and the scope of a tenant for what runs outside a request's tenant.

How to add a job: README.md, "Adding a background job".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from celery import Task, shared_task
from django.db import OperationalError

from tenants.models import Tenant
from tenants.scope import scope

Claim = TypeVar("Claim")
Outcome = TypeVar("Outcome")
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def in_scope(
    tenant: Tenant, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Call the function in the tenant's scope, in one transaction.

    For what is about several tenants, one after the other (a node's document), or about one that was not there before.
    """
    with scope(tenant):
        return function(*args, **kwargs)


class TenantJob(Generic[Claim, Outcome]):
    """A job in three phases, of which only the slow one runs outside the tenant's scope.

    1. ``claim(*message)``, in the scope and one transaction: take what there is to do and read what the work needs.
       None ends the job: there is nothing to do. A job that is one short transaction does all of it here.
    2. ``work(claim)``, with no scope and no transaction open: call a cloud, compute for seconds.
    3. ``record(claim, outcome)``, in the scope again: write what came of it, if the claim still holds.

    A process may die in any phase and a message may come twice: ``claim`` decides by the rows, never by the message.
    """

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def run(self, *args: Any, **message: Any) -> None:
        claim = self.in_scope(self.claim, *args, **message)
        if claim is None:
            return
        try:
            self.in_scope(self.record, claim, self.work(claim))
        except OperationalError:
            # The database was away: that says nothing about the work, which is claimed again once its lease has lapsed.
            raise
        except Exception as error:
            self.in_scope(self.record_failure, claim, error)

    def claim(self, *args: Any, **message: Any) -> Claim | None:
        raise NotImplementedError

    def work(self, claim: Claim) -> Outcome:
        raise NotImplementedError

    def record(self, claim: Claim, outcome: Outcome) -> None:
        raise NotImplementedError

    def record_failure(self, claim: Claim, error: Exception) -> None:
        """Write that ``work`` or ``record`` raised ``error``; what is not for a person to see is raised again."""
        raise error

    def in_scope(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Call the function in the tenant's scope, in one transaction: also for short looks during ``work``."""
        return in_scope(self.tenant, function, *args, **kwargs)


def tenant_task(name: str, job: type[TenantJob[Any, Any]]) -> Task:
    """Return the Celery task ``name`` that runs the job; a message is the tenant's slug and what ``claim`` takes."""

    @shared_task(name=name)
    def run_job(tenant: str, *args: Any, **message: Any) -> None:
        job(Tenant.objects.get(slug=tenant)).run(*args, **message)

    return run_job


def start_for_every_tenant(task: Task, *, expires: float) -> None:
    """Send one message of ``task``, made by ``tenant_task``, for each tenant: a failure for one stops no other.

    A message that no worker has taken after ``expires`` seconds is dropped, because the next round's replaces it.
    """
    for slug in Tenant.objects.order_by("pk").values_list("slug", flat=True):
        task.apply_async((slug,), expires=expires)
