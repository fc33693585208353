"""Revisions: every version of the network, what each changed, and how to restore one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.pages import diff_words
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.refusals import catch_refusals
from provisioning.models import Revision, Run
from provisioning.services import revisions as service
from provisioning.snapshots import diff, queries

MAX_CHOICES = 200
"""Revisions offered when two are compared; older ones can be named in the address."""


@tenant_page("view")
def revisions(request: PageRequest) -> HttpResponse:
    runs = Run.objects.filter(revision=OuterRef("number")).order_by("-created_at")
    revision_rows = Revision.objects.annotate(
        run_uid=Subquery(runs.values("uid")[:1]), run_state=Subquery(runs.values("state")[:1])
    )
    context = {
        "page": Paginator(revision_rows, 50).get_page(request.GET.get("page")),
        "live": queries.live_snapshot().revision,
    }
    return render(request, "pages/revisions.html", context)


@tenant_page("view")
def revision(request: PageRequest, number: int) -> HttpResponse:
    """Show what a revision changed in the one before it."""
    shown, base = get_object_or_404(Revision, number=number), number - 1
    return render(
        request,
        "pages/revision.html",
        {
            "revision": shown,
            "base": base,
            "changes": _difference_rows(base, number),
            "live": queries.live_snapshot().revision,
        },
    )


@tenant_page("view")
def compare(request: PageRequest) -> HttpResponse:
    """Show what differs between two revisions, ``?from=3&to=7``; 0 is the empty network before the first."""
    live = queries.live_snapshot().revision
    rows = list(Revision.objects.all()[:MAX_CHOICES])
    start, end = (
        _revision_parameter(request, name, default) for name, default in (("from", max(live - 1, 0)), ("to", live))
    )
    context = {
        "start": start,
        "end": end,
        "live": live,
        "choices": [(row.number, f"{row.number}, {row.message}") for row in rows] + [(0, "0, the empty network")],
        "changes": _difference_rows(start, end),
    }
    return render(request, "pages/compare.html", context)


def _revision_parameter(request: PageRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else default


def _difference_rows(start: int, end: int) -> list[dict[str, Any]]:
    before, after = queries.revision_snapshot(start), queries.revision_snapshot(end)
    return diff_words.difference_rows(diff.diff_snapshots(before, after), before, after)


@require_POST
@tenant_page("view")
def restore(request: PageRequest, number: int) -> HttpResponse:
    if "edit" not in request.rights:
        raise PermissionDenied
    with catch_refusals(request) as outcome:
        draft = service.restore_revision(number)
    if not outcome:
        return redirect("revisions", request.tenant.slug)
    messages.success(request, f"Created draft “{draft.name}”. Review it, then provision it.")
    return redirect("draft", request.tenant.slug, draft.uid)
