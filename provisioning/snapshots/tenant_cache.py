"""Networks ready to be asked, kept by each process: an edit to a draft reads, builds and derives anew what it touched.

Rows of versions and overlays never change and their numbers are never used again, not even after a rollback: a content
is kept under the revision's row and the very overlay rows it was made of, and asked for under the tenant in force. What
is kept is therefore never out of date and never another tenant's, and may be forgotten at any time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from django.db.models import QuerySet

from provisioning.core.intent import Intent
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource
from provisioning.models import Draft, Overlay, Revision, Version
from provisioning.snapshots.objects import NO_OBJECTS, ParsedObject, SnapshotObjects
from provisioning.snapshots.queries import Snapshot, StoredObject
from tenants import scope

MAX_TENANTS = 8
MAX_OBJECTS = 80_000
"""Of the tenants that are kept together; the one in use is kept whatever its size."""
MOST_CONTENTS, MOST_NETWORKS = 8, 5

CacheKey = tuple[Any, ...]
CachedValue = TypeVar("CachedValue")


@dataclass
class CachedObjects:
    """A content and the database rows it was made of, by their numbers."""

    content: SnapshotObjects
    versions: dict[int, ParsedObject]
    overlays: dict[int, ParsedObject]


@dataclass(frozen=True, slots=True)
class CachedResource:
    """A resource record: when it was written, what it says, and the digest of its body."""

    at: datetime
    resource: Resource
    digest: str


@dataclass
class TenantCache:
    """What is kept of one tenant, the least recently used first."""

    contents: OrderedDict[CacheKey, CachedObjects] = field(default_factory=OrderedDict)
    networks: OrderedDict[CacheKey, Network] = field(default_factory=OrderedDict)
    latest: OrderedDict[int | None, Network] = field(default_factory=OrderedDict)
    """Draft (None: a revision) → the network to take unchanged parts from."""
    versions: dict[int, ParsedObject] = field(default_factory=dict)
    overlays: dict[int, ParsedObject] = field(default_factory=dict)
    """What this process has just written, by the numbers of the rows: the very objects that were checked."""
    written: Mapping[int, CachedResource] = field(default_factory=dict)
    """By the number of the resource record."""

    @property
    def weight(self) -> int:
        return max((len(held.content) for held in self.contents.values()), default=0)


_lock = threading.Lock()
_tenant_caches: OrderedDict[int, TenantCache] = OrderedDict()


def load_objects(view: Snapshot) -> SnapshotObjects:
    """All objects of the view."""
    return _load_snapshot(view)[1].content


def load_intent(view: Snapshot) -> Intent:
    return load_objects(view).intent


def load_network(view: Snapshot) -> Network:
    """The view's network; parts that it has in common with one that is kept are shared with that."""
    key, held = _load_snapshot(view)
    shelf = _tenant_cache()
    found = _cache_get(shelf.networks, key)
    if found is None:
        found = derive_network(view.draft, held.content)
        _cache_put(shelf.networks, key, found, MOST_NETWORKS)
    return found


def derive_network(draft: Draft | None, after: SnapshotObjects) -> Network:
    """The network of a content that is perhaps not written yet, made from the draft's last one."""
    shelf, of = _tenant_cache(), draft.pk if draft else None
    previous = (
        _cache_get(shelf.latest, of) or _cache_get(shelf.latest, None) or next(reversed(shelf.latest.values()), None)
    )
    made = Network(after.intent, previous)
    _cache_put(shelf.latest, of, made, MOST_NETWORKS)
    return made


def prime_versions(entries: Mapping[int, ParsedObject]) -> None:
    """What these new rows will be read as, unless they are rolled back."""
    _tenant_cache().versions = dict(entries)


def prime_overlays(entries: Mapping[int, ParsedObject]) -> None:
    _tenant_cache().overlays = dict(entries)


def cached_resources() -> Mapping[int, CachedResource]:
    """What was last read of the tenant's resource records (services/world.py keeps it up to date)."""
    return _tenant_cache().written


def cache_resources(now: Mapping[int, CachedResource]) -> None:
    _tenant_cache().written = now


def clear() -> None:
    """Let go of everything that is kept; it is read again when asked for."""
    with _lock:
        _tenant_caches.clear()


def _load_snapshot(view: Snapshot) -> tuple[CacheKey, CachedObjects]:
    shelf = _tenant_cache()
    revision = Revision.objects.filter(number=view.revision).values_list("pk", flat=True).first()
    base_key: CacheKey = ("revision", revision)
    base = _cache_get(shelf.contents, base_key)
    if base is None:
        base = _load_revision(shelf, view.revision) if revision else CachedObjects(NO_OBJECTS, {}, {})
        _cache_put(shelf.contents, base_key, base, MOST_CONTENTS)
        _evict()
    if view.draft is None:
        return base_key, base
    while there := list(Overlay.objects.filter(draft=view.draft).order_by("pk").values_list("pk", flat=True)):
        key = ("draft", view.draft.pk, revision, sha256(repr(there).encode()).digest())
        held = _cache_get(shelf.contents, key) or _load_draft(shelf, view.draft, base, there)
        if held is not None:
            _cache_put(shelf.contents, key, held, MOST_CONTENTS)
            _evict()
            return key, held
    return base_key, base


def _load_revision(shelf: TenantCache, number: int) -> CachedObjects:
    rows = Version.objects.filter(first__lte=number, last__gte=number)
    known = dict(shelf.versions)
    for held in list(shelf.contents.values()):
        known.update(held.versions)
    if known:
        there = list(rows.values_list("pk", flat=True))
        versions = {pk: known[pk] for pk in there if pk in known}
        new = [pk for pk in there if pk not in known]
        versions.update(_parse_rows(rows.filter(pk__in=new) if len(new) < len(there) else rows))
    else:
        versions = dict(_parse_rows(rows))
    return CachedObjects(
        NO_OBJECTS.changed((entry.row.kind, entry.row.uid, entry) for entry in versions.values()), versions, {}
    )


def _load_draft(shelf: TenantCache, draft: Draft, base: CachedObjects, there: list[int]) -> CachedObjects | None:
    """None: somebody edited the draft since ``there`` was read, and some of these rows are gone.

    A newer row must not get in either: an undo brings the very rows back that this content is kept under.
    """
    known = dict(shelf.overlays)
    for key, held in list(shelf.contents.items()):
        if key[:2] == ("draft", draft.pk):
            known.update(held.overlays)
    rows = Overlay.objects.filter(draft=draft, body__isnull=False)
    new = {pk for pk in there if pk not in known}
    overlays = {pk: known[pk] for pk in there if pk in known}
    if new:
        read = _parse_rows(rows.filter(pk__in=new) if overlays else rows)
        overlays.update((pk, entry) for pk, entry in read if pk in new)
    removed = Overlay.objects.filter(draft=draft, body__isnull=True).values_list("pk", "kind", "item__uid")
    gone = [row for row in removed if row[0] in new]
    if len(overlays) + len(gone) < len(there):
        return None
    changes = [
        *((kind, str(uid), None) for _, kind, uid in gone),
        *((entry.row.kind, entry.row.uid, entry) for entry in overlays.values()),
    ]
    return CachedObjects(base.content.changed(changes), base.versions, overlays)


def _parse_rows(rows: QuerySet[Any]) -> list[tuple[int, ParsedObject]]:
    fields = ("pk", "kind", "item__uid", "item__number", "item__key", "name", "body")
    return [
        (pk, ParsedObject.of(StoredObject(kind, str(uid), number, key, name, body)))
        for pk, kind, uid, number, key, name, body in rows.values_list(*fields).order_by("item__number")
    ]


def _tenant_cache() -> TenantCache:
    tenant = scope.current().pk
    with _lock:
        shelf = _tenant_caches.setdefault(tenant, TenantCache())
        _tenant_caches.move_to_end(tenant)
        return shelf


def _cache_get(kept: OrderedDict[Any, CachedValue], key: Any) -> CachedValue | None:
    with _lock:
        if key in kept:
            kept.move_to_end(key)
        return kept.get(key)


def _cache_put(kept: OrderedDict[Any, CachedValue], key: Any, value: CachedValue, most: int) -> None:
    with _lock:
        kept[key] = value
        kept.move_to_end(key)
        while len(kept) > most:
            kept.popitem(last=False)


def _evict() -> None:
    with _lock:
        while len(_tenant_caches) > 1 and (
            len(_tenant_caches) > MAX_TENANTS or sum(shelf.weight for shelf in _tenant_caches.values()) > MAX_OBJECTS
        ):
            _tenant_caches.popitem(last=False)
