"""Reading intent: the same questions asked of live, of an old revision or of a draft."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from provisioning.core import intent as core
from provisioning.core.values.resource import content_digest
from provisioning.errors import ObjectNotFound
from provisioning.models import Draft, LiveRevision, Overlay, Revision, Version

KINDS = core.KINDS


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A revision, or a draft over it."""

    revision: int
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
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


def live_snapshot() -> Snapshot:
    network = LiveRevision.objects.first()
    return Snapshot(network.live if network else 0)


def revision_snapshot(number: int) -> Snapshot:
    if number and not Revision.objects.filter(number=number).exists():
        raise ObjectNotFound(f"There is no revision {number}.")
    return Snapshot(number)


def draft_snapshot(uid: str | UUID) -> Snapshot:
    found = Draft.objects.filter(uid=parse_uuid(uid)).first()
    if found is None:
        raise ObjectNotFound("There is no such draft.")
    return snapshot_of_draft(found)


def snapshot_of_draft(found: Draft) -> Snapshot:
    return Snapshot(found.base_revision, found)


def list_objects(view: Snapshot, kind: str | None = None) -> list[StoredObject]:
    """All objects of a view (of one kind), by name."""
    kinds = {"kind": kind} if kind else {}
    found = [stored_object(version) for version in _versions_in(view).filter(**kinds).select_related("item")]
    if view.draft:
        overlays = Overlay.objects.filter(draft=view.draft, body__isnull=False, **kinds).select_related("item")
        found += [stored_object(overlay) for overlay in overlays]
    return sorted(found, key=lambda row: (row.name, row.number))


def objects_by_uid(view: Snapshot, uids: Iterable[str | UUID]) -> dict[str, StoredObject]:
    """Those of these objects that the view has, by uid: for telling references by their names."""
    wanted = list(uids)
    found = [
        stored_object(version) for version in _versions_in(view).filter(item__uid__in=wanted).select_related("item")
    ]
    if view.draft:
        overlays = Overlay.objects.filter(draft=view.draft, body__isnull=False, item__uid__in=wanted)
        found += [stored_object(overlay) for overlay in overlays.select_related("item")]
    return {row.uid: row for row in found}


def get_object(view: Snapshot, kind: str, uid: str | UUID) -> StoredObject:
    item = {"kind": kind, "item__uid": parse_uuid(uid)}
    if view.draft:
        overlay = Overlay.objects.filter(draft=view.draft, **item).select_related("item").first()
        if overlay:
            if overlay.body is None:
                raise ObjectNotFound(f"{overlay.name} is removed in this draft.")
            return stored_object(overlay)
    version = _versions_in(Snapshot(view.revision)).filter(**item).select_related("item").first()
    if version is None:
        raise ObjectNotFound(f"There is no such object among the {kind}.")
    return stored_object(version)


def _versions_in(view: Snapshot) -> QuerySet[Version]:
    found = Version.objects.filter(first__lte=view.revision, last__gte=view.revision)
    if view.draft:
        found = found.filter(~Exists(Overlay.objects.filter(draft=view.draft, item=OuterRef("item"))))
    return found


def stored_object(record: Version | Overlay) -> StoredObject:
    item = record.item
    return StoredObject(record.kind, str(item.uid), item.number, item.key, record.name, record.body or {})


def parse_uuid(uid: str | UUID) -> UUID:
    try:
        return uid if isinstance(uid, UUID) else UUID(uid)
    except ValueError as error:
        raise ObjectNotFound(f"“{uid}” is no id.") from error
