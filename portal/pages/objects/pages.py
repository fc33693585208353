"""The page of every kind: a draft's objects to be changed, those of live and of old revisions to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.objects import KINDS, menu_sections
from portal.pages.objects.bound_form import BoundField, bind_fields
from portal.pages.objects.list_rows import ReferenceNames, get_page, list_rows
from portal.pages.objects.object_kind import ObjectKind
from provisioning.errors import ObjectNotFound
from provisioning.models import Draft, Item
from provisioning.selectors import draft_changes
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject

NEW = "new"


@dataclass(frozen=True, slots=True)
class ShownSnapshot:
    """The version whose objects are shown: its name, its addresses, and the draft where it is one."""

    snapshot: Snapshot
    title: str
    root: str  # the page's address without the kind
    api: str
    draft: Draft | None = None


@tenant_page()
def in_draft(request: PageRequest, uid: UUID, kind: str = "") -> HttpResponse:
    draft = get_draft(request, uid)
    slug = request.tenant.slug
    root = reverse("draft-objects", args=[slug, uid])
    return _render_page(
        request,
        ShownSnapshot(queries.snapshot_of_draft(draft), draft.name, root, f"/api/v1/t/{slug}/drafts/{uid}/", draft),
        kind,
    )


@tenant_page()
def in_live(request: PageRequest, kind: str = "") -> HttpResponse:
    slug = request.tenant.slug
    return _render_page(
        request,
        ShownSnapshot(queries.live_snapshot(), "Live", reverse("network", args=[slug]), f"/api/v1/t/{slug}/live/"),
        kind,
    )


@tenant_page()
def in_revision(request: PageRequest, number: int, kind: str = "") -> HttpResponse:
    slug = request.tenant.slug
    root = reverse("revision-objects", args=[slug, number])
    place = ShownSnapshot(
        queries.revision_snapshot(number), f"Revision {number}", root, f"/api/v1/t/{slug}/revisions/{number}/"
    )
    return _render_page(request, place, kind)


def _render_page(request: PageRequest, place: ShownSnapshot, key: str) -> HttpResponse:
    kind = KINDS.get(key or next(iter(KINDS)))
    if kind is None:
        raise Http404
    editable = place.draft is not None and place.draft.state == Draft.State.OPEN and "edit" in request.rights
    context = {
        "tenant": request.tenant,
        "snapshot": place,
        "draft": place.draft and {"id": str(place.draft.uid), "name": place.draft.name},
        "may": {"edit": editable},
        "kind": kind,
        "list_url": f"{place.root}{kind.key}/",
        "sections": _sections(place, kind),
        **_list_context(request, place, kind),
        **_panel_context(request, place, kind, editable),
    }
    return render(request, "pages/objects/page.html" + ("#live" if request.htmx else ""), context)


def _sections(place: ShownSnapshot, here: ObjectKind) -> list[tuple[str, list[dict[str, Any]]]]:
    """The kinds with how many there are, and how many of them the draft touched."""
    counts = draft_changes.count_objects(place.snapshot)
    touched = draft_changes.count_changed_objects(place.draft) if place.draft else {}
    return [
        (
            word,
            [
                {
                    "kind": kind,
                    "url": f"{place.root}{kind.key}/",
                    "is_current": kind is here,
                    "count": counts[kind.key],
                    "changed_count": touched.get(kind.key, 0),
                }
                for kind in kinds
            ],
        )
        for word, kinds in menu_sections()
    ]


def _list_context(request: PageRequest, place: ShownSnapshot, kind: ObjectKind) -> dict[str, Any]:
    """A page of the list by name, or with ``?changed=1`` what the draft did to objects of this kind."""
    search, ordering = request.GET.get("search", ""), request.GET.get("ordering")
    orders = ("name", *(column.order for column in kind.columns if column.order))
    if not ordering or ordering.removeprefix("-") not in orders:
        ordering = kind.order
    only = bool(place.draft and request.GET.get("changed"))
    found: list[tuple[StoredObject, str]]
    following = previous = None
    if place.draft and only:
        told = draft_changes.list_changed_objects(place.draft, kind.key)
        found = [(row, state) for row, state in told if search.lower() in row.name.lower()]
    else:
        listed = get_page(place.snapshot, kind.key, request.GET.get("cursor"), search=search, ordering=ordering)
        states = draft_changes.change_states(place.draft, listed.rows) if place.draft else {}
        found = [(row, states.get(row.uid, "same")) for row in listed.rows]
        following, previous = listed.next, listed.previous
    names = ReferenceNames(place.snapshot, [row.body for row, _ in found])
    removed = (
        [row for row, state in draft_changes.list_changed_objects(place.draft, kind.key) if state == "removed"]
        if place.draft
        else []
    )
    return {
        "lines": list_rows(kind, found, names),
        "removed": [] if only else removed,
        "search": search,
        "only": only,
        "ordering": ordering,
        "filtered": bool(search) or only,
        "next": following,
        "previous": previous,
    }


def _panel_context(request: PageRequest, place: ShownSnapshot, kind: ObjectKind, editable: bool) -> dict[str, Any]:
    """The panel: the object that the address names, or a new one."""
    wanted = request.GET.get("select", "")
    if wanted == NEW and editable and not kind.wizard:
        return {"panel": object_panel(place.snapshot, kind, None, place.api, place.root), "selected": NEW}
    if not wanted or wanted == NEW:
        return {"panel": None, "selected": ""}
    try:
        row = queries.get_object(place.snapshot, kind.key, _resolve_uid(kind, wanted))
    except ObjectNotFound:
        return {"panel": None, "selected": ""}
    state = draft_changes.change_states(place.draft, [row]).get(row.uid, "same") if place.draft else "same"
    return {"panel": object_panel(place.snapshot, kind, row, place.api, place.root, state), "selected": row.uid}


def _resolve_uid(kind: ObjectKind, wanted: str) -> str:
    """Of an object that is named by it or by its key, as paths of problems do."""
    found = Item.objects.filter(kind=kind.key, key=wanted).values_list("uid", flat=True).first()
    return str(found) if found else wanted


def object_panel(
    snapshot: Snapshot, kind: ObjectKind, row: StoredObject | None, api: str, root: str, state: str = "same"
) -> dict[str, Any]:
    """What the form of an object draws; ``row`` None: of a new one. api, root: as in ``Place``."""
    body = row.body if row else kind.blank
    names = ReferenceNames(snapshot, [body])
    fields: list[BoundField] = bind_fields(kind.fields(body), body, names.label)
    return {
        "kind": kind,
        "row": row,
        "state": state if row else NEW,
        "fields": fields,
        "method": "PATCH" if row else "POST",
        "url": f"{api}{kind.key}/{row.uid}/" if row else f"{api}{kind.key}/",
        "root": root,
    }
