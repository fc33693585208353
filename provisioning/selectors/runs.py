"""Runs in the shapes that pages and the API show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from provisioning.errors import ObjectNotFound
from provisioning.models import Run, Step
from provisioning.snapshots.queries import parse_uuid


def get_run(uid: str | UUID) -> Run:
    """Return the run with its plan; raise ObjectNotFound where there is none."""
    run = Run.objects.select_related("plan").filter(uid=parse_uuid(uid)).first()
    if run is None:
        raise ObjectNotFound("There is no such run.")
    return run


def run_json(run: Run, *, steps: bool = True) -> dict[str, Any]:
    """Return a run with the number of steps in each state and, unless ``steps`` is False, its steps in order."""
    all_steps = list(Step.objects.filter(run=run))
    states = [step.state for step in all_steps]
    return {
        "id": str(run.uid),
        "state": run.state,
        "revision": run.revision,
        "plan": str(run.plan.uid),
        "author": run.author,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "counts": {state: states.count(state) for state in Step.State.values if state in states},
        **({"steps": [step_json(step) for step in all_steps]} if steps else {}),
    }


def step_json(step: Step) -> dict[str, Any]:
    return {
        "id": str(step.uid),
        "action": step.action,
        "address": step.address,
        "kind": step.kind,
        "state": step.state,
        "attempts": step.attempts,
        "note": step.note,
        "error": step.error,
        "depends": step.depends,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
    }
