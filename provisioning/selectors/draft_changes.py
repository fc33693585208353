"""What a draft changes in its base revision, and how many objects a snapshot has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

from django.db.models import Count, F

from provisioning.models import Draft, Edit, Overlay, Version
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject
from tenants.models import AuditEntry

ChangeState = Literal["new", "changed", "removed"]


def count_objects(snapshot: Snapshot) -> Counter[str]:
    """Return how many objects of each kind the snapshot has."""
    versions = Version.objects.filter(first__lte=snapshot.revision, last__gte=snapshot.revision)
    counts = Counter({row["kind"]: row["number"] for row in versions.values("kind").annotate(number=Count("pk"))})
    if snapshot.draft:
        for kind, state in _overlay_states(snapshot.draft):
            counts[kind] += {"new": 1, "changed": 0, "removed": -1}[state]
    return counts


def draft_writers(draft: Draft) -> list[str]:
    """Return the mail addresses of all who made the edits that are in force, sorted."""
    edits = draft.edits.filter(number__lte=draft.cursor)
    return sorted(set(edits.values_list("author", flat=True)))


def count_changed_objects(draft: Draft) -> Counter[str]:
    """Return how many objects of each kind the draft adds, changes or removes."""
    return Counter(kind for kind, _ in _overlay_states(draft))


def last_change(draft: Draft, stored: StoredObject | None = None) -> tuple[str, datetime | None]:
    """Return who changed the draft last, or made one of its objects what it is, and when; ("", None) if nobody did."""
    edits = Edit.objects.filter(draft=draft, number__lte=draft.cursor)
    # An undo, a redo and a rebase are written to the audit log only.
    moves = AuditEntry.objects.filter(object_id=str(draft.uid), action__in=("draft.edit", "draft.rebase"))
    if stored:
        edits = edits.filter(changes__contains=[{"item": stored.number, "after": stored.body}])
        moves = moves.none() if edits else moves
    changes = [(edit.author, edit.at) for edit in edits.order_by("-number")[:1]]
    changes += [(entry.actor, entry.at) for entry in moves[:1]]
    return max(changes, key=lambda change: change[1], default=("", None))


def count_edits_by_author(drafts: Iterable[Draft]) -> defaultdict[int, Counter[str]]:
    """Return primary key of a draft → author → edits in force."""
    edits = Edit.objects.filter(draft__in=list(drafts), number__lte=F("draft__cursor"))
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for draft, author, number in edits.values_list("draft", "author").annotate(number=Count("pk")).order_by("author"):
        counts[draft][author] = number
    return counts


def change_states(draft: Draft, objects: Collection[StoredObject]) -> dict[str, ChangeState]:
    """Return uid → what the draft did to the object, for those of ``objects`` that it touched."""
    overlaid = set(
        Overlay.objects.filter(draft=draft, item__in=[row.number for row in objects]).values_list("item", flat=True)
    )
    in_base = _items_in_base(draft, overlaid)
    return {row.uid: "changed" if row.number in in_base else "new" for row in objects if row.number in overlaid}


def list_changed_objects(draft: Draft, kind: str) -> list[tuple[StoredObject, ChangeState]]:
    """Return the objects of a kind that the draft touched, by name; removed ones come last, as the base has them."""
    overlays = list(Overlay.objects.filter(draft=draft, kind=kind).select_related("item"))
    kept = [overlay for overlay in overlays if overlay.body is not None]
    in_base = _items_in_base(draft, [overlay.item_id for overlay in kept])
    base = Snapshot(draft.base_revision)
    rows = queries.objects_by_uid(queries.snapshot_of_draft(draft), [overlay.item.uid for overlay in kept])
    removed = queries.objects_by_uid(base, [overlay.item.uid for overlay in overlays if overlay.body is None])
    present: list[tuple[StoredObject, ChangeState]] = [
        (rows[str(overlay.item.uid)], "changed" if overlay.item_id in in_base else "new") for overlay in kept
    ]
    return sorted(present, key=_name_of) + sorted(((row, "removed") for row in removed.values()), key=_name_of)


def _name_of(entry: tuple[StoredObject, ChangeState]) -> str:
    return entry[0].name


def _overlay_states(draft: Draft) -> Iterable[tuple[str, ChangeState]]:
    overlays = list(Overlay.objects.filter(draft=draft).values_list("kind", "item", "body__isnull"))
    in_base = _items_in_base(draft, [item for _, item, _ in overlays])
    for kind, item, removed in overlays:
        yield kind, "removed" if removed else "changed" if item in in_base else "new"


def _items_in_base(draft: Draft, items: Iterable[int]) -> set[int]:
    """Return those of these items that the base revision has."""
    base = draft.base_revision
    versions = Version.objects.filter(item__in=list(items), first__lte=base, last__gte=base)
    return set(versions.values_list("item", flat=True))
