"""Open drafts as the bar and the list show them, and the bar alone, fetched again when a draft has changed anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.api.intent_objects import draft_etag
from portal.pages.decorators import PageRequest, tenant_page
from provisioning.models import Draft, Run
from provisioning.selectors import draft_changes
from provisioning.snapshots import queries
from tenants.models import Tenant

MAX_DRAFTS = 20
"""In the bar's menu; the list has all."""


@tenant_page("edit")
def bar(request: PageRequest) -> HttpResponse:
    """``?draft=`` is the draft the page is about; ``&quiet`` means the page has a primary button of its own."""
    with suppress(ValueError):  # the page is about no draft: the person's own newest is shown
        request.draft_uid = UUID(request.GET.get("draft", ""))
    return render(request, "partials/draft_bar.html", {"no_primary": "quiet" in request.GET})


def open_drafts(tenant: Tenant, email: str, limit: int | None = MAX_DRAFTS) -> list[dict[str, Any]]:
    """Return open drafts, newest first: {uid, name, url, etag, author, is_mine, edits, lost, base_revision, behind,
    provisioning, updated, redo}.

    ``lost``: whose edits a discard would take away, in words; ``behind``: the live revision when that is another one,
    else 0; ``provisioning``: the run that still makes it, or None.
    """
    newest = Draft.objects.filter(state=Draft.State.OPEN).order_by("-updated_at")  # a count drops the model's order
    drafts = newest.annotate(made=Count("edits"))[:limit]
    live = queries.live_snapshot().revision
    is_any_behind = any(draft.base_revision != live for draft in drafts)
    run = Run.objects.filter(revision=live, state__in=Run.ACTIVE).first() if is_any_behind else None
    authors = draft_changes.count_edits_by_author(drafts)
    return [
        {
            "uid": str(draft.uid),
            "name": draft.name,
            "url": reverse("draft", args=[tenant.slug, draft.uid]),
            "etag": draft_etag(draft),
            "author": short_name(draft.author),
            "is_mine": draft.author == email,
            "edits": draft.cursor,
            "lost": edits_by_author(authors[draft.pk]),
            "base_revision": draft.base_revision,
            "behind": live if draft.base_revision != live else 0,
            "provisioning": run,
            "updated": draft.updated_at,
            "redo": draft.made > draft.cursor,
        }
        for draft in drafts
    ]


def shown_draft(drafts: Sequence[dict[str, Any]], uid: str) -> dict[str, Any] | None:
    """Return the draft a page is about, else the person's own newest; None where there is neither."""
    about = (draft for draft in drafts if draft["uid"] == uid)
    return next(about, None) or next((draft for draft in drafts if draft["is_mine"]), None)


def edits_by_author(counts: Counter[str]) -> str:
    """Return “4 edits by netadmin and 1 edit by secadmin”, the most first."""
    words = [f"{many} edit{'s' if many > 1 else ''} by {short_name(email)}" for email, many in counts.most_common()]
    return " and ".join(words) or "no edits"


def short_name(email: str) -> str:
    return email.partition("@")[0]
