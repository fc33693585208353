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
from provisioning.models import Draft, Plan, Revision, Run
from provisioning.selectors import networks, views
from provisioning.services import drafts, lease, planning, world
from provisioning.services.errors import Conflict, Forbidden, Invalid
from provisioning.services.rebase import rebase
from tenants import actor, audit, outbox
from tenants.actor import Actor, acting
from tenants.models import Tenant
from tenants.scope import scope

logger = logging.getLogger(__name__)

AT_ONCE = 3000
"""Objects of a network that is planned while the one who asks waits."""
MOST_ATTEMPTS = 3
LOST = timedelta(seconds=5)
"""After so long a plan that nobody has begun to compute is woken again."""
COMPUTED = (Plan.State.READY, Plan.State.APPROVED)
"""Whether the world moved since is asked anew each time they are shown."""
NEWER = "A newer plan of this draft was made."


def make(draft: Draft) -> Plan:
    """The plan of a draft, moved onto what is live first; ``computing`` where the network is large.

    Raises Conflict when the draft cannot be rebased, and for a small network Invalid when it is invalid or an
    assertion fails.
    """
    draft = rebase(draft)
    large = len(networks.content(views.of_draft(draft))) > AT_ONCE
    plan = Plan(
        draft=draft, draft_version=draft.version, base_revision=draft.base_revision, author=actor.current().email
    )
    if large:
        drafts.withdraw_plans(draft, NEWER)
        plan.progress = "Waiting for a worker"
        plan.save()
        outbox.put("plan", plan=plan.pk)
    else:
        found = planning.ground(draft)
        computed = planning.compute(found)
        drafts.withdraw_plans(draft, NEWER)
        planning.keep(plan, found, computed)
    _tell(plan, "plan.make")
    return plan


def work(tenant: Tenant, pk: int) -> None:
    """Compute a plan that waits for it, unless another worker holds it."""
    with scope(tenant):
        plan = _claim(pk, timezone.now())
    if plan is None:
        return
    try:
        with lease.renewing(tenant, plan):
            found, computed = _computed(tenant, plan)
        with scope(tenant), acting(Actor(plan.author)):
            _record(plan, found, computed)
        return
    except _Abandoned:
        logger.info("plan %s is not wanted any more", plan.uid)
        return
    except (Invalid, core.InvalidIntent) as error:
        problems = list(error.problems)
    except Exception:
        # A bug ends its plan, where a person sees it, instead of being tried for ever.
        logger.exception("plan %s crashed", plan.uid)
        told = (
            "The portal failed while it computed this plan. Plan again; if it happens again, tell the operator the id."
        )
        problems = [Problem("internal", f"plans/{plan.uid}", told)]
    with scope(tenant), acting(Actor(plan.author)):
        if held := _held(plan):
            _fail(held, problems)


def due(now: datetime) -> list[int]:
    """Plans that somebody should compute: lost wake-ups and dead workers' ones."""
    computing = Plan.objects.filter(state=Plan.State.COMPUTING)
    return [
        plan.pk
        for plan in computing
        if (lease.lapsed(plan, now) if plan.lease_number else plan.created_at < now - LOST)
    ]


def _claim(pk: int, now: datetime) -> Plan | None:
    plan = Plan.objects.select_related("draft").filter(pk=pk, state=Plan.State.COMPUTING).first()
    if plan is None or (plan.lease_number and not lease.lapsed(plan, now)):
        return None
    if plan.lease_number >= MOST_ATTEMPTS:
        told = "The workers that computed this plan stopped. Plan again; if it happens again, ask the operator."
        with acting(Actor(plan.author)):
            _fail(plan, [Problem("worker_lost", "", told)])
        return None
    # Under this very lease: whoever claims it first raises the number, and the other one comes too late.
    claimed = Plan.objects.filter(pk=pk, state=Plan.State.COMPUTING, lease_number=plan.lease_number).update(
        lease_owner=lease.me(), lease_number=F("lease_number") + 1, lease_until=now + lease.LEASE
    )
    if not claimed:
        return None
    plan.refresh_from_db()
    return plan


class _Abandoned(Exception):
    """Nobody waits for this computation: its plan was rejected or superseded, or another worker has it."""


def _computed(tenant: Tenant, plan: Plan) -> tuple[planning.Ground, planning.Computed]:
    def progress(word: str) -> None:
        with scope(tenant):
            mine = Plan.objects.filter(pk=plan.pk, lease_number=plan.lease_number, state=Plan.State.COMPUTING)
            if not mine.update(progress=word):
                raise _Abandoned
            outbox.put("changed", what="plan", id=str(plan.uid), version=plan.lease_number)

    with scope(tenant):
        found = planning.ground(plan.draft)
    return found, planning.compute(found, progress)


def _held(plan: Plan) -> Plan | None:
    """The plan as it is now, locked; None where it is not this worker's to write any more."""
    now = Plan.objects.select_for_update().get(pk=plan.pk)
    return now if now.state == Plan.State.COMPUTING and now.lease_number == plan.lease_number else None


def _record(plan: Plan, found: planning.Ground, computed: planning.Computed) -> None:
    draft = Draft.objects.select_for_update().get(pk=plan.draft_id)
    held = _held(plan)
    if held is None:
        raise _Abandoned
    planning.keep(held, found, computed)
    moved = staleness(held, draft)
    if moved:
        Plan.objects.filter(pk=held.pk).update(state=Plan.State.STALE, moved=moved)
    _tell(held, "plan.ready")


def _fail(plan: Plan, problems: list[Problem]) -> None:
    plan.state, plan.problems, plan.progress, plan.lease_until = Plan.State.FAILED, as_json(problems), "", None
    plan.save(update_fields=["state", "problems", "progress", "lease_until"])
    _tell(plan, "plan.fail")


def _tell(plan: Plan, action: str) -> None:
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.put("changed", what="plan", id=str(plan.uid), version=1)


def approve(plan: Plan) -> Plan:
    """Approve by a second person; nobody approves their own."""
    return _decide(plan, Plan.State.APPROVED, "plan.approve")


def reject(plan: Plan) -> Plan:
    """Also of one that is still computed, which ends that."""
    return _decide(plan, Plan.State.REJECTED, "plan.reject")


def standing(plan: Plan, there: Callable[[], str] = world.fingerprint) -> tuple[str, list[str]]:
    """The state a plan is in by now, and what moved: a computed one is stale as soon as something has.

    there: of what is there; for several plans, one that remembers.
    """
    if plan.state not in COMPUTED:
        return plan.state, list(plan.moved)
    moved = staleness(plan, plan.draft, there)
    return (Plan.State.STALE if moved else plan.state), moved


def staleness(plan: Plan, draft: Draft, there: Callable[[], str] = world.fingerprint) -> list[str]:
    """What moved since the plan was computed; empty while it can be provisioned."""
    moved = []
    if draft.state == Draft.State.DISCARDED:
        moved.append(f"The draft {draft.name} was discarded.")
    if draft.version != plan.draft_version:
        moved.append(f"The draft {draft.name} was edited.")
    live = views.live().revision
    if live != plan.base_revision:
        who = Revision.objects.values_list("author", flat=True).get(number=live) or "the system"
        moved.append(f"Revision {live} was provisioned by {who}; this plan was made on revision {plan.base_revision}.")
    elif there() != plan.world:
        # Runs write what is there; whatever else moved it is nobody's of ours.
        wrote = Q(state__in=Run.GOING) | Q(steps__finished_at__gte=plan.created_at)
        run = Run.objects.filter(wrote).first()
        moved.append(
            f"The run of revision {run.revision}, started by {run.author or 'the system'}, has gone on since."
            if run
            else "What is there has changed since, in a cloud or on an exchange."
        )
    return moved


def _decide(plan: Plan, state: Plan.State, action: str) -> Plan:
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    decidable = (Plan.State.READY, Plan.State.COMPUTING) if state == Plan.State.REJECTED else (Plan.State.READY,)
    if plan.state not in decidable:
        raise Conflict(f"The plan is {plan.state}; only one that is {' or '.join(decidable)} can be {state}.")
    if state == Plan.State.APPROVED and plan.author == actor.current().email:
        raise Forbidden("Nobody approves their own plan; ask a second person.")
    plan.state, plan.decided_by, plan.decided_at, plan.progress = state, actor.current().email, timezone.now(), ""
    plan.save(update_fields=["state", "decided_by", "decided_at", "progress"])
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.put("changed", what="plan", id=str(plan.uid), version=2)
    return plan
