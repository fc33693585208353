"""Rebasing a draft of an older revision: what both it and live have changed since, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from portal.api.intent_objects import draft_etag
from portal.pages import diff_words
from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.diff_words import DiffWords
from portal.pages.object_links import ObjectLinks
from portal.pages.objects import KIND_PAGES
from provisioning.core.values.resource import Problem, as_json
from provisioning.models import Draft
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.services.drafts.rebase_merge import Conflict, RebaseConflict
from provisioning.snapshots import diff, queries
from provisioning.snapshots.queries import Snapshot

SIDES = ("base", "mine", "theirs")


@tenant_page()
def rebasing(request: PageRequest, uid: UUID) -> HttpResponse:
    draft = get_draft(request, uid)
    if draft.state != Draft.State.OPEN:
        return redirect("draft", request.tenant.slug, uid)
    live = queries.live_snapshot().revision
    conflicts, problems = _try_rebase(draft)
    roots = {"mine": reverse("draft-objects", args=[request.tenant.slug, uid])}
    roots["theirs"] = reverse("network", args=[request.tenant.slug])
    links = ObjectLinks(roots["mine"], paths=[problem.path for problem in problems], draft=draft)
    base, theirs = Snapshot(draft.base_revision), Snapshot(live)
    changed = diff_words.difference_rows(diff.diff_snapshots(base, theirs), base, theirs)
    context = {
        "tenant": request.tenant,
        "draft": {"id": str(uid), "name": draft.name, "base_revision": draft.base_revision},
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{uid}/",
        "may": {"edit": "edit" in request.rights},
        "live": live,
        "behind": live != draft.base_revision,
        "etag": draft_etag(draft),
        "objects": _conflict_rows(draft, live, conflicts, roots),
        "count": len(conflicts),
        "problems": [{**as_json(problem), **links.place(problem.path)} for problem in problems],
        "changed": changed,
    }
    return render(request, "pages/design/rebase.html", context)


def _try_rebase(draft: Draft) -> tuple[list[Conflict], list[Problem]]:
    """Return the conflicts of a rebase and the problems of the merged network. Nothing is changed."""
    conflicts: list[Conflict] = []
    invalid: list[Problem] = []
    with transaction.atomic():
        try:
            rebase_draft(draft)
        except RebaseConflict as refused:
            conflicts = refused.extra["conflicts"]
            invalid = [problem for problem in refused.problems if problem.code != "conflict"]
        transaction.set_rollback(True)
    return conflicts, invalid


def _conflict_rows(
    draft: Draft, live: int, conflicts: list[Conflict], roots: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the conflicts by object, with its pages in the draft and in live, each below one of ``roots``.

    References are shown by name, as either side calls the object.
    """
    diff_words = DiffWords(
        [[conflict[side] for side in SIDES] for conflict in conflicts],
        [Snapshot(live), queries.snapshot_of_draft(draft)],
    )
    numbered = [{**conflict, "number": number} for number, conflict in enumerate(conflicts)]
    numbered.sort(key=lambda conflict: (conflict["kind"], conflict["name"], conflict["id"]))
    snapshots = {"mine": queries.snapshot_of_draft(draft), "theirs": Snapshot(live)}
    present = {side: queries.objects_by_uid(of, {row["id"] for row in conflicts}) for side, of in snapshots.items()}
    return [
        {
            "kind": KIND_PAGES[kind],
            "name": name,
            "urls": {side: f"{roots[side]}{kind}/?select={uid}" for side in roots if uid in present[side]},
            "fields": [{**conflict, **_side_words(conflict, diff_words)} for conflict in fields],
        }
        for (kind, name, uid), fields in groupby(
            numbered, key=lambda conflict: (conflict["kind"], conflict["name"], conflict["id"])
        )
    ]


def _side_words(conflict: Conflict, diff_words: DiffWords) -> dict[str, str]:
    """Return each side's value, "" where there is none. Of a whole object only fields that differ are shown."""
    if conflict["path"]:
        return {side: diff_words.words(conflict[side]) for side in SIDES}
    present = [conflict[side] for side in SIDES if conflict[side] is not None]
    names = dict.fromkeys(name for body in present for name in body)
    differing = [name for name in names if any(body.get(name) != present[0].get(name) for body in present)]
    same = {"base": "there", **dict.fromkeys(("mine", "theirs"), "unchanged" if conflict["base"] else "added")}
    return {
        side: "; ".join(f"{name}: {diff_words.words(conflict[side].get(name)) or 'none'}" for name in differing)
        or same[side]
        if conflict[side] is not None
        else ""
        for side in SIDES
    }
