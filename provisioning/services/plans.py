"""Plans: ordered, computed, approved by their digest, found stale.

A small network is planned at once. A large one is left to a worker: the plan is ``computing`` until a worker, which
holds it by a lease, has kept what it computed, or the plan has failed and says why. A worker may die anywhere; the
sweep finds its plan.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem, as_json
from provisioning.errors import Forbidden, StateConflict, ValidationFailed
from provisioning.models import Draft, Plan, Revision, Run
from provisioning.services import lease, plan_computation, resource_state
from provisioning.services.drafts import editing
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.snapshots import queries, tenant_cache
from tenants import actor, audit, outbox
from tenants.actor import Actor, acting
from tenants.models import Tenant
from tenants.scope import scope

logger = logging.getLogger(__name__)

SYNCHRONOUS_LIMIT = 3000
"""Objects of a network that is planned while the one who asks waits."""
MAX_ATTEMPTS = 3
WAKE_UP_TIMEOUT = timedelta(seconds=5)
"""After so long a plan that nobody has begun to compute is woken again."""
COMPUTED_STATES = (Plan.State.READY, Plan.State.APPROVED)
"""Whether the world moved since is asked anew each time they are shown."""
SUPERSEDED = "A newer plan of this draft was made."


def create_plan(draft: Draft) -> Plan:
    """The plan of a draft, moved onto what is live first; ``computing`` where the network is large.

    Raises Conflict when the draft cannot be rebased, and for a small network Invalid when it is invalid or an
    assertion fails.
    """
    draft = rebase_draft(draft)
    large = len(tenant_cache.load_objects(queries.snapshot_of_draft(draft))) > SYNCHRONOUS_LIMIT
    plan = Plan(
        draft=draft, draft_version=draft.version, base_revision=draft.base_revision, author=actor.current().email
    )
    if large:
        editing.withdraw_plans(draft, SUPERSEDED)
        plan.progress = "Waiting for a worker"
        plan.save()
        outbox.enqueue("plan", plan=plan.pk)
    else:
        found = plan_computation.load_inputs(draft)
        computed = plan_computation.compute_plan(found)
        editing.withdraw_plans(draft, SUPERSEDED)
        plan_computation.save_plan(plan, found, computed)
    _announce(plan, "plan.make")
    return plan


def process_plan(tenant: Tenant, pk: int) -> None:
    """Compute a plan that waits for it, unless another worker holds it."""
    with scope(tenant):
        plan = _claim_plan(pk, timezone.now())
    if plan is None:
        return
    try:
        with lease.keep_renewed(tenant, plan):
            found, computed = _compute_claimed(tenant, plan)
        with scope(tenant), acting(Actor(plan.author)):
            _record_result(plan, found, computed)
        return
    except _ComputationAbandoned:
        logger.info("plan %s is not wanted any more", plan.uid)
        return
    except (ValidationFailed, core.InvalidIntent) as error:
        problems = list(error.problems)
    except Exception:
        # A bug ends its plan, where a person sees it, instead of being tried for ever.
        logger.exception("plan %s crashed", plan.uid)
        told = (
            "The portal failed while it computed this plan. Plan again; if it happens again, tell the operator the id."
        )
        problems = [Problem("internal", f"plans/{plan.uid}", told)]
    with scope(tenant), acting(Actor(plan.author)):
        if held := _lock_claimed(plan):
            _mark_failed(held, problems)


def due_plans(now: datetime) -> list[int]:
    """Plans that somebody should compute: lost wake-ups and dead workers' ones."""
    computing = Plan.objects.filter(state=Plan.State.COMPUTING)
    return [
        plan.pk
        for plan in computing
        if (lease.has_lapsed(plan, now) if plan.lease_number else plan.created_at < now - WAKE_UP_TIMEOUT)
    ]


def _claim_plan(pk: int, now: datetime) -> Plan | None:
    plan = Plan.objects.select_related("draft").filter(pk=pk, state=Plan.State.COMPUTING).first()
    if plan is None or (plan.lease_number and not lease.has_lapsed(plan, now)):
        return None
    if plan.lease_number >= MAX_ATTEMPTS:
        told = "The workers that computed this plan stopped. Plan again; if it happens again, ask the operator."
        with acting(Actor(plan.author)):
            _mark_failed(plan, [Problem("worker_lost", "", told)])
        return None
    # Under this very lease: whoever claims it first raises the number, and the other one comes too late.
    claimed = Plan.objects.filter(pk=pk, state=Plan.State.COMPUTING, lease_number=plan.lease_number).update(
        lease_owner=lease.current_worker(), lease_number=F("lease_number") + 1, lease_until=now + lease.LEASE_DURATION
    )
    if not claimed:
        return None
    plan.refresh_from_db()
    return plan


class _ComputationAbandoned(Exception):
    """Nobody waits for this computation: its plan was rejected or superseded, or another worker has it."""


def _compute_claimed(tenant: Tenant, plan: Plan) -> tuple[plan_computation.PlanInputs, plan_computation.PlanResult]:
    def progress(word: str) -> None:
        with scope(tenant):
            mine = Plan.objects.filter(pk=plan.pk, lease_number=plan.lease_number, state=Plan.State.COMPUTING)
            if not mine.update(progress=word):
                raise _ComputationAbandoned
            outbox.enqueue("changed", what="plan", id=str(plan.uid), version=plan.lease_number)

    with scope(tenant):
        found = plan_computation.load_inputs(plan.draft)
    return found, plan_computation.compute_plan(found, progress)


def _lock_claimed(plan: Plan) -> Plan | None:
    """The plan as it is now, locked; None where it is not this worker's to write any more."""
    now = Plan.objects.select_for_update().get(pk=plan.pk)
    return now if now.state == Plan.State.COMPUTING and now.lease_number == plan.lease_number else None


def _record_result(plan: Plan, found: plan_computation.PlanInputs, computed: plan_computation.PlanResult) -> None:
    draft = Draft.objects.select_for_update().get(pk=plan.draft_id)
    held = _lock_claimed(plan)
    if held is None:
        raise _ComputationAbandoned
    plan_computation.save_plan(held, found, computed)
    moved = staleness_reasons(held, draft)
    if moved:
        Plan.objects.filter(pk=held.pk).update(state=Plan.State.STALE, moved=moved)
    _announce(held, "plan.ready")


def _mark_failed(plan: Plan, problems: list[Problem]) -> None:
    plan.state, plan.problems, plan.progress, plan.lease_until = Plan.State.FAILED, as_json(problems), "", None
    plan.save(update_fields=["state", "problems", "progress", "lease_until"])
    _announce(plan, "plan.fail")


def _announce(plan: Plan, action: str) -> None:
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.enqueue("changed", what="plan", id=str(plan.uid), version=1)


def approve_plan(plan: Plan) -> Plan:
    """Approve by a second person; nobody approves their own."""
    return _record_decision(plan, Plan.State.APPROVED, "plan.approve")


def reject_plan(plan: Plan) -> Plan:
    """Also of one that is still computed, which ends that."""
    return _record_decision(plan, Plan.State.REJECTED, "plan.reject")


def current_state(plan: Plan, there: Callable[[], str] = resource_state.state_fingerprint) -> tuple[str, list[str]]:
    """The state a plan is in by now, and what moved: a computed one is stale as soon as something has.

    there: of what is there; for several plans, one that remembers.
    """
    if plan.state not in COMPUTED_STATES:
        return plan.state, list(plan.moved)
    moved = staleness_reasons(plan, plan.draft, there)
    return (Plan.State.STALE if moved else plan.state), moved


def staleness_reasons(
    plan: Plan, draft: Draft, there: Callable[[], str] = resource_state.state_fingerprint
) -> list[str]:
    """What moved since the plan was computed; empty while it can be provisioned."""
    moved = []
    if draft.state == Draft.State.DISCARDED:
        moved.append(f"The draft {draft.name} was discarded.")
    if draft.version != plan.draft_version:
        moved.append(f"The draft {draft.name} was edited.")
    live = queries.live_snapshot().revision
    if live != plan.base_revision:
        who = Revision.objects.values_list("author", flat=True).get(number=live) or "the system"
        moved.append(f"Revision {live} was provisioned by {who}; this plan was made on revision {plan.base_revision}.")
    elif there() != plan.world:
        # Runs write what is there; whatever else moved it is nobody's of ours.
        wrote = Q(state__in=Run.ACTIVE) | Q(steps__finished_at__gte=plan.created_at)
        run = Run.objects.filter(wrote).first()
        moved.append(
            f"The run of revision {run.revision}, started by {run.author or 'the system'}, has gone on since."
            if run
            else "What is there has changed since, in a cloud or on an exchange."
        )
    return moved


def _record_decision(plan: Plan, state: Plan.State, action: str) -> Plan:
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    decidable = (Plan.State.READY, Plan.State.COMPUTING) if state == Plan.State.REJECTED else (Plan.State.READY,)
    if plan.state not in decidable:
        raise StateConflict(f"The plan is {plan.state}; only one that is {' or '.join(decidable)} can be {state}.")
    if state == Plan.State.APPROVED and plan.author == actor.current().email:
        raise Forbidden("Nobody approves their own plan; ask a second person.")
    plan.state, plan.decided_by, plan.decided_at, plan.progress = state, actor.current().email, timezone.now(), ""
    plan.save(update_fields=["state", "decided_by", "decided_at", "progress"])
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.enqueue("changed", what="plan", id=str(plan.uid), version=2)
    return plan
