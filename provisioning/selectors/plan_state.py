"""The state a plan is in by now: one that was computed is stale as soon as anything it was computed from has moved."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q

from provisioning.models import Draft, Plan, Revision, Run
from provisioning.snapshots import queries
from provisioning.snapshots.resource_state import state_fingerprint

COMPUTED_STATES = (Plan.State.READY, Plan.State.APPROVED)
"""In these a plan may have become stale since; that is not written, but asked each time."""


def current_state(plan: Plan, fingerprint: Callable[[], str] = state_fingerprint) -> tuple[str, list[str]]:
    """Return the state a plan is in by now, and what moved.

    ``fingerprint`` returns the one of what is there; for several plans, a function that remembers it.
    """
    if plan.state not in COMPUTED_STATES:
        return plan.state, list(plan.moved)
    moved = staleness_reasons(plan, plan.draft, fingerprint)
    return (Plan.State.STALE if moved else plan.state), moved


def staleness_reasons(plan: Plan, draft: Draft, fingerprint: Callable[[], str] = state_fingerprint) -> list[str]:
    """Return what moved since the plan was computed; empty while it can be provisioned."""
    moved = []
    if draft.state == Draft.State.DISCARDED:
        moved.append(f"The draft {draft.name} was discarded.")
    if draft.version != plan.draft_version:
        moved.append(f"The draft {draft.name} was edited.")
    live = queries.live_snapshot().revision
    if live != plan.base_revision:
        author = Revision.objects.values_list("author", flat=True).get(number=live) or "the system"
        moved.append(
            f"Revision {live} was provisioned by {author}; this plan was made on revision {plan.base_revision}."
        )
    elif fingerprint() != plan.state_fingerprint:
        # Runs write what is there; a change by anybody else is drift.
        wrote = Q(state__in=Run.ACTIVE) | Q(steps__finished_at__gte=plan.created_at)
        run = Run.objects.filter(wrote).first()
        moved.append(
            f"The run of revision {run.revision}, started by {run.author or 'the system'}, has gone on since."
            if run
            else "What is there has changed since, in a cloud or on an exchange."
        )
    return moved
