"""Plans: ordered, computed, approved by their digest, found stale.

A small network is planned at once. A large one is left to a worker, and so is one that writes in a cloud account into
which nobody looked just now: the worker looks. The plan is ``computing`` until a worker, which holds it by a lease, has
kept what it computed, or the plan has failed and says why. A worker may die anywhere; the sweep finds its plan.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem, as_json
from provisioning.errors import Forbidden, StateConflict, ValidationFailed
from provisioning.models import Draft, Plan
from provisioning.selectors import plan_state
from provisioning.selectors.plans import plan_authors
from provisioning.services import discovery, lease, plan_computation
from provisioning.services.drafts import lifecycle
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.services.plan_computation import PlanInputs, PlanResult
from provisioning.snapshots import queries, tenant_cache
from tenants import actor, audit, notifications, outbox, scope
from tenants.actor import acting
from tenants.jobs import TenantJob

logger = logging.getLogger(__name__)

SYNCHRONOUS_LIMIT = 3000
"""Objects of the largest network that is planned inside the request."""
MAX_ATTEMPTS = 3
SUPERSEDED = "A newer plan of this draft was made."
INTERNAL_ERROR = (
    "The portal failed while it computed this plan. Plan again; if it happens again, tell the operator the id."
)
WORKERS_LOST = "The workers that computed this plan stopped. Plan again; if it happens again, ask the operator."


def create_plan(draft: Draft) -> Plan:
    """Create the plan of a draft, after rebasing it onto what is live; ``computing`` where it is left to a worker.

    It is ``failed``, with everything it would do, where an assertion fails. Raises StateConflict where the draft cannot
    be rebased and, for a small network, ValidationFailed where it is invalid, a quota is exceeded or the cloud, into
    which somebody looked just now, holds something of somebody else in the way.
    """
    draft = rebase_draft(draft)
    large = len(tenant_cache.load_objects(queries.snapshot_of_draft(draft))) > SYNCHRONOUS_LIMIT
    author = actor.current_actor()
    plan = Plan(
        draft=draft,
        draft_version=draft.version,
        base_revision=draft.base_revision,
        author=author.email,
        acting_as=author.acting_as,
    )
    if not large:
        inputs = plan_computation.load_inputs(draft)
        result = plan_computation.compute_plan(inputs)
    if large or discovery.accounts_to_observe(result.changes, timezone.now()):
        lifecycle.withdraw_plans(draft, SUPERSEDED)
        plan.progress = "Waiting for a worker"
        plan.save()
        outbox.enqueue("plan", plan=plan.pk)
    else:
        plan_computation.refuse_conflicts(result.changes)
        lifecycle.withdraw_plans(draft, SUPERSEDED)
        plan_computation.save_plan(plan, inputs, result)
    _announce(plan, "plan.make")
    return plan


class _ComputationAbandoned(Exception):
    """Nobody waits for this computation: its plan was rejected or superseded, or another worker has it."""


class PlanJob(TenantJob[Plan, tuple[PlanInputs, PlanResult]]):
    """Compute the plan of a large network, or of one that writes in a cloud.

    1. Claim: take the plan if it is computing and no worker's lease on it runs, by one conditional update that raises
       the lease number: of two workers one comes too late. A plan whose workers died MAX_ATTEMPTS times fails.
    2. Work: read what it is computed from, in one short transaction; compute, renewing the lease and writing the
       progress meanwhile; look into the cloud accounts that it would write in. Where the plan is not wanted any more,
       writing the progress stops the work.
    3. Record: lock draft and plan; where the plan is still computing under this lease number, write the result: the
       plan is ready, or stale if something moved meanwhile.
    4. Whatever was raised fails the plan: with its problems where the network is invalid, else as an internal error.
    """

    def claim(self, plan: int) -> Plan | None:
        return _claim_plan(plan, timezone.now())

    def work(self, plan: Plan) -> tuple[PlanInputs, PlanResult]:
        def progress(activity: str) -> None:
            self.in_scope(_record_progress, plan, activity)

        with lease.keep_renewed(self.in_scope, plan):
            inputs = self.in_scope(_load_inputs, plan)
            result = plan_computation.compute_plan(inputs, progress)
            if accounts := self.in_scope(discovery.accounts_to_observe, result.changes, timezone.now()):
                progress(f"Looking into {', '.join(account.name for account in accounts)}")
                unseen = discovery.observe_accounts(self.in_scope, accounts)
                result = replace(result, warnings=[*result.warnings, *unseen])
            self.in_scope(plan_computation.refuse_conflicts, result.changes)
            return inputs, result

    def record(self, plan: Plan, outcome: tuple[PlanInputs, PlanResult]) -> None:
        with acting(plan.actor):
            _record_result(plan, *outcome)

    def record_failure(self, plan: Plan, error: Exception) -> None:
        match error:
            case _ComputationAbandoned():
                logger.info("plan %s is not wanted any more", plan.uid)
                return
            case ValidationFailed() | core.InvalidIntent():
                problems = list(error.problems)
            case _:
                # A bug ends its plan, where a person sees it, instead of being tried for ever.
                logger.error("plan %s crashed", plan.uid, exc_info=error)
                problems = [Problem("internal", f"plans/{plan.uid}", INTERNAL_ERROR)]
        with acting(plan.actor):
            if claimed := _lock_claimed(plan):
                _mark_failed(claimed, problems)


def due_plans(now: datetime) -> list[int]:
    """Return plans that a worker should compute: the wake-up was lost, or the worker died."""
    computing = Plan.objects.filter(state=Plan.State.COMPUTING)
    return [
        plan.pk
        for plan in computing
        if (lease.has_lapsed(plan, now) if plan.lease_number else plan.created_at < now - lease.WAKE_UP_TIMEOUT)
    ]


def _claim_plan(pk: int, now: datetime) -> Plan | None:
    plan = Plan.objects.select_related("draft").filter(pk=pk, state=Plan.State.COMPUTING).first()
    if plan is None or (plan.lease_number and not lease.has_lapsed(plan, now)):
        return None
    if plan.lease_number >= MAX_ATTEMPTS:
        with acting(plan.actor):
            _mark_failed(plan, [Problem("worker_lost", "", WORKERS_LOST)])
        return None
    claimed = Plan.objects.filter(pk=pk, state=Plan.State.COMPUTING, lease_number=plan.lease_number).update(
        **lease.next_lease(now)
    )
    if not claimed:
        return None
    plan.refresh_from_db()
    return plan


def _load_inputs(plan: Plan) -> PlanInputs:
    return plan_computation.load_inputs(plan.draft)


def _record_progress(plan: Plan, activity: str) -> None:
    claimed = Plan.objects.filter(pk=plan.pk, lease_number=plan.lease_number, state=Plan.State.COMPUTING)
    if not claimed.update(progress=activity):
        raise _ComputationAbandoned
    outbox.enqueue("changed", what="plan", id=str(plan.uid), version=plan.lease_number)


def _lock_claimed(plan: Plan) -> Plan | None:
    """Return the plan as it is now, locked; None where it is not this worker's to write any more."""
    locked = Plan.objects.select_for_update().get(pk=plan.pk)
    return locked if locked.state == Plan.State.COMPUTING and locked.lease_number == plan.lease_number else None


def _record_result(plan: Plan, inputs: PlanInputs, result: PlanResult) -> None:
    draft = Draft.objects.select_for_update().get(pk=plan.draft_id)
    claimed = _lock_claimed(plan)
    if claimed is None:
        raise _ComputationAbandoned
    plan_computation.save_plan(claimed, inputs, result)
    moved = plan_state.staleness_reasons(claimed, draft)
    if moved and claimed.state == Plan.State.READY:
        Plan.objects.filter(pk=claimed.pk).update(state=Plan.State.STALE, moved=moved)
    _announce(claimed, f"plan.{'fail' if claimed.state == Plan.State.FAILED else 'ready'}")


def _mark_failed(plan: Plan, problems: list[Problem]) -> None:
    plan.state, plan.problems, plan.progress, plan.lease_until = Plan.State.FAILED, as_json(problems), "", None
    plan.save(update_fields=["state", "problems", "progress", "lease_until"])
    _announce(plan, "plan.fail")


def _announce(plan: Plan, action: str) -> None:
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.enqueue("changed", what="plan", id=str(plan.uid), version=1)


def approve_plan(plan: Plan) -> Plan:
    """Approve a plan; raise Forbidden for those who made it or wrote its edits, because it takes a second person."""
    return _record_decision(plan, Plan.State.APPROVED, "plan.approve")


def reject_plan(plan: Plan) -> Plan:
    """Reject a plan; one that is still computing is not computed further."""
    return _record_decision(plan, Plan.State.REJECTED, "plan.reject")


def _record_decision(plan: Plan, state: Plan.State, action: str) -> Plan:
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    decidable = (Plan.State.READY, Plan.State.COMPUTING) if state == Plan.State.REJECTED else (Plan.State.READY,)
    if plan.state not in decidable:
        raise StateConflict(f"The plan is {plan.state}; only one that is {' or '.join(decidable)} can be {state}.")
    if state == Plan.State.APPROVED and actor.current_actor().email in plan_authors(plan):
        raise Forbidden("Nobody approves their own plan, or one of edits that they wrote; ask another person.")
    plan.state, plan.decided_by, plan.decided_at, plan.progress = state, actor.current_actor().email, timezone.now(), ""
    plan.save(update_fields=["state", "decided_by", "decided_at", "progress"])
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.enqueue("changed", what="plan", id=str(plan.uid), version=2)
    if plan.author != plan.decided_by:
        text = f"{plan.decided_by} {state} your plan of {plan.draft.name}"
        notifications.notify(notifications.people_named(plan.author), "plan_decided", text, f"plans/{plan.uid}/")
    return plan


def request_decision(plan: Plan) -> list[str]:
    """Ask those who can for what the plan waits for, approval or provisioning; return their mail addresses.

    Raises StateConflict where the plan waits for nobody, or nobody else can.
    """
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    waits_for_approval = scope.current_tenant().requires_approval and plan.state == Plan.State.READY
    if plan.state not in (Plan.State.READY, Plan.State.APPROVED):
        raise StateConflict(f"The plan is {plan.state}; nobody has to decide about it.")
    asking = actor.current_actor().email
    word, excluded = ("approve", plan_authors(plan) | {asking}) if waits_for_approval else ("provision", {asking})
    people = [person for person in notifications.people_with(word) if person.email not in excluded]
    if not people:
        raise StateConflict(f"Nobody else here may {word} this plan. Ask an owner to invite somebody who may.")
    event = "approval_requested" if waits_for_approval else "provisioning_requested"
    text = f"{asking} asks you to {word} the plan of {plan.draft.name}"
    told = notifications.notify(people, event, text, f"plans/{plan.uid}/")
    if told:
        audit.record(
            "plan.request",
            kind="plan",
            object_id=str(plan.uid),
            object_name=plan.draft.name,
            after={"asked": [person.email for person in told], "for": word},
        )
    return [person.email for person in people]
