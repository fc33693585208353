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

from provisioning.core.gc_pause import gc_paused
from provisioning.core.intent import Intent
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource
from provisioning.models import Draft, Overlay, Revision, Version
from provisioning.selectors.content import EMPTY, Content, Entry
from provisioning.selectors.views import Row, View
from tenants import scope

MOST_TENANTS = 8
MOST_OBJECTS = 80_000
"""Of the tenants that are kept together; the one in use is kept whatever its size."""
MOST_CONTENTS, MOST_NETWORKS = 8, 5

Key = tuple[Any, ...]
Kept = TypeVar("Kept")


@dataclass
class Held:
    """A content and the database rows it was made of, by their numbers."""

    content: Content
    versions: dict[int, Entry]
    overlays: dict[int, Entry]


@dataclass(frozen=True, slots=True)
class Written:
    """A resource record: when it was written, what it says, and the digest of its body."""

    at: datetime
    resource: Resource
    digest: str


@dataclass
class Shelf:
    """What is kept of one tenant, the least recently used first."""

    contents: OrderedDict[Key, Held] = field(default_factory=OrderedDict)
    networks: OrderedDict[Key, Network] = field(default_factory=OrderedDict)
    latest: OrderedDict[int | None, Network] = field(default_factory=OrderedDict)
    """Draft (None: a revision) → the network to take unchanged parts from."""
    versions: dict[int, Entry] = field(default_factory=dict)
    overlays: dict[int, Entry] = field(default_factory=dict)
    """What this process has just written, by the numbers of the rows: the very objects that were checked."""
    written: Mapping[int, Written] = field(default_factory=dict)
    """By the number of the resource record."""

    @property
    def weight(self) -> int:
        return max((len(held.content) for held in self.contents.values()), default=0)


_lock = threading.Lock()
_shelves: OrderedDict[int, Shelf] = OrderedDict()


def content(view: View) -> Content:
    """All objects of the view."""
    return _held(view)[1].content


def intent(view: View) -> Intent:
    return content(view).intent


def network(view: View) -> Network:
    """The view's network; parts that it has in common with one that is kept are shared with that."""
    key, held = _held(view)
    shelf = _shelf()
    found = _get(shelf.networks, key)
    if found is None:
        found = successor(view.draft, held.content)
        _put(shelf.networks, key, found, MOST_NETWORKS)
    return found


def successor(draft: Draft | None, after: Content) -> Network:
    """The network of a content that is perhaps not written yet, made from the draft's last one."""
    shelf, of = _shelf(), draft.pk if draft else None
    previous = _get(shelf.latest, of) or _get(shelf.latest, None) or next(reversed(shelf.latest.values()), None)
    made = Network(after.intent, previous)
    _put(shelf.latest, of, made, MOST_NETWORKS)
    return made


def expect_versions(entries: Mapping[int, Entry]) -> None:
    """What these new rows will be read as, unless they are rolled back."""
    _shelf().versions = dict(entries)


def expect_overlays(entries: Mapping[int, Entry]) -> None:
    _shelf().overlays = dict(entries)


def written() -> Mapping[int, Written]:
    """What was last read of the tenant's resource records (services/world.py keeps it up to date)."""
    return _shelf().written


def keep_written(now: Mapping[int, Written]) -> None:
    _shelf().written = now


def forget() -> None:
    """Let go of everything that is kept; it is read again when asked for."""
    with _lock:
        _shelves.clear()


def _held(view: View) -> tuple[Key, Held]:
    shelf = _shelf()
    revision = Revision.objects.filter(number=view.revision).values_list("pk", flat=True).first()
    base_key: Key = ("revision", revision)
    base = _get(shelf.contents, base_key)
    if base is None:
        base = _revision(shelf, view.revision) if revision else Held(EMPTY, {}, {})
        _put(shelf.contents, base_key, base, MOST_CONTENTS)
        _trim()
    if view.draft is None:
        return base_key, base
    while there := list(Overlay.objects.filter(draft=view.draft).order_by("pk").values_list("pk", flat=True)):
        key = ("draft", view.draft.pk, revision, sha256(repr(there).encode()).digest())
        held = _get(shelf.contents, key) or _draft(shelf, view.draft, base, there)
        if held is not None:
            _put(shelf.contents, key, held, MOST_CONTENTS)
            _trim()
            return key, held
    return base_key, base


def _revision(shelf: Shelf, number: int) -> Held:
    rows = Version.objects.filter(first__lte=number, last__gte=number)
    known = dict(shelf.versions)
    for held in list(shelf.contents.values()):
        known.update(held.versions)
    if known:
        there = list(rows.values_list("pk", flat=True))
        versions = {pk: known[pk] for pk in there if pk in known}
        new = [pk for pk in there if pk not in known]
        versions.update(_entries(rows.filter(pk__in=new) if len(new) < len(there) else rows))
    else:
        versions = dict(_entries(rows))
    return Held(EMPTY.changed((entry.row.kind, entry.row.uid, entry) for entry in versions.values()), versions, {})


def _draft(shelf: Shelf, draft: Draft, base: Held, there: list[int]) -> Held | None:
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
        read = _entries(rows.filter(pk__in=new) if overlays else rows)
        overlays.update((pk, entry) for pk, entry in read if pk in new)
    removed = Overlay.objects.filter(draft=draft, body__isnull=True).values_list("pk", "kind", "item__uid")
    gone = [row for row in removed if row[0] in new]
    if len(overlays) + len(gone) < len(there):
        return None
    changes = [
        *((kind, str(uid), None) for _, kind, uid in gone),
        *((entry.row.kind, entry.row.uid, entry) for entry in overlays.values()),
    ]
    return Held(base.content.changed(changes), base.versions, overlays)


def _entries(rows: QuerySet[Any]) -> list[tuple[int, Entry]]:
    fields = ("pk", "kind", "item__uid", "item__number", "item__key", "name", "body")
    with gc_paused():
        return [
            (pk, Entry.of(Row(kind, str(uid), number, key, name, body)))
            for pk, kind, uid, number, key, name, body in rows.values_list(*fields).order_by("item__number")
        ]


def _shelf() -> Shelf:
    tenant = scope.current().pk
    with _lock:
        shelf = _shelves.setdefault(tenant, Shelf())
        _shelves.move_to_end(tenant)
        return shelf


def _get(kept: OrderedDict[Any, Kept], key: Any) -> Kept | None:
    with _lock:
        if key in kept:
            kept.move_to_end(key)
        return kept.get(key)


def _put(kept: OrderedDict[Any, Kept], key: Any, value: Kept, most: int) -> None:
    with _lock:
        kept[key] = value
        kept.move_to_end(key)
        while len(kept) > most:
            kept.popitem(last=False)


def _trim() -> None:
    with _lock:
        while len(_shelves) > 1 and (
            len(_shelves) > MOST_TENANTS or sum(shelf.weight for shelf in _shelves.values()) > MOST_OBJECTS
        ):
            _shelves.popitem(last=False)
