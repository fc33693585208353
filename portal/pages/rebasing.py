"""Rebasing: a draft that was made on an older revision, and what both it and live have changed since, side by side."""

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
from portal.pages.refusals import catch_refusals as refusing
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
    """What a rebase would meet: conflicts to be decided, or what makes the merged network invalid. Nothing is moved."""
    conflicts: list[dict[str, Any]] = []
    with transaction.atomic(), refusing() as outcome:
        try:
            rebase_draft(draft)
        except RebaseConflict as refused:
            conflicts = refused.extra["conflicts"]
        transaction.set_rollback(True)
    return conflicts, outcome.problems


def _conflict_rows(draft: Draft, live: int, conflicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Conflicts by object; what values refer to is told by name, as either side calls it."""
    told = DiffWords(
        [[one[side] for side in SIDES] for one in conflicts], [Snapshot(live), queries.snapshot_of_draft(draft)]
    )
    numbered = [{**one, "number": number} for number, one in enumerate(conflicts)]
    return [
        {
            "kind": KINDS[kind],
            "name": name,
            "fields": [{**one, **_side_words(one, told)} for one in fields],
        }
        for (kind, _, name), fields in groupby(numbered, key=lambda one: (one["kind"], one["id"], one["name"]))
    ]


def _side_words(conflict: dict[str, Any], told: DiffWords) -> dict[str, str]:
    """Each side's value. Where one side removed the object, of the others only the fields that they disagree on."""
    if conflict["path"]:
        return {side: told.words(conflict[side]) for side in SIDES}
    there = [conflict[side] for side in SIDES if conflict[side] is not None]
    apart = [name for name in there[0] if any(one.get(name) != there[0][name] for one in there)]
    return {
        side: "; ".join(f"{name}: {told.words(conflict[side].get(name)) or 'none'}" for name in apart) or "as it was"
        if conflict[side] is not None
        else ""
        for side in SIDES
    }
