"""The page of every kind: objects of a draft are edited, those of live and of old revisions only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.api.intent_objects import draft_etag
from portal.pages.decorators import PageRequest, get_draft, tenant_page
from portal.pages.objects import KIND_PAGES, menu_sections
from portal.pages.objects.bound_form import BoundField, ReferenceLabel, bind_fields
from portal.pages.objects.bulk_form import bulk_fields
from portal.pages.objects.kind_page import Body, KindPage
from portal.pages.objects.list_rows import ListRow, ReferenceNames, get_page, list_rows
from portal.pages.objects.memberships import membership_panel
from portal.pages.objects.prices import add_prices
from portal.pages.objects.refreshes import refresh_panel
from provisioning.errors import ObjectNotFound
from provisioning.models import Draft, Item
from provisioning.selectors import draft_changes
from provisioning.services.drafts.kept_tiers import kept_tiers
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject

NEW = "new"


@dataclass(frozen=True, slots=True)
class ShownSnapshot:
    """The snapshot whose objects are shown, with its title, its addresses, and its draft where it is of one.

    ``root``: the address of the page without the kind; ``api``: of its snapshot in the API.
    """

    snapshot: Snapshot
    title: str
    root: str
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
    shown = ShownSnapshot(
        queries.revision_snapshot(number), f"Revision {number}", root, f"/api/v1/t/{slug}/revisions/{number}/"
    )
    return _render_page(request, shown, kind)


def _render_page(request: PageRequest, shown: ShownSnapshot, key: str) -> HttpResponse:
    kind = KIND_PAGES.get(key or next(iter(KIND_PAGES)))
    if kind is None:
        raise Http404
    is_editable = shown.draft is not None and shown.draft.state == Draft.State.OPEN and "edit" in request.rights
    listed = _list_context(request, shown, kind)
    context = {
        "tenant": request.tenant,
        "snapshot": shown,
        "draft": shown.draft and {"id": str(shown.draft.uid), "name": shown.draft.name},
        "may": {"edit": is_editable},
        "kind": kind,
        "list_url": f"{shown.root}{kind.key}/",
        "sections": _sections(shown, kind),
        **listed,
        "bulk_fields": bind_fields(bulk_fields(kind), {}, lambda ref: ReferenceLabel(ref, ref), "bulk"),
        **_panel_context(request, shown, kind, listed["lines"], is_editable),
    }
    return render(request, "pages/objects/page.html" + ("#live" if request.htmx else ""), context)


def _sections(shown: ShownSnapshot, current: KindPage) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the menu: each kind with the number of its objects, and how many of them the draft changed."""
    counts = draft_changes.count_objects(shown.snapshot)
    return [
        (
            word,
            [
                {
                    "kind": kind,
                    "url": f"{shown.root}{kind.key}/",
                    "is_current": kind is current,
                    "count": counts[kind.key].present,
                    "changed_count": counts[kind.key].touched,
                }
                for kind in kinds
            ],
        )
        for word, kinds in menu_sections()
    ]


def _list_context(request: PageRequest, shown: ShownSnapshot, kind: KindPage) -> dict[str, Any]:
    """Return a page of the list, with ``?changed=1`` of the objects that the draft added or changed."""
    search, ordering = request.GET.get("search", ""), request.GET.get("ordering")
    orders = ("name", *(column.order for column in kind.columns if column.order))
    if not ordering or ordering.removeprefix("-") not in orders:
        ordering = kind.order
    only = bool(shown.draft and request.GET.get("changed"))
    page = get_page(
        shown.snapshot,
        kind.key,
        request.GET.get("cursor"),
        search=search,
        ordering=ordering,
        only_touched=only,
        with_total=True,
    )
    states = draft_changes.change_states(shown.draft, page.rows) if shown.draft else {}
    names = ReferenceNames(shown.snapshot, [row.body for row in page.rows])
    removed, removed_count = (
        draft_changes.list_removed_objects(shown.draft, kind.key, search) if shown.draft else ([], 0)
    )
    return {
        "lines": list_rows(kind, [(row, states.get(row.uid, "same")) for row in page.rows], names),
        "removed": removed,
        "more_removed": removed_count - len(removed),
        "search": search,
        "only": only,
        "ordering": ordering,
        "filtered": bool(search) or only,
        "total": page.count,
        "etag": draft_etag(shown.draft) if shown.draft else "",
        "next": page.next,
        "previous": page.previous,
    }


def _panel_context(
    request: PageRequest, shown: ShownSnapshot, kind: KindPage, lines: Sequence[ListRow], is_editable: bool
) -> dict[str, Any]:
    """Return the panel: the form of the object of ``?select=``, one of ``lines`` or another, or of a new one."""
    selected = request.GET.get("select", "")
    with_prices = is_editable and "usage" in request.rights
    if selected == NEW and is_editable and not kind.wizard:
        panel = object_panel(shown.snapshot, kind, None, shown.api, shown.root, with_prices=with_prices)
        return {"panel": panel, "selected": NEW}
    if not selected or selected == NEW:
        return {"panel": None, "selected": ""}
    listed = next(((line.row, line.state) for line in lines if line.row.uid == selected), None)
    row, state = listed or _find_object(shown, kind, selected)
    if row is None:
        return {"panel": None, "selected": ""}
    panel = object_panel(shown.snapshot, kind, row, shown.api, shown.root, state, with_prices=with_prices)
    return {"panel": panel, "selected": row.uid}


def _find_object(shown: ShownSnapshot, kind: KindPage, uid_or_key: str) -> tuple[StoredObject | None, str]:
    """Return an object and what the draft did to it."""
    try:
        row = queries.get_object(shown.snapshot, kind.key, _resolve_uid(kind, uid_or_key))
    except ObjectNotFound:
        return None, "same"
    return row, draft_changes.change_states(shown.draft, [row]).get(row.uid, "same") if shown.draft else "same"


def _resolve_uid(kind: KindPage, uid_or_key: str) -> str:
    """Return the uid of an object that is named by its uid, or by its key as in paths of problems."""
    uid = Item.objects.filter(kind=kind.key, key=uid_or_key).values_list("uid", flat=True).first()
    return str(uid) if uid else uid_or_key


def object_panel(
    snapshot: Snapshot,
    kind: KindPage,
    row: StoredObject | None,
    api: str,
    root: str,
    state: str = "same",
    *,
    blank: Body | None = None,
    with_prices: bool = False,
) -> dict[str, Any]:
    """Return what an object's form draws; ``row`` None: of a new one. ``api``, ``root``: as in ``ShownSnapshot``.

    ``blank``: what a new one begins with, if not as its kind says. ``with_prices``: sizes say what they cost.
    """
    body = row.body if row else kind.blank if blank is None else blank
    names = ReferenceNames(snapshot, [body])
    form_fields = kind.fields(body)
    if with_prices:
        form_fields = add_prices(kind.key, form_fields, body)
    fields: list[BoundField] = bind_fields(form_fields, body, names.label)
    return {
        "kind": kind,
        "row": row,
        "state": state if row else NEW,
        "kept_by": kept_tiers().get(body.get("tier", ""), "") if row and kind.key == "policies" else "",
        "fields": fields,
        "memberships": membership_panel(snapshot, row) if row else None,
        "refresh": refresh_panel(snapshot, row) if row else None,
        "method": "PATCH" if row else "POST",
        "url": f"{api}{kind.key}/{row.uid}/" if row else f"{api}{kind.key}/",
        "root": root,
        "api": api,
    }
