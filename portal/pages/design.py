"""Design: the drafts of a tenant, and one draft as canvas and as rules. Edits go through the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.pages import canvas_board, canvas_links, reach_rows
from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.object_links import ObjectLinks
from portal.pages.objects import KINDS
from portal.pages.objects.list_rows import ReferenceNames, get_page
from portal.pages.objects.pages import object_panel
from portal.pages.refusals import catch_refusals as refusing
from provisioning import catalog
from provisioning.core.check import check_network
from provisioning.core.intent import INTERNET, InvalidIntent
from provisioning.core.intent.policies import ACTIONS
from provisioning.core.values.resource import as_json
from provisioning.models import Draft
from provisioning.selectors import draft_changes
from provisioning.selectors import reachability as selectors
from provisioning.services.drafts import editing
from provisioning.snapshots import queries, tenant_cache

PROTOCOLS = ("any", "tcp", "udp", "icmp", "icmpv6")
NEW_PREFIX = "new/"


@tenant_page()
def design(request: PageRequest) -> HttpResponse:
    found = Draft.objects.filter(state=Draft.State.OPEN)
    return render(request, "pages/design/drafts.html", {"drafts": found, "live": queries.live_snapshot().revision})


@tenant_page()
def canvas(request: PageRequest, uid: UUID) -> HttpResponse:
    context = _canvas_context(request, uid)
    chosen = request.GET.get("select", "")
    selected = _selected_object(context["items"], chosen)
    panel = _object_panel(context, selected, chosen)
    context |= {
        "selected": selected,
        "panel": panel,
        "panel_label": _panel_label(selected, panel),
        "reach_from": selected.uid if selected and selected.kind in ("groups", "connectors") else "",
    }
    return render(request, "pages/design/canvas.html" + ("#live" if request.htmx else ""), context)


@tenant_page()
def rules(request: PageRequest, uid: UUID) -> HttpResponse:
    """The policies in the order they are tried, a page at a time."""
    draft = get_draft(request, uid)
    view = queries.snapshot_of_draft(draft)
    found = get_page(view, "policies", request.GET.get("cursor"), ordering="position")
    states = draft_changes.change_states(draft, found.rows)
    names = {ref: row.name for ref, row in ReferenceNames(view, [row.body for row in found.rows]).rows.items()}
    items = [canvas_board.BoardObject(row.kind, row.uid, row.body, states.get(row.uid, "same")) for row in found.rows]
    context = {
        "tenant": request.tenant,
        "draft": {"id": str(draft.uid), "name": draft.name},
        "rule_rows": [row for item in items for row in canvas_board.rule_rows(item, names)],
        "next": found.next,
        "previous": found.previous,
    }
    return render(request, "pages/design/rules.html", context)


def _canvas_context(request: PageRequest, uid: UUID) -> dict[str, Any]:
    """What the canvas shows of a draft: its network, what it did to its base, its problems, what can be chosen."""
    draft = get_draft(request, uid)
    view = queries.snapshot_of_draft(draft)
    found = queries.list_objects(view)
    base = _bodies_by_kind(queries.list_objects(queries.Snapshot(draft.base_revision)))
    drawn = canvas_board.build_board(_bodies_by_kind(found), base)
    items = canvas_board.compare_networks(_bodies_by_kind(found), base)
    here = {kind: [item for item in rows if item.state != "removed"] for kind, rows in items.items()}
    names = {item.uid: item.name for rows in here.values() for item in rows}
    canvas_links.add_badges(drawn, here)
    problems = check_network(tenant_cache.load_network(view))
    valid = all(problem.severity != "error" for problem in problems)
    failing = selectors.failing_assertions(view) if valid else []
    objects_url = reverse("draft-objects", args=[request.tenant.slug, draft.uid])
    places = ObjectLinks(objects_url, paths=[problem.path for problem in (*failing, *problems)])
    told = [{**as_json(problem), "url": places.path(problem.path)} for problem in (*failing, *problems)]
    return {
        "tenant": request.tenant,
        "draft": {"id": str(draft.uid), "name": draft.name},
        "view": view,
        "api": f"/api/v1/t/{request.tenant.slug}/drafts/{draft.uid}/",
        "objects_url": objects_url,
        "may": {"edit": "edit" in request.rights and draft.state == Draft.State.OPEN},
        "board": drawn,
        "items": items,
        "shares": canvas_links.share_chips(here.get("shares", []), drawn.lanes, names),
        "changes": [item for rows in items.values() for item in rows if item.state != "same"],
        "problems": told,
        "errors": 0 if valid else sum(problem["severity"] == "error" for problem in told),
        "failing": len(failing),
        "warnings": sum(problem["severity"] == "warning" for problem in told),
        "lists": [(word, here.get(kind, [])) for word, kind in (
            ("Exchanges", "exchanges"), ("Services", "services"), ("Prefix lists", "prefix-lists"),
            ("Assertions", "assertions"))],
        **{kind: here.get(kind, []) for kind in ("exchanges", "services")},
        "actions": ACTIONS,
        "protocols": PROTOCOLS,
        "products": _products(here.get("services", [])),
    }  # fmt: skip


def _bodies_by_kind(rows: list[queries.StoredObject]) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in queries.KINDS}
    for row in rows:
        found[row.kind][row.uid] = row.body
    return found


def _selected_object(items: dict[str, list[canvas_board.BoardObject]], key: str) -> canvas_board.BoardObject | None:
    """The object that the address names; the internet and `any` are no objects, yet can be looked at."""
    if key == INTERNET:
        return canvas_board.BoardObject(INTERNET, INTERNET, {"name": "the internet"}, icon="world")
    kind, _, uid = key.partition("/")
    return next((item for item in items.get(kind, []) if item.uid == uid and item.state != "removed"), None)


def _object_panel(
    context: dict[str, Any], selected: canvas_board.BoardObject | None, chosen: str
) -> dict[str, Any] | None:
    """The form beside the canvas: of what is selected, or with `new/groups` of a new one."""
    view, api, root = context["view"], context["api"], context["objects_url"]
    if selected and selected.kind in KINDS:
        row = queries.get_object(view, selected.kind, selected.uid)
        return object_panel(view, KINDS[selected.kind], row, api, root, selected.state)
    kind = (
        KINDS.get(chosen.removeprefix(NEW_PREFIX)) if chosen.startswith(NEW_PREFIX) and context["may"]["edit"] else None
    )
    return object_panel(view, kind, None, api, root) if kind and not kind.wizard else None


def _panel_label(selected: canvas_board.BoardObject | None, panel: dict[str, Any] | None) -> str:
    """What a screen reader calls the panel beside the canvas."""
    if selected:
        return f"{selected.word[:1].upper()}{selected.word[1:]} {selected.name}"
    return f"New {panel['kind'].word}" if panel else "This draft"


def _products(services: list[canvas_board.BoardObject]) -> list[dict[str, Any]]:
    """The marketplace products that can be dropped here, with the services the draft already has of each."""
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
    """Put back what the draft removed: `item` is `connectors/{uid}`."""
    draft = get_object_or_404(Draft, uid=uid)
    kind, _, item = request.POST.get("item", "").partition("/")
    with refusing(request):
        editing.restore_object(draft, kind, item)
    back = request.POST.get("next", "")
    here = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if here else reverse("draft", args=[request.tenant.slug, uid]))


@tenant_page()
def reach(request: PageRequest, uid: UUID) -> HttpResponse:
    """What one thing can reach, in the draft or in live: a fragment of the side panel."""
    draft = get_object_or_404(Draft, uid=uid)
    view, live = queries.snapshot_of_draft(draft), queries.live_snapshot()
    source, version = request.GET.get("from", ""), request.GET.get("view", "draft")
    name = next((row.name for row in queries.list_objects(view) if row.uid == source), source)
    shown = view if version == "draft" else live
    found = _reachable_flows(shown, source)
    before = (_reachable_flows(live, source) or []) if version == "draft" else None
    context = {
        "tenant": request.tenant,
        "draft": {"id": str(draft.uid)},
        "source": source,
        "version": version,
        "version_key": f"drafts/{draft.uid}" if version == "draft" else "live",
        "name": name,
        "rows": reach_rows.build_rows(
            name, _segments_of(shown, source), found, before, _reachable_ends(shown), _groups_by_connector(shown)
        )
        if found is not None
        else [],
    }
    return render(request, "pages/design/reach.html", context)


def _reachable_flows(view: queries.Snapshot, source: str) -> list[dict[str, Any]] | None:
    """None where the source does not exist in that version."""
    try:
        return selectors.list_reachable(view, source)
    except InvalidIntent:
        return None


def _segments_of(view: queries.Snapshot, source: str) -> set[str]:
    """The names of the segments that a group or a connector is in."""
    names = {row.uid: row.name for row in queries.list_objects(view, "segments")}
    return {
        names[one["segment"]]
        for row in queries.list_objects(view, "connectors")
        for one in row.body["attachments"]
        if source in (row.uid, one["group"])
    }


def _reachable_ends(view: queries.Snapshot) -> dict[str, set[str]]:
    """The groups that hold a connector of the view and the internet where there is an exit: name → its segments."""
    names = {row.uid: row.name for kind in ("segments", "groups") for row in queries.list_objects(view, kind)}
    ends: dict[str, set[str]] = {}
    for row in queries.list_objects(view, "connectors"):
        for one in row.body["attachments"]:
            name = INTERNET if row.body["kind"] == "internet-exit" else names.get(one["group"] or "", row.name)
            ends.setdefault(name, set()).add(names[one["segment"]])
    return ends


def _groups_by_connector(view: queries.Snapshot) -> dict[str, set[str]]:
    """Connector → the names of its groups."""
    names = {row.uid: row.name for row in queries.list_objects(view, "groups")}
    return {
        row.name: {names[one["group"]] for one in row.body["attachments"] if one["group"] in names}
        for row in queries.list_objects(view, "connectors")
    }
