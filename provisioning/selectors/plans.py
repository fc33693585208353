"""Plans in the shapes that pages and the API show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from provisioning.core import plan as core_plan
from provisioning.core.values.resource import as_json
from provisioning.errors import ObjectNotFound
from provisioning.models import Plan
from provisioning.selectors import plan_state
from provisioning.selectors.draft_changes import draft_writers
from provisioning.snapshots.queries import parse_uuid


def get_plan(uid: str | UUID) -> Plan:
    """Return the plan with its draft; raise ObjectNotFound where there is none."""
    plan = Plan.objects.select_related("draft").filter(uid=parse_uuid(uid)).first()
    if plan is None:
        raise ObjectNotFound("There is no such plan.")
    return plan


def plan_authors(plan: Plan) -> set[str]:
    """Return the mail addresses of who made the plan and who wrote what it does: none of them may approve it."""
    return {plan.author, *draft_writers(plan.draft)}


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as the API shows it."""
    return {**plan_head(plan), "steps": plan.steps}


def plan_head(plan: Plan) -> dict[str, Any]:
    """Return a plan without its steps; they never change once written, so that this is enough for an entity tag."""
    state, moved = plan_state.current_state(plan)
    return {
        **_plan_fields(plan, state),
        "text": plan.text,
        "reachability": plan.reachability or {"allowed": [], "blocked": [], "inspected": []},
        "assertions": plan.assertions,
        "cost": plan.cost or {"currency": None, "monthly_before": None, "monthly_after": None, "lines": []},
        "blast_radius": plan.blast_radius,
        "warnings": plan.warnings,
        "memberships": plan.memberships,
        "risks": plan_risks(plan),
        "problems": plan.problems,
        "moved": moved,
    }


def plan_risks(plan: Plan) -> list[dict[str, Any]]:
    """Return what a person confirms before this plan is provisioned, as problems of severity warning."""
    steps = plan.changes.values("action", "address", "kind")
    return as_json(core_plan.plan_risks(steps, plan.reachability, plan.warnings))


def plan_summary(plan: Plan, fingerprint: Callable[[], str]) -> dict[str, Any]:
    """Return a row of a list of plans; ``fingerprint`` as plan_state.current_state takes it."""
    return _plan_fields(plan, plan_state.current_state(plan, fingerprint)[0])


def _plan_fields(plan: Plan, state: str) -> dict[str, Any]:
    return {
        "id": str(plan.uid),
        "draft": str(plan.draft.uid),
        "draft_name": plan.draft.name,
        "base_revision": plan.base_revision,
        "state": state,
        "progress": plan.progress,
        "digest": plan.digest,
        "author": plan.author,
        "created_at": plan.created_at,
        "decided_by": plan.decided_by or None,
        "decided_at": plan.decided_at,
    }
