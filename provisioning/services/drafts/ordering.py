"""Objects whose order decides: moving one before another, and copying one to right behind itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise
from typing import Any
from uuid import UUID

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Item
from provisioning.services.drafts import editing
from provisioning.services.drafts.lifecycle import lock_draft
from provisioning.services.drafts.overlay import BodyChange
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.queries import StoredObject

STEP = 10
"""Between positions where they are written anew, so that there is room for the next move."""


def move_object(draft: Draft, kind: str, uid: str | UUID, before: str | UUID | None) -> StoredObject:
    """Put an object right before another of its kind, or last; as one edit, which rewrites as few positions as it can.

    Raises ValidationFailed for a kind without positions, ObjectNotFound where one of them is not in the draft.
    """
    draft = lock_draft(draft)
    if core.kind_of(kind).position is None:
        wrong = f"{core.capitalise(core.kind_plural(kind))} have no order."
        raise ValidationFailed(wrong, [Problem("not_ordered", kind, wrong)])
    snapshot = queries.snapshot_of_draft(draft)
    moved = queries.get_object(snapshot, kind, uid)
    next_one = queries.get_object(snapshot, kind, before) if before else None
    others = [row for row in _in_order(snapshot, kind) if row.uid != moved.uid]
    index = next((n for n, row in enumerate(others) if next_one and row.uid == next_one.uid), len(others))
    if next_one and next_one.uid == moved.uid:
        return moved
    changes = _place([*others[:index], moved, *others[index:]], index)
    if changes:
        where = f"before {next_one.name}" if next_one else "to the end"
        editing.record_edit(draft, f"Move {core.kind_word(kind)} {moved.name} {where}", changes)
    return queries.get_object(queries.snapshot_of_draft(draft), kind, uid)


def clone_object(draft: Draft, kind: str, uid: str | UUID) -> StoredObject:
    """Add a copy of an object under a name of its own; where the order decides, right behind it."""
    draft = lock_draft(draft)
    snapshot = queries.snapshot_of_draft(draft)
    original = queries.get_object(snapshot, kind, uid)
    names = {row.name.casefold() for row in tenant_cache.load_objects(snapshot) if row.kind == kind}
    copies = (f"{original.name[:80]} copy{f' {number}' if number > 1 else ''}" for number in count(1))
    name = next(name for name in copies if name.casefold() not in names)
    body: dict[str, Any] = {field: value for field, value in original.body.items() if field != "position"}
    copy = editing.add_object(draft, kind, {**body, "name": name})
    if core.kind_of(kind).position is None:
        return copy
    following = [row for row in _in_order(snapshot, kind) if row.body["position"] > original.body["position"]]
    return move_object(draft, kind, copy.uid, following[0].uid) if following else copy


def _in_order(snapshot: queries.Snapshot, kind: str) -> list[StoredObject]:
    rows = (row for row in tenant_cache.load_objects(snapshot) if row.kind == kind)
    return sorted(rows, key=lambda row: row.body["position"])


def _place(rows: Sequence[StoredObject], index: int) -> list[BodyChange]:
    """Return the changes that put the row at ``index`` between its neighbours; later ones give way where they must."""
    positions = [row.body["position"] for row in rows]
    low = positions[index - 1] if index else 0
    if index + 1 == len(rows):
        positions[index] = (low // STEP + 1) * STEP
    else:
        positions[index] = (low + positions[index + 1]) // 2
        if positions[index] <= low:
            positions[index] = low + 1
    for n in range(index + 1, len(rows)):
        positions[n] = max(positions[n], positions[n - 1] + 1)
    assert all(a < b for a, b in pairwise(positions))
    items = Item.objects.in_bulk([row.number for row in rows])
    return [
        BodyChange(items[row.number], row.body, {**row.body, "position": position})
        for row, position in zip(rows, positions, strict=True)
        if row.body["position"] != position
    ]
