"""The state a plan is in by now: one that was computed is stale as soon as anything it was computed from has moved."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q

from provisioning.core.node_document import VERSION, body_version
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
        moved.append(_state_change_reason(plan))
    return moved


def _state_change_reason(plan: Plan) -> str:
    # All changes of a plan were compiled by one release, so the first one tells which.
    sections = plan.changes.filter(kind__startswith="exchange.", after__isnull=False).select_related("after")
    section = sections.first()
    if section and section.after and (version := body_version(section.after.body)) != VERSION:
        return f"An older release made this plan, in document version {version}; nodes are given version {VERSION} now."
    # Runs write what is there; a change by anybody else is drift.
    wrote = Q(state__in=Run.ACTIVE) | Q(steps__finished_at__gte=plan.created_at)
    if run := Run.objects.filter(wrote).first():
        return f"The run of revision {run.revision}, started by {run.author or 'the system'}, has gone on since."
    return "What is there has changed since, in a cloud or on an exchange."
