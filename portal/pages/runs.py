"""Runs: the list, and one run with its steps; its fragment is fetched again when the socket reports a change."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.first_network import suggest_trace
from portal.pages.state_styles import state_style
from provisioning.drivers import find_cloud_address
from provisioning.models import Run, Step
from provisioning.selectors.object_names import ObjectNames, address_by_names, names_in_addresses

STATE_ORDER = ("done", "running", "waiting", "failed", "skipped", "cancelled", "pending")
STATE_PRECEDENCE = ("failed", "running", "waiting", "pending", "skipped", "cancelled", "done")
FAILED_STATES = (Run.State.FAILED, Run.State.PARTIAL)
PAGE_SIZE = 100
MAX_LOG_ROWS = 500


@tenant_page()
def runs(request: PageRequest) -> HttpResponse:
    run_rows = Run.objects.select_related("plan__draft").prefetch_related("steps")
    state = request.GET.get("state", "")
    if state:
        run_rows = run_rows.filter(state=state)
    rows = [{"run": run, "counts": Counter(step.state for step in run.steps.all())} for run in run_rows[:PAGE_SIZE]]
    context = {"rows": rows, "state": state, "states": Run.State.values, "tenant": request.tenant}
    return render(request, "pages/runs/list.html", context)


@tenant_page()
def run(request: PageRequest, uid: UUID) -> HttpResponse:
    run_row = get_object_or_404(Run.objects.select_related("plan__draft"), uid=uid)
    steps = list(run_row.steps.all())
    newer = Run.objects.filter(plan=run_row.plan, created_at__gt=run_row.created_at).order_by("-created_at").first()
    context = {
        "tenant": request.tenant,
        "api": f"/api/v1/t/{request.tenant.slug}/runs/{run_row.uid}/",
        "run": run_row,
        "going": run_row.state in Run.ACTIVE,
        "broken": run_row.state in FAILED_STATES,
        "newer": newer,
        "trace": suggest_trace(request, run_row) if run_row.state == Run.State.SUCCEEDED else None,
        "may": {"provision": "provision" in request.rights},
        **run_progress(steps, names_in_addresses([step.address for step in steps], run_row.plan.draft)),
        "seconds": (
            (run_row.finished_at or timezone.now()) - (run_row.started_at or run_row.created_at)
        ).total_seconds(),
    }
    return render(request, "pages/runs/run.html" + ("#live" if request.htmx else ""), context)


def run_progress(steps: list[Step], names: ObjectNames) -> dict[str, Any]:
    """Return the steps grouped by location, how many are in each state, and the pieces of the bar (in 240ths).

    ``names``: of the objects in their addresses, which ``by_names`` of each step says.
    """
    for step in steps:
        step.by_names = address_by_names(step.address, names)  # type: ignore[attr-defined]  # for templates
    counts = Counter(step.state for step in steps)
    shown = [state for state in STATE_ORDER if counts[state]]
    bar, offset = [], 0.0
    for state in shown:
        width = 240 * counts[state] / len(steps)
        bar.append({"tone": state_style(state).tone, "x": f"{offset:.2f}", "width": f"{max(width - 0.6, 0.6):.2f}"})
        offset += width
    return {
        "total": len(steps),
        "counts": [(state, counts[state]) for state in shown],
        "ended": sum(counts[state] for state in ("done", "failed", "skipped", "cancelled")),
        "failed": [step for step in steps if step.state == Step.State.FAILED],
        "bar": bar,
        "log": _log_rows(steps),
        "step_groups": [
            _location_row(name, list(group))
            for name, group in groupby(sorted(steps, key=_step_location), key=_step_location)
        ],
    }


def _log_rows(steps: list[Step]) -> list[dict[str, Any]]:
    """Return what came of the attempts of all steps, the newest first: {step, first, attempt, at, outcome, note}."""
    rows = [{**entry, "step": step, "at": datetime.fromisoformat(entry["at"])} for step in steps for entry in step.log]
    return sorted(rows, key=lambda row: row["at"], reverse=True)[:MAX_LOG_ROWS]


def _step_location(step: Step) -> str:
    """Return where a step happens, from its address: `AWS eu-central-1, account 1234…`, `Exchange eu`, `Connectors`."""
    if in_cloud := find_cloud_address(step.address):
        cloud, cloud_address = in_cloud
        return f"{cloud.label} {cloud_address.region}, {cloud.account_word} {cloud_address.account}"
    parts = step.by_names.split("/")  # type: ignore[attr-defined]
    if parts[0] == "exchange" and len(parts) > 1:
        return f"Exchange {parts[1]}"
    if parts[0] == "service" and len(parts) > 2:
        return f"Service {parts[1]} at {parts[2]}"
    return {"connector": "Connectors"}.get(parts[0], parts[0].capitalize())


def _location_row(name: str, steps: list[Step]) -> dict[str, Any]:
    states = {step.state for step in steps}
    worst_state = next(state for state in STATE_PRECEDENCE if state in states)
    done = sum(step.state == Step.State.DONE for step in steps)
    return {
        "name": name,
        "steps": sorted(steps, key=lambda step: step.order),
        "state": worst_state,
        "done": done,
        "open": worst_state in ("failed", "running", "waiting"),
    }
