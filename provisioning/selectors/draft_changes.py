"""What a draft changes in its base revision, and how many objects a snapshot has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q

from provisioning.core.intent import KINDS
from provisioning.models import Draft, Edit, Overlay, Version
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject
from tenants.models import AuditEntry

ChangeState = Literal["new", "changed"]
MAX_REMOVED = 50


class ObjectCount(NamedTuple):
    """How many objects of a kind there are, and how many the draft added, changed or removed."""

    present: int
    touched: int


def count_objects(snapshot: Snapshot) -> dict[str, ObjectCount]:
    """Return how many objects of each kind the snapshot has, and how many of them its draft touched."""
    base = snapshot.revision
    versions = Version.objects.filter(first__lte=base, last__gte=base)
    present = Counter({row["kind"]: row["number"] for row in versions.values("kind").annotate(number=Count("pk"))})
    touched: Counter[str] = Counter()
    if snapshot.draft:
        overlays = Overlay.objects.filter(draft=snapshot.draft).annotate(
            removed=Q(body__isnull=True), in_base=Exists(versions.filter(item=OuterRef("item")))
        )
        for row in overlays.values("kind", "removed", "in_base").annotate(number=Count("pk")):
            touched[row["kind"]] += row["number"]
            if row["removed"]:
                present[row["kind"]] -= row["number"]
            elif not row["in_base"]:
                present[row["kind"]] += row["number"]
    return {kind: ObjectCount(present[kind], touched[kind]) for kind in KINDS}


def draft_writers(draft: Draft) -> list[str]:
    """Return the mail addresses of all who made the edits that are in force, sorted."""
    edits = draft.edits.filter(number__lte=draft.cursor)
    return sorted(set(edits.values_list("author", flat=True)))


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


def list_removed_objects(draft: Draft, kind: str, search: str = "") -> tuple[list[StoredObject], int]:
    """Return objects of a kind that the draft removed, by name and as its base has them, and how many there are.

    ``search``: only those with this in their names. At most MAX_REMOVED are returned.
    """
    removed = Overlay.objects.filter(draft=draft, kind=kind, body__isnull=True, name__icontains=search)
    uids = removed.order_by("name", "item").values_list("item__uid", flat=True)[:MAX_REMOVED]
    rows = queries.objects_by_uid(Snapshot(draft.base_revision), uids)
    count = removed.count() if len(rows) == MAX_REMOVED else len(rows)
    return sorted(rows.values(), key=lambda row: (row.name, row.number)), count


def _items_in_base(draft: Draft, items: Iterable[int]) -> set[int]:
    """Return those of these items that the base revision has."""
    base = draft.base_revision
    versions = Version.objects.filter(item__in=list(items), first__lte=base, last__gte=base)
    return set(versions.values_list("item", flat=True))
