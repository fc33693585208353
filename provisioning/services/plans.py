"""Planning: what provisioning a draft would do, computed before anything runs and approved by its digest."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from provisioning.core import plan as core_plan
from provisioning.core.check import check
from provisioning.core.compile import compile as compile_network
from provisioning.core.reach import AssertionResult, assertions, delta
from provisioning.core.resource import Change, Problem, Resource, as_json, digest, references
from provisioning.drivers import quotas, replace_on
from provisioning.models import Draft, Plan
from provisioning.selectors import networks, views
from provisioning.selectors.views import View
from provisioning.services import world
from provisioning.services.errors import Conflict, Forbidden, Invalid
from provisioning.services.rebase import rebase
from tenants import actor, audit, outbox


def make(draft: Draft) -> Plan:
    """Compute the plan of a draft, moving it onto what is live first.

    Raises Conflict when the draft cannot be rebased, Invalid when the network is invalid or an assertion fails.
    """
    draft = rebase(draft)
    network = networks.network(views.of_draft(draft))
    after = network.intent
    problems = check(network)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise Invalid(f"The network has {len(errors)} errors.", errors)
    results = assertions(network)
    failing = [
        Problem("assertion_failed", f"assertions/{after.assertions[result.uid].key}", _broken(result))
        for result in results
        if not result.holds
    ]
    if failing:
        raise Invalid("An assertion fails.", failing)

    base = networks.network(View(draft.base_revision))
    before = base.intent
    there, begun, wanted = world.observed(), world.begun(), compile_network(network)
    exceeded = quotas(wanted.values())
    if exceeded:
        raise Invalid(exceeded[0].message, exceeded)
    changes = core_plan.diff(there, wanted, replace_on(), begun)
    Plan.objects.filter(draft=draft, state__in=(Plan.State.READY, Plan.State.APPROVED)).update(
        state=Plan.State.STALE, moved=["A newer plan of this draft was made."]
    )
    plan = Plan(
        draft=draft,
        draft_version=draft.version,
        base_revision=draft.base_revision,
        world=world.fingerprint(there, begun),
        state=Plan.State.READY,
        steps=[step_json(change, wanted) for change in changes],
        text=core_plan.text(changes),
        reachability=as_json(delta(base, network)),
        assertions=as_json(results),
        cost=_price(there, wanted),
        blast_radius=as_json(core_plan.blast_radius(changes, before, after)),
        warnings=as_json([*problems, *core_plan.unsafe(changes, before, after)]),
        author=actor.current().email,
    )
    plan.digest = digest([plan.draft_version, plan.base_revision, plan.world, plan.steps, plan.reachability])
    plan.save()
    audit.record("plan.make", kind="plan", object_id=str(plan.uid), object_name=draft.name)
    outbox.put("changed", what="plan", id=str(plan.uid), version=1)
    return plan


def _broken(result: AssertionResult) -> str:
    """A packet that proves it, where there is one, and what lets it through: the way to the rule to change."""
    packet = ""
    if seen := result.example:
        port = f"/{seen.port}" if seen.port is not None else ""
        packet = f": {seen.source} → {seen.destination} {seen.protocol}{port}"
    return " ".join(filter(None, [f"“{result.name}” does not hold{packet}.", result.reason]))


def approve(plan: Plan) -> Plan:
    """Approve by a second person; nobody approves their own."""
    return _decide(plan, Plan.State.APPROVED, "plan.approve")


def reject(plan: Plan) -> Plan:
    return _decide(plan, Plan.State.REJECTED, "plan.reject")


def staleness(plan: Plan, draft: Draft) -> list[str]:
    """What moved since the plan was computed; empty while it can be provisioned."""
    moved = []
    if draft.version != plan.draft_version:
        moved.append(f"The draft {draft.name} was edited.")
    live = views.live().revision
    if live != plan.base_revision:
        moved.append(f"Revision {live} was provisioned; this plan was made on revision {plan.base_revision}.")
    if world.fingerprint(world.observed(), world.begun()) != plan.world:
        moved.append("What is there has changed since, in a cloud or on an exchange.")
    return moved


def step_json(change: Change, wanted: dict[str, Resource]) -> dict[str, Any]:
    """A change as plans keep and show it; ``fields`` are the paths that differ.

    ``resource_depends``: every address the resource needs or needed, whether or not this plan touches it.
    """
    needed = set(wanted[change.address].depends) if change.address in wanted else set()
    needed |= {address for address, _ in references([change.before, change.after])}
    return {
        **as_json(change),
        "fields": [
            {"path": path, "before": before, "after": after} for path, before, after in core_plan.fields(change)
        ],
        "resource_depends": sorted(needed),
    }


def _price(there: dict[str, Resource], wanted: dict[str, Resource]) -> dict[str, Any]:
    """The cost delta, from the pricer the settings name; prices are none of provisioning's business."""
    pricer = import_string(settings.PLAN_PRICER)
    priced: dict[str, Any] = pricer(list(there.values()), list(wanted.values()))
    return priced


def _decide(plan: Plan, state: Plan.State, action: str) -> Plan:
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    if plan.state != Plan.State.READY:
        raise Conflict(f"The plan is {plan.state}; only one that is ready can be decided.")
    if state == Plan.State.APPROVED and plan.author == actor.current().email:
        raise Forbidden("Nobody approves their own plan; ask a second person.")
    plan.state, plan.decided_by, plan.decided_at = state, actor.current().email, timezone.now()
    plan.save(update_fields=["state", "decided_by", "decided_at"])
    audit.record(action, kind="plan", object_id=str(plan.uid), object_name=plan.draft.name)
    outbox.put("changed", what="plan", id=str(plan.uid), version=2)
    return plan
