"""What a draft does to its base revision, and how many objects a view has: for lists that show a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal

from django.db.models import Count

from provisioning.models import Draft, Overlay, Version
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject

ChangeState = Literal["new", "changed", "removed"]


def count_objects(view: Snapshot) -> Counter[str]:
    """Objects of each kind."""
    versions = Version.objects.filter(first__lte=view.revision, last__gte=view.revision)
    found = Counter({row["kind"]: row["number"] for row in versions.values("kind").annotate(number=Count("pk"))})
    if view.draft:
        for kind, state in _overlay_states(view.draft):
            found[kind] += {"new": 1, "changed": 0, "removed": -1}[state]
    return found


def count_changed_objects(draft: Draft) -> Counter[str]:
    """Objects of each kind that the draft adds, changes or removes."""
    return Counter(kind for kind, _ in _overlay_states(draft))


def change_states(draft: Draft, found: Collection[StoredObject]) -> dict[str, ChangeState]:
    """uid → what the draft did to it, for those rows that it did anything to."""
    overlaid = set(
        Overlay.objects.filter(draft=draft, item__in=[row.number for row in found]).values_list("item", flat=True)
    )
    known = _items_in_base(draft, overlaid)
    return {row.uid: "changed" if row.number in known else "new" for row in found if row.number in overlaid}


def list_changed_objects(draft: Draft, kind: str) -> list[tuple[StoredObject, ChangeState]]:
    """The objects of a kind that the draft touched, by name; removed ones as the base revision has them, last."""
    overlays = list(Overlay.objects.filter(draft=draft, kind=kind).select_related("item"))
    here = [overlay for overlay in overlays if overlay.body is not None]
    known = _items_in_base(draft, [overlay.item_id for overlay in here])
    base = Snapshot(draft.base_revision)
    here_rows = queries.objects_by_uid(queries.snapshot_of_draft(draft), [overlay.item.uid for overlay in here])
    gone = queries.objects_by_uid(base, [overlay.item.uid for overlay in overlays if overlay.body is None])
    found: list[tuple[StoredObject, ChangeState]] = [
        (here_rows[str(overlay.item.uid)], "changed" if overlay.item_id in known else "new") for overlay in here
    ]
    return sorted(found, key=_name_of) + sorted(((row, "removed") for row in gone.values()), key=_name_of)


def _name_of(entry: tuple[StoredObject, ChangeState]) -> str:
    return entry[0].name


def _overlay_states(draft: Draft) -> Iterable[tuple[str, ChangeState]]:
    overlays = list(Overlay.objects.filter(draft=draft).values_list("kind", "item", "body__isnull"))
    known = _items_in_base(draft, [item for _, item, _ in overlays])
    for kind, item, gone in overlays:
        yield kind, "removed" if gone else "changed" if item in known else "new"


def _items_in_base(draft: Draft, items: Iterable[int]) -> set[int]:
    """Those of these items that the base revision has."""
    base = draft.base_revision
    found = Version.objects.filter(item__in=list(items), first__lte=base, last__gte=base)
    return set(found.values_list("item", flat=True))
