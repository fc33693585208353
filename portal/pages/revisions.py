"""Revisions: every version the network has had, what each changed, and the way back to one."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.pages import nav
from portal.pages.door import PageRequest, page
from portal.pages.refusals import told
from provisioning.models import Revision, Run
from provisioning.selectors import differences, views
from provisioning.services import revisions as service


@page("view")
def revisions(request: PageRequest) -> HttpResponse:
    runs = Run.objects.filter(revision=OuterRef("number")).order_by("-created_at")
    found = Revision.objects.annotate(
        run_uid=Subquery(runs.values("uid")[:1]), run_state=Subquery(runs.values("state")[:1])
    )
    context = {
        "page": Paginator(found, 50).get_page(request.GET.get("page")),
        "live": views.live().revision,
        "has_runs": bool(nav.address("runs", request.tenant.slug)),
    }
    return render(request, "pages/revisions.html", context)


@page("view")
def revision(request: PageRequest, number: int) -> HttpResponse:
    """What a revision changed, against the one before it or against ``?with=``."""
    shown = get_object_or_404(Revision, number=number)
    other = request.GET.get("with", "")
    base = int(other) if other.isdecimal() and len(other) < 10 and int(other) != number else number - 1
    return render(
        request,
        "pages/revision.html",
        {
            "revision": shown,
            "base": base,
            "changes": differences.between(views.revision(base), views.revision(number)),
            "live": views.live().revision,
        },
    )


@require_POST
@page("view")
def restore(request: PageRequest, number: int) -> HttpResponse:
    if "edit" not in request.rights:
        raise PermissionDenied
    with told(request) as done:
        draft = service.restore(number)
    if not done:
        return redirect("revisions", request.tenant.slug)
    messages.success(request, f"Made the draft “{draft.name}”. Review it, then provision.")
    return redirect(
        nav.address("draft", request.tenant.slug, draft.uid) or nav.address("revisions", request.tenant.slug)
    )
