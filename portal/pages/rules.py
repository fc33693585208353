"""The rules of a draft or of live: every policy's rules in the order they are tried, shares, and default actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from portal.api.intent_objects import draft_etag
from portal.pages import rule_table
from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.objects import KIND_PAGES
from portal.pages.objects.pages import NEW, ShownSnapshot, object_panel
from provisioning.core.check import check_network
from provisioning.core.intent import kind_of
from provisioning.core.intent.policies import ACTIONS, MODES, TIERS
from provisioning.models import Draft
from provisioning.selectors import rule_hits
from provisioning.services.drafts.kept_tiers import kept_tiers
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.queries import Snapshot, StoredObject

PAGE_SIZE = 100
NEVER_MATCHES = ("shadowed_rule", "matches_nothing", "matches_nobody")


@tenant_page()
def of_draft(request: PageRequest, uid: UUID) -> HttpResponse:
    draft, slug = get_draft(request, uid), request.tenant.slug
    root, api = reverse("draft-objects", args=[slug, uid]), f"/api/v1/t/{slug}/drafts/{uid}/"
    return _render(request, ShownSnapshot(queries.snapshot_of_draft(draft), draft.name, root, api, draft))


@tenant_page()
def of_live(request: PageRequest) -> HttpResponse:
    slug = request.tenant.slug
    root, api = reverse("network", args=[slug]), f"/api/v1/t/{slug}/live/"
    return _render(request, ShownSnapshot(queries.live_snapshot(), "Live", root, api))


def _render(request: PageRequest, shown: ShownSnapshot) -> HttpResponse:
    snapshot, draft, now = shown.snapshot, shown.draft, timezone.now()
    objects = tenant_cache.load_objects(snapshot)
    of_kind: dict[str, list[StoredObject]] = {"policies": [], "shares": [], "segments": []}
    names = {}
    for row in objects:
        names[row.uid] = row.name
        if row.kind in of_kind:
            of_kind[row.kind].append(row)
    policies = sorted(of_kind["policies"], key=lambda row: kind_of("policies").order_of(row.body))
    known = _base_bodies(snapshot), names, _never_match(snapshot), rule_hits.rule_hits(now)
    rows = list(rule_table.policy_rows(policies, *known))
    asked = rule_table.RuleFilter(
        **{field.name: request.GET.get(field.name, "").strip() for field in fields(rule_table.RuleFilter)}
    )
    taken = [row for row in rows if asked.takes(row)]
    page = Paginator(taken, PAGE_SIZE).get_page(request.GET.get("page"))
    editable = draft is not None and draft.state == Draft.State.OPEN and "edit" in request.rights
    kept = kept_tiers() if editable else {}
    context = {
        "tenant": request.tenant,
        "snapshot": shown,
        "draft": draft and {"id": str(draft.uid), "name": draft.name},
        "may": {"edit": editable},
        "asked": asked,
        "page": page,
        "sections": rule_table.tier_sections(page, rows, kept),
        "kept": kept,
        "following": _following(taken, page.end_index()),
        "etag": draft_etag(draft) if draft else "",
        "total": len(rows),
        "counts": _counts(rows, draft is not None),
        "tiers": TIERS,
        "actions": ACTIONS,
        "modes": MODES,
        "segments": sorted(of_kind["segments"], key=lambda row: row.name),
        "shares": rule_table.share_rows(of_kind["shares"], names),
        "defaults": rule_table.default_rows(of_kind["segments"], rule_hits.default_action_hits(now)),
        **_editing(request, shown, policies, editable),
    }
    return render(request, "pages/rules/page.html" + ("#live" if request.htmx else ""), context)


def _following(rows: Sequence[rule_table.RuleRow], end: int) -> StoredObject | None:
    """Return the policy that follows the last one of the page, which ends before row ``end``."""
    return next((row.policy for row in rows[end:] if row.policy is not rows[end - 1].policy), None)


def _base_bodies(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Return uid → body of the policies in the draft's base, or of these very ones where it is no draft."""
    base = tenant_cache.load_objects(Snapshot(snapshot.revision))
    return {row.uid: row.body for row in base if row.kind == "policies"}


def _never_match(snapshot: Snapshot) -> dict[str, str]:
    problems = check_network(tenant_cache.load_network(snapshot))
    return {problem.path: problem.message for problem in problems if problem.code in NEVER_MATCHES}


def _counts(rows: Sequence[rule_table.RuleRow], is_draft: bool) -> list[tuple[str, str, int]]:
    """Return (name, word, rules) of the quick filters that list something."""
    counts = [
        (name, word, sum(rule_table.is_listed_under(row, name) for row in rows))
        for name, word in rule_table.ONLY.items()
        if is_draft or name != "changed"
    ]
    return [(name, word, count) for name, word, count in counts if count]


def _editing(
    request: PageRequest, shown: ShownSnapshot, policies: Sequence[StoredObject], editable: bool
) -> dict[str, Any]:
    """Return the form that ``?select=`` asks for: of a policy, shown in its place, or of a new one."""
    selected, kind = request.GET.get("select", ""), KIND_PAGES["policies"]
    policy = next((row for row in policies if row.uid == selected), None)
    if not editable or (policy is None and selected != NEW):
        return {"panel": None, "selected": ""}
    return {"panel": object_panel(shown.snapshot, kind, policy, shown.api, shown.root), "selected": selected}
