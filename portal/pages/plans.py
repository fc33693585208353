"""Plans: the list, and the review of one: what becomes reachable, the steps, the price, and Provision."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from portal.pages import plan_review
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.flow_words import example_packet_text, packet_query
from portal.pages.object_links import ObjectLinks
from provisioning.models import Plan
from provisioning.selectors import plan_state
from provisioning.selectors.object_names import names_in_addresses
from provisioning.selectors.plans import plan_authors, plan_risks
from provisioning.snapshots import resource_state
from tenants.models import Notification

PAGE_SIZE = 100


@tenant_page()
def plans(request: PageRequest) -> HttpResponse:
    plan_rows = Plan.objects.select_related("draft")
    state = request.GET.get("state", "")
    if state:
        plan_rows = plan_rows.filter(state=state)
    fingerprint = cache(resource_state.state_fingerprint)
    rows = [
        {
            "plan": plan,
            "state": plan_state.current_state(plan, fingerprint)[0],
            "counts": plan_review.action_counts(plan.changes.values("action")),
        }
        for plan in plan_rows[:PAGE_SIZE]
    ]
    context = {"rows": rows, "state": state, "states": Plan.State.values, "tenant": request.tenant}
    return render(request, "pages/plans/list.html", context)


@tenant_page()
def plan(request: PageRequest, uid: UUID) -> HttpResponse:
    plan_row = get_object_or_404(Plan.objects.select_related("draft"), uid=uid)
    request.draft_uid = plan_row.draft.uid
    return render(request, "pages/plans/plan.html", {"tenant": request.tenant, **_plan_context(request, plan_row)})


def _plan_context(request: PageRequest, plan: Plan) -> dict[str, Any]:
    own = request.principal.user.email in plan_authors(plan)
    state, moved = plan_state.current_state(plan)
    root = f"/api/v1/t/{request.tenant.slug}/"
    reach = plan_review.reachability_sentences(plan.reachability)
    decisions = [item for row in reach for item in row["decided"]]
    objects = reverse("draft-objects", args=[request.tenant.slug, plan.draft.uid])
    noted = [item.get("path", "") for item in (*plan.warnings, *plan.problems)]
    links = ObjectLinks(objects, [item["rule"] for item in decisions], noted, plan.draft)
    for item in decisions:
        item["url"] = links.rule(item["rule"])
    cost, steps = plan_review.cost_summary(plan.cost), plan.steps
    names = names_in_addresses([step["address"] for step in steps], plan.draft)
    needs_approval = request.tenant.requires_approval and state == Plan.State.READY
    return {
        "plan": plan,
        "state": state,
        "moved": moved,
        "api": f"{root}plans/{plan.uid}/",
        "again_api": f"{root}drafts/{plan.draft.uid}/plan/",
        "counts": plan_review.action_counts(steps),
        "steps": plan_review.step_rows(steps, names),
        "reach": reach,
        "flow_counts": plan_review.reachability_counts(plan.reachability),
        "cost": cost,
        "blast_radius": plan_review.blast_radius_rows(plan.blast_radius),
        "parts": [
            ("reach", "Reachability", len(reach)),
            *([("groups", "Groups", len(plan.memberships))] if plan.memberships else []),
            ("steps", "Steps", len(steps)),
            ("cost", "Cost", len(cost["lines"])),
            ("assertions", "Assertions", len(plan.assertions)),
            ("warnings", "Warnings", len(plan.warnings)),
        ],
        "needs_approval": needs_approval,
        "blocked": _why_blocked(request, state, needs_approval, own),
        "may": {
            "provision": "provision" in request.rights,
            "approve": "approve" in request.rights and not own,
            "stop": "approve" in request.rights,
            "edit": "edit" in request.rights,
            "ask": "edit" in request.rights and state in (Plan.State.READY, Plan.State.APPROVED),
        },
        "asked": Notification.objects.filter(path=f"plans/{plan.uid}/").select_related("user"),
        "runs": plan.runs.all(),
        "risks": plan_risks(plan),
        "assertions": [_assertion_row(request, plan, assertion) for assertion in plan.assertions],
        "failing": sum(not assertion["holds"] for assertion in plan.assertions),
        "problems": [{**item, **links.place(item.get("path", ""))} for item in plan.problems],
        "warnings": [{**item, **links.place(item.get("path", ""))} for item in plan.warnings],
        "warnings_word": f"{len(plan.warnings)} warning{'s' if len(plan.warnings) != 1 else ''}",
    }


def _assertion_row(request: PageRequest, plan: Plan, assertion: dict[str, Any]) -> dict[str, Any]:
    """Return an assertion with links to it in the draft and, where a packet breaks it, to the trace of that packet."""
    slug, version = request.tenant.slug, f"drafts/{plan.draft.uid}"
    root = reverse("draft-objects", args=[slug, plan.draft.uid])
    row = {**assertion, "url": f"{root}assertions/?select={assertion['uid']}"}
    if packet := assertion.get("example"):
        query = packet_query(packet)
        row["example"] = example_packet_text(packet)
        row["trace"] = f"{reverse('trace', args=[slug])}?{urlencode({'version': version, **query})}"
    return row


def _why_blocked(request: PageRequest, state: str, needs_approval: bool, own: bool) -> str:
    """Return why this person cannot provision a plan that is made, and who or what can help; "" where they can."""
    if state == "stale":
        return "Blocked: plan again first."
    if state == Plan.State.FAILED:
        return "Blocked: an assertion fails. Change the draft, or the assertion, and plan again."
    if state not in (Plan.State.READY, Plan.State.APPROVED):
        return ""
    if needs_approval:
        if own:
            return "You made this plan or wrote some of its edits, so another person has to approve it."
        return "Blocked until a person with the right to approve has approved the plan."
    return "" if "provision" in request.rights else "Your role may not provision. Ask an owner or a network admin."
