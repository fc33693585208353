"""Reading intent: the same questions asked of live, of an old revision or of a draft."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from provisioning.core import intent as core
from provisioning.core.values.resource import content_digest
from provisioning.models import Draft, Network, Overlay, Revision, Version
from provisioning.services.errors import Missing

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
        return content_digest(self.body)[:20]


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
    found = [row_of(version) for version in _versions(view).filter(**kinds).select_related("item")]
    if view.draft:
        overlays = Overlay.objects.filter(draft=view.draft, body__isnull=False, **kinds).select_related("item")
        found += [row_of(overlay) for overlay in overlays]
    return sorted(found, key=lambda row: (row.name, row.number))


def named(view: View, uids: Iterable[str | UUID]) -> dict[str, Row]:
    """Those of these objects that the view has, by uid: for telling references by their names."""
    wanted = list(uids)
    found = [row_of(version) for version in _versions(view).filter(item__uid__in=wanted).select_related("item")]
    if view.draft:
        overlays = Overlay.objects.filter(draft=view.draft, body__isnull=False, item__uid__in=wanted)
        found += [row_of(overlay) for overlay in overlays.select_related("item")]
    return {row.uid: row for row in found}


def get(view: View, kind: str, uid: str | UUID) -> Row:
    item = {"kind": kind, "item__uid": as_uuid(uid)}
    if view.draft:
        overlay = Overlay.objects.filter(draft=view.draft, **item).select_related("item").first()
        if overlay:
            if overlay.body is None:
                raise Missing(f"{overlay.name} is removed in this draft.")
            return row_of(overlay)
    version = _versions(View(view.revision)).filter(**item).select_related("item").first()
    if version is None:
        raise Missing(f"There is no such object among the {kind}.")
    return row_of(version)


def _versions(view: View) -> QuerySet[Version]:
    found = Version.objects.filter(first__lte=view.revision, last__gte=view.revision)
    if view.draft:
        found = found.filter(~Exists(Overlay.objects.filter(draft=view.draft, item=OuterRef("item"))))
    return found


def row_of(record: Version | Overlay) -> Row:
    item = record.item
    return Row(record.kind, str(item.uid), item.number, item.key, record.name, record.body or {})


def as_uuid(uid: str | UUID) -> UUID:
    try:
        return uid if isinstance(uid, UUID) else UUID(uid)
    except ValueError as error:
        raise Missing(f"“{uid}” is no id.") from error
