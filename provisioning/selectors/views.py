"""Reading intent: the same questions asked of live, of an old revision or of a draft."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from provisioning.catalog import catalog
from provisioning.core import intent as core
from provisioning.core.resource import Problem, digest
from provisioning.models import Draft, Network, Overlay, Revision, Version
from provisioning.services.errors import Missing, Unreadable

KINDS = core.KINDS


@dataclass(frozen=True, slots=True)
class View:
    """A revision, or a draft over it."""

    revision: int
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One intent object in a view; ``body`` holds its name too, references are uids."""

    kind: str
    uid: str
    number: int
    key: str
    name: str
    body: dict[str, Any]

    @property
    def etag(self) -> str:
        return digest(self.body)[:20]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows; the cursors are opaque and lead to the pages beside it."""

    rows: list[Row]
    next: str | None
    previous: str | None


def live() -> View:
    network = Network.objects.first()
    return View(network.live if network else 0)


def revision(number: int) -> View:
    if number and not Revision.objects.filter(number=number).exists():
        raise Missing(f"There is no revision {number}.")
    return View(number)


def draft(uid: str | UUID) -> View:
    found = Draft.objects.filter(uid=as_uuid(uid)).first()
    if found is None:
        raise Missing("There is no such draft.")
    return of_draft(found)


def of_draft(found: Draft) -> View:
    return View(found.base_revision, found)


def rows(view: View, kind: str | None = None) -> list[Row]:
    """All objects of a view (of one kind), by name."""
    kinds = {"kind": kind} if kind else {}
    found = [_row(version) for version in _versions(view).filter(**kinds).select_related("item")]
    if view.draft:
        overlays = Overlay.objects.filter(draft=view.draft, body__isnull=False, **kinds).select_related("item")
        found += [_row(overlay) for overlay in overlays]
    return sorted(found, key=lambda row: (row.name, row.number))


def page(
    view: View,
    kind: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
    search: str = "",
    ordering: str = "name",
    filters: Mapping[str, str] | None = None,
) -> Page:
    """Up to ``limit`` objects by name, found through the index on (tenant, kind, name) however deep the page is.

    ordering: ``name`` or ``-name``; filters: body field → value (a reference's uid, or an element of a list).
    """
    if ordering not in ("name", "-name"):
        raise Unreadable("Unknown ordering.", [Problem("not_one_of", "ordering", "Order by name or -name.")])
    descending = ordering == "-name"
    after, backwards = _read_cursor(cursor)
    down = descending != backwards
    order = ("-name", "-item_id") if down else ("name", "item_id")
    wanted = Q(kind=kind)
    if search:
        wanted &= Q(name__icontains=search)
    for field, value in (filters or {}).items():
        if not re.fullmatch(r"[a-z]+(_[a-z]+)*", field):
            raise Unreadable("Unknown filter.", [Problem("unknown_field", field, "Filter by a field of the object.")])
        wanted &= Q(**{f"body__{field}": value}) | Q(**{f"body__{field}__contains": [value]})
    if after:
        name, number = after
        wanted &= (
            Q(name__lte=name) & (Q(name__lt=name) | Q(item_id__lt=number))
            if down
            else Q(name__gte=name) & (Q(name__gt=name) | Q(item_id__gt=number))
        )
    found = [_row(v) for v in _versions(view).filter(wanted).order_by(*order).select_related("item")[: limit + 1]]
    if view.draft:
        overlays = Overlay.objects.filter(wanted, draft=view.draft, body__isnull=False)
        found += [_row(o) for o in overlays.order_by(*order).select_related("item")[: limit + 1]]
    found.sort(key=lambda row: (row.name, row.number), reverse=down)
    more, found = len(found) > limit, list(islice(found, limit))
    if backwards:
        found.reverse()
    first, last = (found[0], found[-1]) if found else (None, None)
    ahead = more if not backwards else True
    behind = (after is not None) if not backwards else more
    return Page(
        found,
        _cursor(last, False) if ahead and last else None,
        _cursor(first, True) if behind and first else None,
    )


def named(view: View, uids: Iterable[str | UUID]) -> dict[str, Row]:
    """Those of these objects that the view has, by uid: for telling references by their names."""
    wanted = list(uids)
    found = [_row(version) for version in _versions(view).filter(item__uid__in=wanted).select_related("item")]
    if view.draft:
        overlays = Overlay.objects.filter(draft=view.draft, body__isnull=False, item__uid__in=wanted)
        found += [_row(overlay) for overlay in overlays.select_related("item")]
    return {row.uid: row for row in found}


def get(view: View, kind: str, uid: str | UUID) -> Row:
    item = {"kind": kind, "item__uid": as_uuid(uid)}
    if view.draft:
        overlay = Overlay.objects.filter(draft=view.draft, **item).select_related("item").first()
        if overlay:
            if overlay.body is None:
                raise Missing(f"{overlay.name} is removed in this draft.")
            return _row(overlay)
    version = _versions(View(view.revision)).filter(**item).select_related("item").first()
    if version is None:
        raise Missing(f"There is no such object among the {kind}.")
    return _row(version)


def intent(view: View) -> core.Intent:
    """The whole network as the core takes it."""
    return load(rows(view))


def load(found: Iterable[Row]) -> core.Intent:
    return core.load(((row.kind, row.uid, row.number, row.key, row.body) for row in found), catalog())


def document(view: View) -> dict[str, list[dict[str, Any]]]:
    """The whole network as one document, for the API and for keeping under version control."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for row in rows(view):
        found[row.kind].append({"id": row.uid, **row.body})
    return found


def _versions(view: View) -> QuerySet[Version]:
    found = Version.objects.filter(first__lte=view.revision, last__gte=view.revision)
    if view.draft:
        found = found.filter(~Exists(Overlay.objects.filter(draft=view.draft, item=OuterRef("item"))))
    return found


def _row(record: Version | Overlay) -> Row:
    item = record.item
    return Row(record.kind, str(item.uid), item.number, item.key, record.name, record.body or {})


def _cursor(row: Row, backwards: bool) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.name, row.number, backwards]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> tuple[tuple[str, int] | None, bool]:
    if not cursor:
        return None, False
    try:
        name, number, backwards = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return (str(name), int(number)), bool(backwards)
    except (ValueError, TypeError) as error:
        problem = Problem("bad_cursor", "cursor", "Take the next and previous addresses as they are given.")
        raise Unreadable("This is no cursor of ours.", [problem]) from error


def as_uuid(uid: str | UUID) -> UUID:
    try:
        return uid if isinstance(uid, UUID) else UUID(uid)
    except ValueError as error:
        raise Missing(f"“{uid}” is no id.") from error
