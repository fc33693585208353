"""Reading intent: a snapshot is what is live, an old revision or a draft, and all are read the same way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
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
    """One intent object in a snapshot; ``body`` holds its name too, references are uids."""

    kind: str
    uid: str
    number: int
    key: str
    name: str
    body: dict[str, Any]

    @classmethod
    def read(cls, kind: str, uid: UUID, number: int, key: str, name: str, body: dict[str, Any]) -> Self:
        """Return what a row says, its body by today's names and defaults whichever release wrote it."""
        return cls(kind, str(uid), number, key, name, core.complete_body(kind, body) if body else {})

    @property
    def etag(self) -> str:
        return content_digest(self.body)[:20]


def live_snapshot() -> Snapshot:
    """Return what is live; revision 0, which is empty, before anything was provisioned."""
    live_revision = LiveRevision.objects.first()
    return Snapshot(live_revision.live if live_revision else 0)


def revision_snapshot(number: int) -> Snapshot:
    """Return a revision; raise ObjectNotFound where there is none of this number."""
    if number and not Revision.objects.filter(number=number).exists():
        raise ObjectNotFound(f"There is no revision {number}.")
    return Snapshot(number)


def draft_snapshot(uid: str | UUID) -> Snapshot:
    """Return a draft by its uid; raise ObjectNotFound where there is none."""
    draft = Draft.objects.filter(uid=parse_uuid(uid)).first()
    if draft is None:
        raise ObjectNotFound("There is no such draft.")
    return snapshot_of_draft(draft)


def snapshot_of_draft(draft: Draft) -> Snapshot:
    return Snapshot(draft.base_revision, draft)


def list_objects(snapshot: Snapshot, kind: str | None = None) -> list[StoredObject]:
    """Return all objects of a snapshot, or those of one kind, by name."""
    of_kind = {"kind": kind} if kind else {}
    objects = [stored_object(version) for version in _versions_in(snapshot).filter(**of_kind).select_related("item")]
    if snapshot.draft:
        overlays = Overlay.objects.filter(draft=snapshot.draft, body__isnull=False, **of_kind).select_related("item")
        objects += [stored_object(overlay) for overlay in overlays]
    return sorted(objects, key=lambda row: (row.name, row.number))


def objects_by_uid(snapshot: Snapshot, uids: Iterable[str | UUID]) -> dict[str, StoredObject]:
    """Return uid → object for those of the uids that the snapshot has: for showing references by name."""
    wanted = list(uids)
    objects = [
        stored_object(version) for version in _versions_in(snapshot).filter(item__uid__in=wanted).select_related("item")
    ]
    if snapshot.draft:
        overlays = Overlay.objects.filter(draft=snapshot.draft, body__isnull=False, item__uid__in=wanted)
        objects += [stored_object(overlay) for overlay in overlays.select_related("item")]
    return {row.uid: row for row in objects}


def get_object(snapshot: Snapshot, kind: str, uid: str | UUID) -> StoredObject:
    """Return one object; raise ObjectNotFound where the snapshot does not have it."""
    item = {"kind": kind, "item__uid": parse_uuid(uid)}
    if snapshot.draft:
        overlay = Overlay.objects.filter(draft=snapshot.draft, **item).select_related("item").first()
        if overlay:
            if overlay.body is None:
                raise ObjectNotFound(f"{overlay.name} is removed in this draft.")
            return stored_object(overlay)
    version = _versions_in(Snapshot(snapshot.revision)).filter(**item).select_related("item").first()
    if version is None:
        raise ObjectNotFound(f"There is no such object among the {kind}.")
    return stored_object(version)


def _versions_in(snapshot: Snapshot) -> QuerySet[Version]:
    versions = Version.objects.filter(first__lte=snapshot.revision, last__gte=snapshot.revision)
    if snapshot.draft:
        versions = versions.filter(~Exists(Overlay.objects.filter(draft=snapshot.draft, item=OuterRef("item"))))
    return versions


def stored_object(record: Version | Overlay) -> StoredObject:
    item = record.item
    return StoredObject.read(record.kind, item.uid, item.number, item.key, record.name, record.body or {})


def parse_uuid(uid: str | UUID) -> UUID:
    try:
        return uid if isinstance(uid, UUID) else UUID(uid)
    except ValueError as error:
        raise ObjectNotFound(f"“{uid}” is not an id.") from error
