"""Plans: the list, and the review of one: what becomes reachable, the steps, the price, and Provision."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from portal.pages import review
from portal.pages.door import PageRequest, page
from portal.pages.places import Places
from provisioning.models import Plan
from provisioning.services import plans as services
from provisioning.services import resource_state

PAGE = 100


@page()
def plans(request: PageRequest) -> HttpResponse:
    found = Plan.objects.select_related("draft")
    state = request.GET.get("state", "")
    if state:
        found = found.filter(state=state)
    there = cache(resource_state.state_fingerprint)
    rows = [
        {
            "plan": plan,
            "state": services.current_state(plan, there)[0],
            "counts": review.counts(plan.changes.values("action")),
        }
        for plan in found[:PAGE]
    ]
    context = {"rows": rows, "state": state, "states": Plan.State.values, "tenant": request.tenant}
    return render(request, "pages/plans/list.html", context)


@page()
def plan(request: PageRequest, uid: UUID) -> HttpResponse:
    found = get_object_or_404(Plan.objects.select_related("draft"), uid=uid)
    request.draft_uid = found.draft.uid
    return render(request, "pages/plans/plan.html", {"tenant": request.tenant, **_told(request, found)})


def _told(request: PageRequest, plan: Plan) -> dict[str, Any]:
    asks = request.tenant.requires_approval
    own = plan.author == request.who.user.email
    state, moved = services.current_state(plan)
    root = f"/api/v1/t/{request.tenant.slug}/"
    reach = review.reachability(plan.reachability)
    decided = [one for row in reach for one in row["decided"]]
    objects = reverse("draft-objects", args=[request.tenant.slug, plan.draft.uid])
    places = Places(objects, [one["rule"] for one in decided], [one.get("path", "") for one in plan.warnings])
    for one in decided:
        one["url"] = places.rule(one["rule"])
    return {
        "plan": plan,
        "state": state,
        "moved": moved,
        "api": f"{root}plans/{plan.uid}/",
        "again_api": f"{root}drafts/{plan.draft.uid}/plan/",
        "counts": review.counts(plan.steps),
        "steps": review.steps(plan.steps),
        "reach": reach,
        "tallies": review.tallies(plan.reachability),
        "cost": review.cost(plan.cost),
        "radius": review.radius(plan.blast_radius),
        "needs_approval": asks and plan.state == Plan.State.READY,
        "own": own,
        "may": {
            "provision": "provision" in request.rights,
            "approve": "approve" in request.rights and not own,
            "stop": "approve" in request.rights,
            "edit": "edit" in request.rights,
        },
        "runs": plan.runs.all(),
        "warnings": [{**one, "url": places.path(one.get("path", ""))} for one in plan.warnings],
        "warnings_word": f"{len(plan.warnings)} warning{'s' if len(plan.warnings) != 1 else ''}",
    }
