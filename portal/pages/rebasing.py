"""Rebasing a draft of an older revision: what both it and live have changed since, side by side."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from portal.pages import diff_words
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.diff_words import DiffWords
from portal.pages.objects import KINDS
from portal.pages.refusals import catch_refusals
from provisioning.models import Draft
from provisioning.services.drafts.rebase import RebaseConflict, rebase_draft
from provisioning.snapshots import diff, queries
from provisioning.snapshots.queries import Snapshot

SIDES = ("base", "mine", "theirs")


@tenant_page()
def rebasing(request: PageRequest, uid: UUID) -> HttpResponse:
    draft = get_object_or_404(Draft, uid=uid)
    if draft.state != Draft.State.OPEN:
        raise Http404
    request.draft_uid = uid
    live = queries.live_snapshot().revision
    conflicts, problems = _try_rebase(draft)
    base, theirs = Snapshot(draft.base_revision), Snapshot(live)
    changed = diff_words.difference_rows(diff.diff_snapshots(base, theirs), base, theirs)
    context = {
        "tenant": request.tenant,
        "draft": {"id": str(uid), "name": draft.name, "base_revision": draft.base_revision},
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{uid}/",
        "may": {"edit": "edit" in request.rights},
        "live": live,
        "behind": live != draft.base_revision,
        "objects": _conflict_rows(draft, live, conflicts),
        "count": len(conflicts),
        "problems": problems,
        "changed": changed,
    }
    return render(request, "pages/design/rebase.html", context)


def _try_rebase(draft: Draft) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the conflicts of a rebase and the problems of the merged network. Nothing is changed."""
    conflicts: list[dict[str, Any]] = []
    with transaction.atomic(), catch_refusals() as outcome:
        try:
            rebase_draft(draft)
        except RebaseConflict as refused:
            conflicts = refused.extra["conflicts"]
        transaction.set_rollback(True)
    return conflicts, outcome.problems


def _conflict_rows(draft: Draft, live: int, conflicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the conflicts by object. References are shown by name, as either side calls the object."""
    diff_words = DiffWords(
        [[conflict[side] for side in SIDES] for conflict in conflicts],
        [Snapshot(live), queries.snapshot_of_draft(draft)],
    )
    numbered = [{**conflict, "number": number} for number, conflict in enumerate(conflicts)]
    return [
        {
            "kind": KINDS[kind],
            "name": name,
            "fields": [{**conflict, **_side_words(conflict, diff_words)} for conflict in fields],
        }
        for (kind, _, name), fields in groupby(
            numbered, key=lambda conflict: (conflict["kind"], conflict["id"], conflict["name"])
        )
    ]


def _side_words(conflict: dict[str, Any], diff_words: DiffWords) -> dict[str, str]:
    """Return each side's value. When one side removed the object, only the fields the others disagree on are shown."""
    if conflict["path"]:
        return {side: diff_words.words(conflict[side]) for side in SIDES}
    present = [conflict[side] for side in SIDES if conflict[side] is not None]
    differing = [name for name in present[0] if any(body.get(name) != present[0][name] for body in present)]
    return {
        side: "; ".join(f"{name}: {diff_words.words(conflict[side].get(name)) or 'none'}" for name in differing)
        or "unchanged"
        if conflict[side] is not None
        else ""
        for side in SIDES
    }
