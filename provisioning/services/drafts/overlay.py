"""A draft's overlay: the low level of editing. A change is one item's body before and after; null means not there."""

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
from provisioning.models import Draft, Item, Overlay
from provisioning.snapshots import queries, search_index, tenant_cache
from provisioning.snapshots.objects import ObjectChange, ParsedObject
from provisioning.snapshots.queries import Snapshot, StoredObject

Body = dict[str, Any]


@dataclass(frozen=True)
class BodyChange:
    """What happens to one item in a draft; ``typed``: the body after as the core takes it, where that is known."""

    item: Item
    before: Body | None
    after: Body | None
    typed: ParsedObject | None = None

    def row(self) -> StoredObject | None:
        if self.after is None:
            return None
        item = self.item
        return StoredObject(item.kind, str(item.uid), item.number, item.key, self.after["name"], self.after)

    @cached_property
    def entry(self) -> ParsedObject | None:
        """The row as the core takes it; raises the core's Invalid when the body is not one of its kind."""
        if self.typed:
            return self.typed
        row = self.row()
        return ParsedObject.of(row) if row else None


def create_items(kind: str, names: Sequence[str]) -> list[Item]:
    """Identities with keys nobody had before, in the order of the names.

    A key that is taken gets a number: asked for one, then more and more at a time, so that few questions find it.
    """
    stems = [core.slug(name)[:50] for name in names]
    keys: dict[int, str] = {}
    given: set[str] = set()
    asked: dict[str, int] = {}
    left, width = list(range(len(stems))), 1
    while left:
        wanted = Counter(stems[place] for place in left)
        tried = {stem: _candidate_keys(stem, asked.get(stem, 0), count * width) for stem, count in wanted.items()}
        asked.update((stem, asked.get(stem, 0) + len(found)) for stem, found in tried.items())
        mine = Item.objects.filter(kind=kind, key__in=[key for found in tried.values() for key in found])
        taken = set(mine.values_list("key", flat=True))
        free = {stem: iter([key for key in found if key not in taken]) for stem, found in tried.items()}
        for place in left:
            if key := next((key for key in free[stems[place]] if key not in given), None):
                keys[place] = key
                given.add(key)
        left, width = [place for place in left if place not in keys], width * 4
    return Item.objects.bulk_insert(Item(kind=kind, key=keys[place]) for place in range(len(stems)))


def _candidate_keys(stem: str, start: int, count: int) -> list[str]:
    return [stem if number == 0 else f"{stem}-{number + 1}" for number in range(start, start + count)]


def write_overlay(draft: Draft, changes: Iterable[BodyChange]) -> None:
    """Put the bodies after into the overlay; what equals the base revision needs no overlay."""
    changes = list(changes)
    base = tenant_cache.load_objects(Snapshot(draft.base_revision))
    was = {change.item.pk: base.body(change.item.kind, str(change.item.uid)) for change in changes}
    _delete_overlays(list(Overlay.objects.filter(draft=draft, item__in=list(was)).values_list("pk", flat=True)))
    written = Overlay.objects.bulk_insert(
        Overlay(
            draft=draft,
            item=change.item,
            kind=change.item.kind,
            name=(change.after or was[change.item.pk] or change.before or {"name": ""})["name"],
            body=change.after,
        )
        for change in changes
        if change.after != was[change.item.pk]
    )
    search_index.write_entries(written)
    after = {change.item.pk: change.entry for change in changes}
    tenant_cache.prime_overlays({one.pk: entry for one in written if (entry := after[one.item_id])})


def _delete_overlays(overlays: list[int]) -> None:
    """Delete them and their marks without reading either: there may be thousands."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM provisioning_overlayindexentry WHERE overlay_id = ANY(%s)", [overlays])
        cursor.execute("DELETE FROM provisioning_overlay WHERE id = ANY(%s)", [overlays])


def refuse_new_errors(draft: Draft, changes: Sequence[BodyChange]) -> None:
    """Raise Invalid when the changes would bring errors into the network that were not there before."""
    view = queries.snapshot_of_draft(draft)
    before = tenant_cache.load_objects(view)
    try:
        after = before.changed([_object_change(one) for one in changes])
        found = network_errors(tenant_cache.derive_network(draft, after))
    except core.InvalidIntent as error:
        raise ValidationFailed("The network would be invalid.", error.problems) from error
    known = set(network_errors(tenant_cache.load_network(view))) if found else set()
    new = [problem for problem in found if problem not in known]
    if new:
        raise ValidationFailed(new[0].message, new)


def network_errors(network: Network) -> list[Problem]:
    return [problem for problem in check_network(network, slow_checks=False) if problem.severity == "error"]


def _object_change(change: BodyChange) -> ObjectChange:
    return change.item.kind, str(change.item.uid), change.entry
