"""What billing reads of provisioning: lifetimes of resources, counters of nodes, and the names of objects.

Everything is of the tenant in force.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Max, Min, Q, QuerySet

from provisioning.core.intent import KINDS, build_object, complete_body, kind_word
from provisioning.core.resolve.memberships import GroupMemberships, merge_labels
from provisioning.core.values.counter_key import CounterForm, CounterKey
from provisioning.core.values.resource import Resource
from provisioning.models import CounterReading, Item, Lifecycle, Overlay, ResourceRecord, Revision, Version
from provisioning.selectors.nodes import nodes_of_tenant


class ResourceLifetime(NamedTuple):
    """From when to when (None: until now) a resource existed with the same dimensions."""

    pk: int
    address: str
    kind: str
    dimensions: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None


class CounterReadingRow(NamedTuple):
    """What a node's counter showed. ``key`` is the text of a CounterKey; a new epoch starts from zero."""

    node: int
    key: str
    epoch: str
    at: datetime
    value: int


class NamedItem(NamedTuple):
    """An intent object and the newest name it has."""

    uid: UUID
    name: str


@cache
def kinds_by_word() -> Mapping[str, str]:
    """Return the word of a kind, which addresses of its resources begin with → the kind ("policy" → "policies")."""
    return {kind_word(kind): kind for kind in KINDS}


def lifetimes_between(start: datetime, end: datetime) -> Iterator[ResourceLifetime]:
    """Yield the lifetimes that overlap [start, end), by address, then by start."""
    overlapping = Q(ended_at__isnull=True) | Q(ended_at__gt=start)
    return _lifetimes(Lifecycle.objects.filter(overlapping, started_at__lt=end).order_by("address", "started_at", "pk"))


def lifetimes_before(when: datetime) -> Iterator[ResourceLifetime]:
    """Yield the lifetimes that began before an instant, the oldest first."""
    return _lifetimes(Lifecycle.objects.filter(started_at__lt=when).order_by("started_at", "pk"))


def open_lifetimes() -> Iterator[ResourceLifetime]:
    """Yield the lifetimes of what exists now, by address."""
    return _lifetimes(Lifecycle.objects.filter(ended_at__isnull=True).order_by("address"))


def _lifetimes(rows: QuerySet[Lifecycle]) -> Iterator[ResourceLifetime]:
    return map(ResourceLifetime._make, rows.values_list(*ResourceLifetime._fields))


def counter_readings(start: datetime, end: datetime, forms: Iterable[CounterForm]) -> Iterator[CounterReadingRow]:
    """Yield the readings of [start, end) of counters of these forms, by node, key and time.

    A form without a direction is found with every one; who reads the rows parses their keys.
    """
    has_form = Q(pk__in=())
    for subject_kind, direction, quantity in forms:
        suffix = str(CounterKey("", direction=direction, quantity=quantity))
        has_form |= Q(key__startswith=f"{subject_kind}/", key__endswith=f"|{suffix}" if suffix else "")
    rows = CounterReading.objects.filter(has_form, at__gte=start, at__lt=end).order_by("node_id", "key", "at", "pk")
    return map(CounterReadingRow._make, rows.values_list("node_id", "key", "epoch", "at", "value").iterator())


def last_reading_before(node: int, key: str, when: datetime) -> CounterReadingRow | None:
    """Return a counter's newest reading before an instant, or None."""
    rows = CounterReading.objects.filter(node_id=node, key=key, at__lt=when).order_by("-at")
    row = rows.values_list("node_id", "key", "epoch", "at", "value").first()
    return CounterReadingRow._make(row) if row else None


def node_locations() -> dict[int, str]:
    """Return the location of each of the tenant's nodes, by its primary key."""
    return dict(nodes_of_tenant().values_list("pk", "location"))


def first_activity() -> datetime | None:
    """Return when the tenant's first resource began to exist or its first counter was read; None before either."""
    firsts = [
        Lifecycle.objects.aggregate(at=Min("started_at"))["at"],
        CounterReading.objects.aggregate(at=Min("at"))["at"],
    ]
    return min((first for first in firsts if first), default=None)


def live_resources() -> list[Resource]:
    """Return every resource that exists, as last written."""
    return [Resource(*row) for row in ResourceRecord.objects.values_list("address", "kind", "body")]


def item_uids(keys: Iterable[str]) -> dict[tuple[str, str], UUID]:
    """Return (kind, key) → uid of the intent objects with these keys, in one query."""
    rows = Item.objects.filter(key__in=set(keys)).values_list("kind", "key", "uid")
    return {(kind, key): uid for kind, key, uid in rows}


def named_items(keys: Iterable[str]) -> dict[tuple[str, str], NamedItem]:
    """Return (kind, key) → item of the intent objects with these keys, in three queries however many there are.

    The name is that of the newest revision, or of a draft for what was never provisioned, or else the key.
    """
    items = list(Item.objects.filter(key__in=set(keys)))
    numbers = [item.number for item in items]
    names = dict(Overlay.objects.filter(item__in=numbers).order_by("pk").values_list("item_id", "name"))
    names.update(Version.objects.filter(item__in=numbers).order_by("first").values_list("item_id", "name"))
    return {(item.kind, item.key): NamedItem(item.uid, names.get(item.number, item.key)) for item in items}


class Belonging(NamedTuple):
    """Name by uid of what an object is told apart by: its billing tags, its segments, its groups."""

    tags: Mapping[str, str]
    segments: Mapping[str, str]
    groups: Mapping[str, str]


def belongings(keys: Iterable[tuple[str, str]], at: datetime) -> dict[tuple[str, str], Belonging]:
    """Return (kind, key) → what each object belonged to in the revision that was live at an instant.

    One that was not live then is taken as it was last, or first became. Five queries however many there are.
    """
    wanted = set(keys)
    items = {row.number: row for row in Item.objects.filter(key__in={key for _, key in wanted})}
    items = {number: row for number, row in items.items() if (row.kind, row.key) in wanted}
    live = Revision.objects.filter(created_at__lte=at).aggregate(newest=Max("number"))["newest"] or 0
    bodies: dict[int, dict[str, Any]] = {}
    for number, first, body in (
        Version.objects.filter(item__in=items).order_by("first").values_list("item_id", "first", "body")
    ):
        if first <= live or number not in bodies:
            bodies[number] = body
    memberships = _group_memberships(live)
    named = {number: _named_by(complete_body(items[number].kind, body), memberships) for number, body in bodies.items()}
    uids = set().union(*(uids for lists in named.values() for uids in lists)) if named else set()
    names = {str(item.uid): item.name for item in named_items(_keys_of(uids)).values()}
    return {
        (items[number].kind, items[number].key): Belonging(*(_labelled(uids, names) for uids in lists))
        for number, lists in named.items()
    }


def _labelled(uids: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    return {uid: names.get(uid, uid) for uid in uids}


def _group_memberships(revision: int) -> GroupMemberships:
    """Return the selectors and the groups in groups of a revision."""
    versions = Version.objects.filter(kind="groups", first__lte=revision, last__gte=revision).select_related("item")
    groups = (
        build_object("groups", str(version.item.uid), version.item_id, version.item.key, version.body)
        for version in versions
    )
    return GroupMemberships([group for group in groups if group.selector or group.contains])


def _named_by(body: Mapping[str, Any], memberships: GroupMemberships) -> tuple[list[str], list[str], list[str]]:
    attachments = body.get("attachments", ())
    segments = [part["segment"] for part in (*attachments, body) if part.get("segment")]
    labels = body.get("labels", {})
    groups = frozenset[str]().union(
        *(
            memberships.groups_of(part.get("groups", ()), merge_labels(labels, part.get("labels", {})))
            for part in attachments
        )
    )
    return [*body.get("billing_tags", ())], [*dict.fromkeys(segments)], sorted(groups)


def _keys_of(uids: Collection[str]) -> list[str]:
    return list(Item.objects.filter(uid__in=uids).values_list("key", flat=True)) if uids else []
