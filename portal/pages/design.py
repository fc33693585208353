"""Design: the drafts of a tenant, and one draft as a canvas and as rules. Edits go through the API."""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.api.intent_objects import draft_etag
from portal.pages import canvas_board, canvas_links, canvas_panel, canvas_problems, reach_rows
from portal.pages.canvas_cards import Board, BoardObject
from portal.pages.canvas_view import BoardView, visible_chips
from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.draft_bar import open_drafts
from portal.pages.object_links import ObjectLinks
from portal.pages.objects import KIND_PAGES
from portal.pages.objects.form_fields import PROTOCOLS
from portal.pages.objects.pages import object_panel
from portal.pages.refusals import catch_refusals
from provisioning import catalog
from provisioning.core.intent import INTERNET, Intent, InvalidIntent
from provisioning.core.intent.policies import ACTIONS
from provisioning.core.values.resource import MAX_PROBLEMS, Problem, as_json
from provisioning.models import Draft
from provisioning.selectors import reachability as selectors
from provisioning.services.drafts import editing
from provisioning.services.drafts.lifecycle import RESTORABLE_FOR
from provisioning.snapshots import network_problems, queries, tenant_cache

NEW_PREFIX = "new/"
PALETTE_KEYS = {"groups": "n", "segments": "s", "exchanges": "x", "shares": "h", "assertions": "a"}
"""Kinds that are added on the canvas → the key that adds one; connectors have a wizard."""


@tenant_page()
def design(request: PageRequest) -> HttpResponse:
    expiry = timezone.now() - RESTORABLE_FOR
    discarded = Draft.objects.filter(state=Draft.State.DISCARDED, discarded_at__gt=expiry).order_by("-discarded_at")
    context = {
        "drafts": open_drafts(request.tenant, request.principal.user.email, limit=None),
        "discarded": [
            {"draft": draft, "etag": draft_etag(draft), "until": draft.discarded_at + RESTORABLE_FOR}
            for draft in discarded
        ],
        "gone": _draft_that_is_gone(request),
        "restorable_from": expiry,
        "live": queries.live_snapshot().revision,
    }
    return render(request, "pages/design/drafts.html", context)


def _draft_that_is_gone(request: PageRequest) -> Draft | None:
    """Return the discarded draft that ``?discarded=`` names: a page about it led here."""
    with suppress(ValueError):
        uid = UUID(request.GET.get("discarded", ""))
        return Draft.objects.filter(uid=uid, state=Draft.State.DISCARDED).first()
    return None


@tenant_page()
def canvas(request: PageRequest, uid: UUID) -> HttpResponse:
    context = _canvas_context(request, uid)
    chosen = request.GET.get("select", "")
    selected = _selected_object(context["items"], chosen)
    panel = _object_panel(request, context, selected, chosen)
    context |= {
        "selected": selected,
        "panel": panel,
        "heading": canvas_panel.panel_heading(context["board"], selected, panel),
        "reach_from": selected.uid if selected and selected.kind in ("groups", "connectors") else "",
    }
    return render(request, "pages/design/canvas.html" + ("#live" if request.htmx else ""), context)


def _canvas_context(request: PageRequest, uid: UUID) -> dict[str, Any]:
    """Return what the canvas shows of a draft: network, changes since its base, problems, what can be chosen."""
    draft = get_draft(request, uid)
    snapshot, base, live = (
        queries.snapshot_of_draft(draft),
        queries.Snapshot(draft.base_revision),
        queries.live_snapshot(),
    )
    board_view = read_board_view(request)
    board = load_board(snapshot, base, board_view)
    items, present = board.items, board.present
    names = {item.uid: item.name for rows in present.values() for item in rows}
    canvas_links.add_badges(board, present)
    problems = _draft_problems(snapshot, base)
    objects_url = reverse("draft-objects", args=[request.tenant.slug, draft.uid])
    return {
        "tenant": request.tenant,
        "draft": {"id": str(draft.uid), "name": draft.name},
        "view": snapshot,
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{draft.uid}/",
        "objects_url": objects_url,
        "may": {"edit": "edit" in request.rights and draft.state == Draft.State.OPEN},
        "board": board,
        "board_view": board_view,
        "items": items,
        "present": present,
        "shares": visible_chips(
            canvas_links.share_chips(present.get("shares", []), board.lanes, names), board_view, board.lanes),
        "changes": [item for rows in items.values() for item in rows if item.state != "same"],
        "problems": problems,
        "problem_lists": _problem_lists(problems, objects_url, draft),
        "base_word": "live" if draft.base_revision == live.revision else f"revision {draft.base_revision}",
        "lists": [(word, present.get(kind, [])) for word, kind in (
            ("Exchanges", "exchanges"), ("Services", "services"), ("Prefix lists", "prefix-lists"),
            ("Port lists", "port-lists"), ("Assertions", "assertions"))],
        **{kind: present.get(kind, []) for kind in ("exchanges", "segments", "services")},
        "first_steps": _first_steps(present, reverse("connector-new", args=[request.tenant.slug])),
        "actions": ACTIONS,
        "protocols": [name for name, _ in PROTOCOLS],
        "palette": [(KIND_PAGES[kind], key) for kind, key in PALETTE_KEYS.items()],
        "products": _products(present.get("services", [])),
    }  # fmt: skip


def _first_steps(present: dict[str, list[BoardObject]], wizard_url: str) -> list[dict[str, Any]]:
    """Return the steps to a first connector, none once there is one: {"word", "is_done", and "key" or "url"}."""
    if present.get("connectors"):
        return []
    return [
        {"word": "1. Add an exchange", "key": "new/exchanges", "is_done": bool(present.get("exchanges"))},
        {"word": "2. Add a segment", "key": "new/segments", "is_done": bool(present.get("segments"))},
        {"word": "3. Add a connector", "url": wizard_url, "is_done": False},
    ]


def _draft_problems(snapshot: queries.Snapshot, base: queries.Snapshot) -> canvas_problems.DraftProblems:
    problems, base_problems = map(network_problems.find_problems, (snapshot, base))
    failing = _failing_assertions(snapshot, problems)
    if failing:
        base_problems = [*base_problems, *_failing_assertions(base, base_problems)]
    return canvas_problems.split_problems(failing, problems, base_problems)


def _failing_assertions(snapshot: queries.Snapshot, problems: list[Problem]) -> list[Problem]:
    """Return the assertions that do not hold; only a valid network can tell."""
    is_valid = all(problem.severity != "error" for problem in problems)
    return selectors.failing_assertions(snapshot, timezone.now().date()) if is_valid else []


def _problem_lists(
    problems: canvas_problems.DraftProblems, objects_url: str, draft: Draft
) -> dict[str, list[dict[str, Any]]]:
    """Return the first of the new and of the inherited problems, each with the address of its object."""
    shown = {"new": problems.new[:MAX_PROBLEMS], "inherited": problems.inherited[:MAX_PROBLEMS]}
    links = ObjectLinks(objects_url, paths=[problem.path for part in shown.values() for problem in part], draft=draft)
    return {
        name: [{**as_json(problem), **links.place(problem.path)} for problem in part] for name, part in shown.items()
    }


def read_board_view(request: PageRequest) -> BoardView:
    return BoardView(
        request.GET.get("find", "").strip(),
        frozenset(request.GET.getlist("segment")),
        frozenset(request.GET.getlist("open")),
        request.GET.get("select", "").partition("/")[2],
    )


def load_board(snapshot: queries.Snapshot, base: queries.Snapshot, board_view: BoardView) -> Board:
    connectors = tenant_cache.load_network(snapshot).intent.connectors
    groups_of = {uid: [each.member_of for each in connector.attachments] for uid, connector in connectors.items()}
    return canvas_board.build_board(_bodies_by_kind(snapshot), _bodies_by_kind(base), board_view, groups_of)


def _bodies_by_kind(snapshot: queries.Snapshot) -> dict[str, dict[str, dict[str, Any]]]:
    """Return kind → uid → body, by name."""
    objects = tenant_cache.load_objects(snapshot)
    return {
        kind: {row.uid: row.body for row in sorted(objects.rows(kind), key=attrgetter("name"))}
        for kind in queries.KINDS
    }


def _selected_object(items: dict[str, list[BoardObject]], key: str) -> BoardObject | None:
    """Return the object that the address names; the internet is no object but can be selected too."""
    if key == INTERNET:
        return BoardObject(INTERNET, INTERNET, {"name": "the internet"}, icon="world")
    kind, _, uid = key.partition("/")
    return next((item for item in items.get(kind, []) if item.uid == uid and item.state != "removed"), None)


def _object_panel(
    request: PageRequest, context: dict[str, Any], selected: BoardObject | None, chosen: str
) -> dict[str, Any] | None:
    """Return the form beside the canvas: of the selected object, or for ``new/groups`` of a new one."""
    may_edit, with_prices = context["may"]["edit"], "usage" in request.rights
    snapshot, api, root = context["view"], context["api"], context["objects_url"]
    if selected and selected.kind in KIND_PAGES:
        row = queries.get_object(snapshot, selected.kind, selected.uid)
        return object_panel(
            snapshot, KIND_PAGES[selected.kind], row, api, root, selected.state, with_prices=may_edit and with_prices
        )
    kind = KIND_PAGES.get(chosen.removeprefix(NEW_PREFIX)) if chosen.startswith(NEW_PREFIX) and may_edit else None
    if kind is None or kind.wizard:
        return None
    blank = None
    if kind.key == "shares":
        names = [share.name for share in context["items"]["shares"]]
        ends = (request.GET.get("from", ""), request.GET.get("to", ""))
        blank = canvas_panel.share_between(context["board"], *ends, names)
    return object_panel(snapshot, kind, None, api, root, blank=blank, with_prices=with_prices)


def _products(services: list[BoardObject]) -> list[dict[str, Any]]:
    """Return the marketplace products that can be dropped here, with the services the draft already has of each."""
    return [
        {
            "key": product.key,
            "name": product.name,
            "vendor": product.vendor,
            "services": [service for service in services if service.body.get("product") == product.key],
        }
        for product in catalog.PRODUCTS
        if product.available
    ]


@tenant_page("edit")
@require_POST
def restore(request: PageRequest, uid: UUID) -> HttpResponse:
    """Restore an object that the draft removed; ``item`` is ``connectors/{uid}``."""
    draft = get_object_or_404(Draft, uid=uid)
    kind, _, item = request.POST.get("item", "").partition("/")
    with catch_refusals(request):
        editing.restore_object(draft, kind, item)
    back = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_safe else reverse("draft", args=[request.tenant.slug, uid]))


@tenant_page()
def reach(request: PageRequest, uid: UUID) -> HttpResponse:
    """Answer what one object can reach, in the draft or in live, as a fragment of the side panel."""
    draft = get_object_or_404(Draft, uid=uid)
    draft_snapshot, live = queries.snapshot_of_draft(draft), queries.live_snapshot()
    source, version = request.GET.get("from", ""), request.GET.get("view", "draft")
    name = tenant_cache.load_objects(draft_snapshot).label(source)
    snapshot = draft_snapshot if version == "draft" else live
    flows, intent = _reachable_flows(snapshot, source), tenant_cache.load_network(snapshot).intent
    live_flows = (_reachable_flows(live, source) or []) if version == "draft" else None
    context = {
        "tenant": request.tenant,
        "draft": {"id": str(draft.uid)},
        "source": source,
        "version": version,
        "version_key": f"drafts/{draft.uid}" if version == "draft" else "live",
        "name": name,
        "rows": reach_rows.build_rows(
            name,
            _segments_of(intent, source),
            flows,
            live_flows,
            _reachable_ends(intent),
            _groups_by_connector(intent),
        )
        if flows is not None
        else [],
    }
    return render(request, "pages/design/reach.html", context)


def _reachable_flows(snapshot: queries.Snapshot, source: str) -> list[dict[str, Any]] | None:
    """Return the flows from a source, or None when that version has no such object."""
    try:
        return selectors.list_reachable(snapshot, source)
    except InvalidIntent:
        return None


def _segments_of(intent: Intent, source: str) -> set[str]:
    """Return the names of the segments that a group or a connector is in."""
    return {
        intent.segments[attachment.segment].name
        for connector in intent.connectors.values()
        for attachment in connector.attachments
        if source in (connector.uid, *attachment.member_of)
    }


def _reachable_ends(intent: Intent) -> dict[str, set[str]]:
    """Return name → segments of what could be reached: groups with a connector, the internet if there is an exit."""
    ends: dict[str, set[str]] = {}
    for connector in intent.connectors.values():
        for attachment in connector.attachments:
            groups = [intent.groups[uid].name for uid in attachment.member_of if uid in intent.groups]
            for name in [INTERNET] if connector.kind == "internet-exit" else groups or [connector.name]:
                ends.setdefault(name, set()).add(intent.segments[attachment.segment].name)
    return ends


def _groups_by_connector(intent: Intent) -> dict[str, set[str]]:
    """Return connector → the names of its groups."""
    return {
        connector.name: {
            intent.groups[uid].name
            for attachment in connector.attachments
            for uid in attachment.member_of
            if uid in intent.groups
        }
        for connector in intent.connectors.values()
    }
