"""The steps of a run: each claimed by a lease, carried out by a driver outside any transaction, recorded only while
the lease is still held. The broker merely wakes; the rows are the truth, so a worker may die anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from provisioning.core.values.resource import resolve_change
from provisioning.drivers import get_driver
from provisioning.drivers.base import Done, DriverContext, DriverError, Waiting
from provisioning.models import Run, Step
from provisioning.services import cloud_accounts, lease, resource_records, runs
from provisioning.services.node_sections import NodeSections
from provisioning.snapshots import resource_state
from tenants import outbox
from tenants.jobs import TenantJob

logger = logging.getLogger(__name__)

MAX_FAILURES = 6
"""Errors that may pass before a step fails; waiting for a slow operation is none."""
MAX_LOG_ENTRIES = 30
MAX_LOST_WAKE_UPS = 100
"""Of a tenant in one sweep. Most ready steps wait in the broker's queue: waking all of them again each time would let
messages grow with the square of the steps."""


StepOutcome = Done | Waiting | DriverError


@dataclass(frozen=True, slots=True)
class StepClaim:
    """A step that this worker holds under the lease ``number``, and what is known of the resources it refers to."""

    step: Step
    number: int
    attributes: Mapping[str, Mapping[str, Any]]


class StepJob(TenantJob[StepClaim, StepOutcome]):
    """Carry out one step of a run.

    1. Claim: take the step if it may begin, if its wait is over or if its lease has lapsed, by one conditional update
       that raises the lease number: of two workers one comes too late. Note that something is being written.
    2. Work: resolve references and ask the driver of the change's kind to apply it, renewing the lease meanwhile.
    3. Record: lock the run; write the outcome only where the step is still running under this lease number.
       Done: write the resource and wake what waited for this step. Waiting, or an error that may pass: look again
       later. Another error: fail the step and skip what can never begin. Then let the run's state follow.
    """

    def claim(self, step: int) -> StepClaim | None:
        return _claim_step(step, timezone.now())

    def work(self, claim: StepClaim) -> StepOutcome:
        context = DriverContext(
            self.tenant.slug,
            claim.attributes,
            cloud_accounts.credentials_lookup(self.in_scope),
            NodeSections(self.in_scope),
        )
        with lease.keep_renewed(self.in_scope, claim.step):
            return _apply_change(claim.step, context)

    def record(self, claim: StepClaim, outcome: StepOutcome) -> None:
        _record_outcome(claim, outcome, timezone.now())


def _apply_change(step: Step, context: DriverContext) -> StepOutcome:
    try:
        change = resolve_change(step.change.as_change, context.attributes)
        change = replace(change, depends=tuple(step.change.resource_depends))
        return get_driver(change.driver).apply(change, context)
    except DriverError as error:
        return error
    except OperationalError as error:
        # The database is away, or rolled this transaction back to end a deadlock: nothing was written; try again.
        logger.warning("step %s is tried again: %s", step.address, error)
        return DriverError("The database did not answer in time.", code="database")
    except Exception as error:
        # A bug in a driver ends its step, where a person sees it, instead of being tried for ever.
        logger.exception("step %s crashed", step.address)
        return DriverError(f"Internal error: {error!r}", code="internal", permanent=True)


def due_steps(now: datetime) -> list[int]:
    """Return steps of the tenant in force that a worker should look at: waits that are over, lapsed leases and, at most
    MAX_LOST_WAKE_UPS at a time, ready steps, whose wake-up may have been lost."""
    steps = Step.objects.filter(run__state__in=Run.ACTIVE)
    ready = steps.filter(state=Step.State.PENDING, waits_for=0).order_by("order")[:MAX_LOST_WAKE_UPS]
    overdue = steps.filter(state=Step.State.WAITING, due_at__lte=now)
    running = steps.filter(state=Step.State.RUNNING)
    lapsed = [step.pk for step in running if lease.has_lapsed(step, now)]
    return [*ready.values_list("pk", flat=True), *overdue.values_list("pk", flat=True), *lapsed]


def wake_waiting_steps(address: str) -> None:
    """Let workers look now at the steps that wait for this address: what they wait for may have happened."""
    for step in Step.objects.filter(address=address, state=Step.State.WAITING, run__state__in=Run.ACTIVE):
        Step.objects.filter(pk=step.pk, state=Step.State.WAITING).update(due_at=timezone.now())
        outbox.enqueue("step", step=step.pk)


def _claim_step(pk: int, now: datetime) -> StepClaim | None:
    related = ("run", "change", "change__before", "change__after")
    step = Step.objects.select_related(*related).filter(pk=pk, run__state__in=Run.ACTIVE).first()
    if step is None:
        return None
    free = Q(state=Step.State.PENDING, waits_for=0) | Q(state=Step.State.WAITING, due_at__lte=now)
    if step.state == Step.State.RUNNING and lease.has_lapsed(step, now):
        # Under this very lease: whoever claims it first raises the number, and the other one comes too late.
        free |= Q(state=Step.State.RUNNING, lease_number=step.lease_number)
    claimed = Step.objects.filter(free, pk=pk).update(
        state=Step.State.RUNNING,
        **lease.next_lease(now),
        attempts=F("attempts") + 1,
        started_at=step.started_at or now,
    )
    if not claimed:
        return None
    step.refresh_from_db(from_queryset=Step.objects.select_related(*related))
    resource_records.record_write_started(step, now)
    if step.run.state == Run.State.PENDING:
        runs.update_run_state(step.run)
    outbox.enqueue("changed", what="run", id=str(step.run.uid), version=step.pk)
    attributes = resource_state.resource_attributes([*step.change.resource_depends, step.address])
    return StepClaim(step, step.lease_number, attributes)


def _record_outcome(claim: StepClaim, outcome: StepOutcome, now: datetime) -> None:
    claimed = Step.objects.filter(pk=claim.step.pk, state=Step.State.RUNNING, lease_number=claim.number)
    run = Run.objects.select_for_update().get(pk=claim.step.run_id)
    if not claimed.exists():
        # The lease lapsed and another worker has the step; its outcome counts.
        logger.warning("step %s: outcome under old lease %s refused", claim.step.address, claim.number)
        return
    match outcome:
        case Done(attributes=attributes, body=body):
            # What is kept is the intent as planned, references and all, so that the next plan compares like with like.
            resource_records.record_write_finished(
                claim.step, claim.step.change.as_change.after if body is not None else None, attributes, now
            )
            log = _extended_log(claim.step, "done", "", now)
            claimed.update(state=Step.State.DONE, finished_at=now, note="", error=None, log=log, lease_until=None)
            runs.wake_dependants(claim.step)
        case Waiting(retry_after=seconds, note=note):
            log = _extended_log(claim.step, "waiting", note, now)
            _schedule_retry(claimed, claim, seconds, now, note=note[:300], error=None, log=log)
        case DriverError() as error:
            reason = {"call": error.call, "code": error.code, "message": error.message}
            failures = claim.step.failures + 1
            log = _extended_log(claim.step, "failed", f"{error.call} {error.code}: {error.message}".strip(), now)
            if error.permanent or failures >= MAX_FAILURES:
                claimed.update(
                    state=Step.State.FAILED, finished_at=now, error=reason, note="", log=log, lease_until=None
                )
                runs.skip_dependants(claim.step)
            else:
                seconds = error.retry_after or min(2.0**failures, 30.0)
                note = f"Trying again in {seconds:.0f} s"
                _schedule_retry(claimed, claim, seconds, now, error=reason, note=note, log=log, failures=failures)
    if run.state == Run.State.CANCELLED:
        return
    runs.update_run_state(run)
    outbox.enqueue("changed", what="run", id=str(run.uid), version=claim.step.pk)


def _extended_log(step: Step, outcome: str, note: str, now: datetime) -> list[dict[str, Any]]:
    """Return the step's log with this attempt: waits for the same are one entry, of the last MAX_LOG_ENTRIES."""
    number, note = step.attempts, note[:300]
    entry = {"first": number, "attempt": number, "at": now.isoformat(), "outcome": outcome, "note": note}
    earlier = list(step.log)
    if outcome == "waiting" and earlier and (earlier[-1]["outcome"], earlier[-1]["note"]) == (outcome, note):
        entry["first"] = earlier.pop()["first"]
    return [*earlier, entry][-MAX_LOG_ENTRIES:]


def _schedule_retry(claimed: QuerySet[Step], claim: StepClaim, seconds: float, now: datetime, **fields: object) -> None:
    claimed.update(state=Step.State.WAITING, due_at=now + timedelta(seconds=seconds), lease_until=None, **fields)
    outbox.enqueue("step", step=claim.step.pk, after=seconds)
