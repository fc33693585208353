"""Plans and runs in the shapes pages and the API show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from provisioning.errors import ObjectNotFound
from provisioning.models import Plan, Run, Step
from provisioning.services import plans
from provisioning.snapshots.queries import parse_uuid


def get_plan(uid: str | UUID) -> Plan:
    found = Plan.objects.select_related("draft").filter(uid=parse_uuid(uid)).first()
    if found is None:
        raise ObjectNotFound("There is no such plan.")
    return found


def plan_json(found: Plan) -> dict[str, Any]:
    """CONTRACT's plan document."""
    return {**plan_head(found), "steps": found.steps}


def plan_head(found: Plan) -> dict[str, Any]:
    """A plan without its steps. Once they are written they stay, so that this tells whether a plan is another."""
    state, moved = plans.current_state(found)
    return {
        **_plan_fields(found, state),
        "text": found.text,
        "reachability": found.reachability or {"allowed": [], "blocked": [], "inspected": []},
        "assertions": found.assertions,
        "cost": found.cost or {"currency": None, "monthly_before": None, "monthly_after": None, "lines": []},
        "blast_radius": found.blast_radius,
        "warnings": found.warnings,
        "problems": found.problems,
        "moved": moved,
    }


def plan_summary(found: Plan, there: Callable[[], str]) -> dict[str, Any]:
    """A plan without what it would do; ``there`` as ``standing`` takes it."""
    return _plan_fields(found, plans.current_state(found, there)[0])


def _plan_fields(found: Plan, state: str) -> dict[str, Any]:
    return {
        "id": str(found.uid),
        "draft": str(found.draft.uid),
        "draft_name": found.draft.name,
        "base_revision": found.base_revision,
        "state": state,
        "progress": found.progress,
        "digest": found.digest,
        "author": found.author,
        "created_at": found.created_at,
        "decided_by": found.decided_by or None,
        "decided_at": found.decided_at,
    }


def get_run(uid: str | UUID) -> Run:
    found = Run.objects.select_related("plan").filter(uid=parse_uuid(uid)).first()
    if found is None:
        raise ObjectNotFound("There is no such run.")
    return found


def run_json(found: Run, *, steps: bool = True) -> dict[str, Any]:
    """A run with its counts, and its steps in order."""
    rows = list(Step.objects.filter(run=found))
    states = [row.state for row in rows]
    return {
        "id": str(found.uid),
        "state": found.state,
        "revision": found.revision,
        "plan": str(found.plan.uid),
        "author": found.author,
        "created_at": found.created_at,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "counts": {state: states.count(state) for state in Step.State.values if state in states},
        **({"steps": [step_json(row) for row in rows]} if steps else {}),
    }


def step_json(row: Step) -> dict[str, Any]:
    return {
        "id": str(row.uid),
        "action": row.action,
        "address": row.address,
        "kind": row.kind,
        "state": row.state,
        "attempts": row.attempts,
        "note": row.note,
        "error": row.error,
        "depends": row.depends,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }
