"""A draft's overlay, the low level of editing. A change is one item's body before and after; None: not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection

from provisioning.core import intent as core
from provisioning.core.check import check_network
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Item, Overlay, Version
from provisioning.snapshots import queries, search_index, tenant_cache
from provisioning.snapshots.objects import ObjectChange, ParsedObject, SnapshotObjects
from provisioning.snapshots.queries import Snapshot, StoredObject

Body = dict[str, Any]


@dataclass(frozen=True)
class BodyChange:
    """What happens to one item in a draft; ``parsed``: the body after as the core reads it, where that is known."""

    item: Item
    before: Body | None
    after: Body | None
    parsed: ParsedObject | None = None

    def stored_after(self) -> StoredObject | None:
        """Return the object as it is after the change; None where it is removed."""
        if self.after is None:
            return None
        item = self.item
        return StoredObject(item.kind, str(item.uid), item.number, item.key, self.after["name"], self.after)

    @cached_property
    def entry(self) -> ParsedObject | None:
        """The object after the change as the core reads it; raises InvalidIntent for a body it cannot read."""
        if self.parsed:
            return self.parsed
        stored = self.stored_after()
        return ParsedObject.of(stored) if stored else None


def create_items(kind: str, names: Sequence[str], *, dry_run: bool = False) -> list[Item]:
    """Return an item for each name, in their order: that of its key where nothing stands under it, else a new one.

    Keys are the identity of resources, samples and counters, so one that ever was live is never given to another
    object. With ``dry_run`` none is written, and the numbers of new ones are only the next ones that nobody has: those
    of the sequence are never given twice.
    """
    items = _choose_items(kind, names)
    new = [item for item in items if item.pk is None]
    if not dry_run:
        Item.objects.bulk_insert(new)
    elif new:
        last = Item.objects.order_by("-number").values_list("number", flat=True).first() or 0
        for number, item in enumerate(new, last + 1):
            item.number = number
    return items


def _choose_items(kind: str, names: Sequence[str]) -> list[Item]:
    """Return an item for each name, saved or not: of the key of the name; where that is taken with a number after it.

    Candidates are looked up in batches that grow fourfold, so that few queries find a free one.
    """
    stems = [core.slug(name)[:50] for name in names]
    items: dict[int, Item] = {}
    given: set[str] = set()
    next_number: dict[str, int] = {}
    open_indexes, width = list(range(len(stems))), 1
    while open_indexes:
        counts = Counter(stems[index] for index in open_indexes)
        candidates = {
            stem: _candidate_keys(stem, next_number.get(stem, 0), count * width) for stem, count in counts.items()
        }
        next_number.update(
            (stem, next_number.get(stem, 0) + len(keys_tried)) for stem, keys_tried in candidates.items()
        )
        keys = [key for keys_tried in candidates.values() for key in keys_tried]
        existing = {item.key: item for item in Item.objects.filter(kind=kind, key__in=keys)}
        unused = _unused_items(list(existing.values()))
        free = {
            stem: iter([key for key in keys_tried if key not in existing or key in unused])
            for stem, keys_tried in candidates.items()
        }
        for index in open_indexes:
            if key := next((key for key in free[stems[index]] if key not in given), None):
                items[index] = unused.get(key) or Item(kind=kind, key=key)
                given.add(key)
        open_indexes, width = [index for index in open_indexes if index not in items], width * 4
    return [items[index] for index in range(len(stems))]


def _unused_items(items: Sequence[Item]) -> dict[str, Item]:
    """Return by key those of the items that were never live and are in no open draft.

    An undo, or a draft that is restored, may bring one back into a second draft. Both then have the same object, and
    whichever is provisioned last is rebased onto the other: what differs is a conflict that people decide.
    """
    numbers = [item.pk for item in items]
    if not numbers:
        return {}
    used = set(Version.objects.filter(item__in=numbers).values_list("item", flat=True))
    in_drafts = Overlay.objects.filter(item__in=numbers, body__isnull=False, draft__state=Draft.State.OPEN)
    used.update(in_drafts.values_list("item", flat=True))
    return {item.key: item for item in items if item.pk not in used}


def _candidate_keys(stem: str, start: int, count: int) -> list[str]:
    return [stem if number == 0 else f"{stem}-{number + 1}" for number in range(start, start + count)]


def write_overlay(draft: Draft, changes: Iterable[BodyChange]) -> None:
    """Write the bodies after the changes into the overlay; what equals the base revision needs no row."""
    changes = list(changes)
    base = tenant_cache.load_objects(Snapshot(draft.base_revision))
    before = tenant_cache.load_cached(queries.snapshot_of_draft(draft))
    base_bodies = {change.item.pk: base.body(change.item.kind, str(change.item.uid)) for change in changes}
    replaced = list(Overlay.objects.filter(draft=draft, item__in=list(base_bodies)).values_list("pk", flat=True))
    _delete_overlays(replaced)
    written = Overlay.objects.bulk_insert(
        Overlay(
            draft=draft,
            item=change.item,
            kind=change.item.kind,
            name=(change.after or base_bodies[change.item.pk] or change.before or {"name": ""})["name"],
            body=change.after,
        )
        for change in changes
        if not core.is_same_body(change.item.kind, change.after, base_bodies[change.item.pk])
    )
    search_index.write_entries(written)
    overlaid = {overlay.item_id for overlay in written}
    # What equals the base is read from there.
    after = {
        change.item.pk: _object_change(change) if change.item.pk in overlaid else _object_in(base, change.item)
        for change in changes
    }
    rows = {overlay.pk: after[overlay.item_id] for overlay in written}
    tenant_cache.prime_draft(before, replaced, rows, after.values())


def _delete_overlays(overlays: list[int]) -> None:
    """Delete overlay rows and their index entries without reading either: there may be thousands."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM provisioning_overlayindexentry WHERE overlay_id = ANY(%s)", [overlays])
        cursor.execute("DELETE FROM provisioning_overlay WHERE id = ANY(%s)", [overlays])


def refuse_new_errors(draft: Draft, changes: Sequence[BodyChange], *, keep: bool = True) -> None:
    """Raise ValidationFailed where the changes would bring errors into the network that it does not have yet."""
    if errors := new_errors(draft, queries.snapshot_of_draft(draft), changes, keep=keep):
        raise ValidationFailed(errors[0].message, errors)


def new_errors(draft: Draft, snapshot: Snapshot, changes: Sequence[BodyChange], *, keep: bool = True) -> list[Problem]:
    """Return the errors that the changes of ``draft`` would bring into the network of ``snapshot``.

    keep: whether the network after the changes is kept in memory, for the next edit to start from.
    """
    before = tenant_cache.load_objects(snapshot)
    try:
        after = before.changed([_object_change(change) for change in changes])
        errors = network_errors(tenant_cache.derive_network(draft, after, keep=keep))
    except core.InvalidIntent as error:
        return list(error.problems)
    known_errors = set(network_errors(tenant_cache.load_network(snapshot))) if errors else set()
    return [problem for problem in errors if problem not in known_errors]


def network_errors(network: Network) -> list[Problem]:
    return [problem for problem in check_network(network, slow_checks=False) if problem.severity == "error"]


def _object_change(change: BodyChange) -> ObjectChange:
    return change.item.kind, str(change.item.uid), change.entry


def _object_in(objects: SnapshotObjects, item: Item) -> ObjectChange:
    return item.kind, str(item.uid), objects.of(item.kind).get(str(item.uid))
