"""Each process keeps networks that it has read: after an edit it reads, builds and derives only what was touched.

Rows of versions and overlays never change and their numbers are never used again, not even after a rollback: objects
are kept under the revision's row and the very overlay rows they were made of, and read under the tenant in force. What
is kept is therefore never out of date and never another tenant's, and may be forgotten at any time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from provisioning.core.intent import Intent
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource
from provisioning.models import Draft, Overlay, Revision, Version
from provisioning.snapshots.bounded_cache import BoundedCache
from provisioning.snapshots.objects import NO_OBJECTS, ObjectChange, ParsedObject, SnapshotObjects
from provisioning.snapshots.queries import Snapshot, StoredObject
from tenants import scope

MAX_TENANTS = 8
MAX_OBJECTS = 80_000
"""Of the tenants that are kept together; the one in use is kept whatever its size."""
MAX_SNAPSHOTS = 8
MAX_NETWORKS = 5
"""Of one tenant."""

OVERLAY_DIGEST = "SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM provisioning_overlay WHERE draft_id = %s"

CacheKey = tuple[Any, ...]


@dataclass
class CachedObjects:
    """The objects of a snapshot and the database rows they were made of, by primary key."""

    objects: SnapshotObjects
    versions: dict[int, ParsedObject]
    overlays: dict[int, ObjectChange]


@dataclass(frozen=True, slots=True)
class CachedResource:
    """A resource record: when it was written, what it says, and the digest of its body."""

    at: datetime
    resource: Resource
    digest: str


@dataclass
class TenantCache:
    """What is kept of one tenant."""

    snapshots: BoundedCache[CacheKey, CachedObjects] = field(default_factory=lambda: BoundedCache(MAX_SNAPSHOTS))
    networks: BoundedCache[CacheKey, Network] = field(default_factory=lambda: BoundedCache(MAX_NETWORKS))
    latest: BoundedCache[int | None, Network] = field(default_factory=lambda: BoundedCache(MAX_NETWORKS))
    """Number of a draft (None: revisions) → the network to take unchanged parts from."""
    versions: dict[int, ParsedObject] = field(default_factory=dict)
    """Number of a version's row that this process has just written → the very object that was checked."""
    written: CachedObjects | None = None
    """A draft's objects as this process has just written them, unless that was rolled back."""
    resource_records: Mapping[int, CachedResource] = field(default_factory=dict)
    """Number of a resource record's row → the record as it was last read."""

    @property
    def object_count(self) -> int:
        """The objects of the largest snapshot; the others share most of theirs with it."""
        return max((len(cached.objects) for cached in self.snapshots.values()), default=0)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """How much is kept of one tenant."""

    snapshots: int
    networks: int
    objects: int


_lock = threading.Lock()
_tenant_caches: OrderedDict[int, TenantCache] = OrderedDict()


def load_objects(snapshot: Snapshot) -> SnapshotObjects:
    """Return all objects of the snapshot."""
    return load_cached(snapshot).objects


def load_cached(snapshot: Snapshot) -> CachedObjects:
    return _load_snapshot(snapshot)[1]


def load_intent(snapshot: Snapshot) -> Intent:
    return load_objects(snapshot).intent


def load_network(snapshot: Snapshot) -> Network:
    """Return the network of the snapshot; parts it has in common with a cached one are shared with that."""
    key, cached = _load_snapshot(snapshot)
    cache = _tenant_cache()
    network = cache.networks.get(key)
    if network is None:
        network = derive_network(snapshot.draft, cached.objects)
        cache.networks.put(key, network)
    return network


def derive_network(draft: Draft | None, after: SnapshotObjects, *, keep: bool = True) -> Network:
    """Return the network of objects that may not be written yet, made from the draft's last network."""
    latest, key = _tenant_cache().latest, draft.pk if draft else None
    previous = latest.get(key) or latest.get(None) or next(reversed(latest.values()), None)
    network = Network(after.intent, previous)
    if keep:
        latest.put(key, network)
    return network


def prime_versions(entries: Mapping[int, ParsedObject]) -> None:
    """Keep what these new version rows will be read as, unless they are rolled back."""
    _tenant_cache().versions = dict(entries)


def prime_draft(
    before: CachedObjects, deleted: Iterable[int], written: Mapping[int, ObjectChange], changes: Iterable[ObjectChange]
) -> None:
    """Keep what a draft will be read as after an edit, unless that is rolled back.

    before: the draft as it was; deleted, written: its overlay rows that are gone and that are new; changes: the edit.
    """
    overlays = dict(before.overlays)
    for pk in deleted:
        del overlays[pk]
    overlays.update(written)
    _tenant_cache().written = CachedObjects(before.objects.changed(changes), before.versions, overlays)


def cached_resources() -> Mapping[int, CachedResource]:
    """Return what was last read of the tenant's resource records (resource_state.py keeps it up to date)."""
    return _tenant_cache().resource_records


def cache_resources(now: Mapping[int, CachedResource]) -> None:
    _tenant_cache().resource_records = now


def stats() -> dict[int, CacheStats]:
    """Return how much is kept, by the number of the tenant, the least recently used one first."""
    with _lock:
        caches = dict(_tenant_caches)
    return {
        tenant: CacheStats(len(cache.snapshots), len(cache.networks), cache.object_count)
        for tenant, cache in caches.items()
    }


def clear() -> None:
    """Forget everything; it is read again when it is needed."""
    with _lock:
        _tenant_caches.clear()


def _load_snapshot(snapshot: Snapshot) -> tuple[CacheKey, CachedObjects]:
    cache = _tenant_cache()
    revision = Revision.objects.filter(number=snapshot.revision).values_list("pk", flat=True).first()
    base_key: CacheKey = ("revision", revision)
    base = cache.snapshots.get(base_key)
    if base is None:
        base = _load_revision(cache, snapshot.revision) if revision else CachedObjects(NO_OBJECTS, {}, {})
        cache.snapshots.put(base_key, base)
        _evict()
    if snapshot.draft is None:
        return base_key, base
    while digest := _overlay_digest(snapshot.draft):
        key = ("draft", snapshot.draft.pk, revision, digest)
        cached = cache.snapshots.get(key) or _load_draft(cache, snapshot.draft, base, digest)
        if cached is not None:
            cache.snapshots.put(key, cached)
            _evict()
            return key, cached
    return base_key, base


def _overlay_digest(draft: Draft) -> str | None:
    """Return a digest of the very overlay rows that the draft has, made where they are; None where it has none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM provisioning_overlay WHERE draft_id = %s",
            [draft.pk],
        )
        row: tuple[str | None] = cursor.fetchone()
    return row[0]


def _digest_of(overlays: Iterable[int]) -> str:
    return md5(",".join(map(str, overlays)).encode(), usedforsecurity=False).hexdigest()


def _load_revision(cache: TenantCache, number: int) -> CachedObjects:
    rows = Version.objects.filter(first__lte=number, last__gte=number)
    known = dict(cache.versions)
    for cached in cache.snapshots.values():
        known.update(cached.versions)
    if known:
        numbers = list(rows.values_list("pk", flat=True))
        versions = {pk: known[pk] for pk in numbers if pk in known}
        new = [pk for pk in numbers if pk not in known]
        versions.update(_parse_rows(rows.filter(pk__in=new) if len(new) < len(numbers) else rows))
    else:
        versions = dict(_parse_rows(rows))
    return CachedObjects(
        NO_OBJECTS.changed((entry.row.kind, entry.row.uid, entry) for entry in versions.values()), versions, {}
    )


def _load_draft(cache: TenantCache, draft: Draft, base: CachedObjects, digest: str) -> CachedObjects | None:
    """None: somebody edited the draft since the digest of its rows was made, and some of these rows are gone.

    A newer row must not get in either: an undo brings the very rows back that these objects are kept under.
    """
    written = cache.written
    if written and written.versions is base.versions and _digest_of(sorted(written.overlays)) == digest:
        return written
    numbers = list(Overlay.objects.filter(draft=draft).order_by("pk").values_list("pk", flat=True))
    known = dict(written.overlays) if written else {}
    for key, cached in cache.snapshots.items():
        if key[:2] == ("draft", draft.pk):
            known.update(cached.overlays)
    new = [pk for pk in numbers if pk not in known]
    overlays = {pk: known[pk] for pk in numbers if pk in known}
    rows = Overlay.objects.filter(draft=draft)
    rows = rows.filter(pk__in=new) if overlays else rows
    removed = rows.filter(body__isnull=True).values_list("pk", "kind", "item__uid")
    overlays.update((pk, (kind, str(uid), None)) for pk, kind, uid in removed)
    read = _parse_rows(rows.filter(body__isnull=False))
    overlays.update((pk, (entry.row.kind, entry.row.uid, entry)) for pk, entry in read)
    if _digest_of(sorted(overlays)) != digest:
        return None
    return CachedObjects(base.objects.changed(overlays.values()), base.versions, overlays)


def _parse_rows(rows: QuerySet[Any]) -> list[tuple[int, ParsedObject]]:
    fields = ("pk", "kind", "item__uid", "item__number", "item__key", "name", "body")
    return [
        (pk, ParsedObject.of(StoredObject.read(kind, uid, number, key, name, body)))
        for pk, kind, uid, number, key, name, body in rows.values_list(*fields).order_by("item__number")
    ]


def _tenant_cache() -> TenantCache:
    tenant = scope.current_tenant().pk
    with _lock:
        cache = _tenant_caches.setdefault(tenant, TenantCache())
        _tenant_caches.move_to_end(tenant)
        return cache


def _evict() -> None:
    with _lock:
        while len(_tenant_caches) > 1 and (
            len(_tenant_caches) > MAX_TENANTS
            or sum(cache.object_count for cache in _tenant_caches.values()) > MAX_OBJECTS
        ):
            _tenant_caches.popitem(last=False)
