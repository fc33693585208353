"""Objects whose order decides: moving one before another, and copying one to right behind itself.

Policies are in order inside their tier: one that moves before a policy of another tier takes that tier.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count, pairwise
from typing import Any
from uuid import UUID

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Draft, Item
from provisioning.services.drafts import editing
from provisioning.services.drafts.lifecycle import lock_draft
from provisioning.services.drafts.overlay import Body, BodyChange
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.queries import StoredObject

STEP = 10
"""Between positions where they are written anew, so that there is room for the next move."""


def move_object(
    draft: Draft, kind: str, uid: str | UUID, before: str | UUID | None, tier: str | None = None
) -> StoredObject:
    """Put an object right before another of its kind, or last; as one edit, which rewrites as few positions as it can.

    ``tier``: without ``before``, the tier it goes last in; else it stays in its own. Raises ValidationFailed for a kind
    without positions or tiers, ObjectNotFound where one of them is not in the draft.
    """
    draft = lock_draft(draft)
    within = _tier_field(kind, tier)
    snapshot = queries.snapshot_of_draft(draft)
    moved = queries.get_object(snapshot, kind, uid)
    next_one = queries.get_object(snapshot, kind, before) if before else None
    if next_one and next_one.uid == moved.uid:
        return moved
    old_tier = moved.body[within] if within else ""
    new_tier = (next_one.body[within] if next_one else tier or old_tier) if within else ""
    rows = [row for row in _in_order(snapshot, kind) if row.uid != moved.uid]
    others = [row for row in rows if not within or row.body[within] == new_tier]
    taken = {row.body["position"] for row in rows if within and row.body[within] != new_tier}
    index = next((n for n, row in enumerate(others) if next_one and row.uid == next_one.uid), len(others))
    changes = _place(others, moved, {**moved.body, within: new_tier} if within else moved.body, index, taken)
    if changes:
        where = f"before {next_one.name}" if next_one else "to the end"
        joined = f", into {new_tier}" if new_tier != old_tier else ""
        editing.record_edit(draft, f"Move {core.kind_word(kind)} {moved.name} {where}{joined}", changes)
    return queries.get_object(queries.snapshot_of_draft(draft), kind, uid)


def _tier_field(kind: str, tier: str | None) -> str | None:
    """Return the field that holds the tier of a kind with positions, if it has tiers."""
    position, objects = core.kind_of(kind).position, core.capitalise(core.kind_plural(kind))
    if position is None:
        raise ValidationFailed(f"{objects} have no order.", [Problem("not_ordered", kind, f"{objects} have no order.")])
    if tier and not position.within:
        wrong = f"{objects} have no tiers. Leave “tier” out."
        raise ValidationFailed(wrong, [Problem("unknown_field", "tier", wrong)])
    return position.within


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
    order = core.kind_of(kind).order_of
    following = [row for row in _in_order(snapshot, kind) if order(row.body) > order(original.body)]
    if not following or order(following[0].body)[0] != order(original.body)[0]:
        return copy
    return move_object(draft, kind, copy.uid, following[0].uid)


def _in_order(snapshot: queries.Snapshot, kind: str) -> list[StoredObject]:
    rows = (row for row in tenant_cache.load_objects(snapshot) if row.kind == kind)
    return sorted(rows, key=lambda row: core.kind_of(kind).order_of(row.body))


def _place(
    others: Sequence[StoredObject], moved: StoredObject, body: Body, index: int, taken: Collection[int]
) -> list[BodyChange]:
    """Return the changes that put a row with a new body at ``index``; later ones give way where they must.

    ``taken``: positions of rows that are not in this order.
    """

    def free(position: int) -> int:
        return next(each for each in count(position) if each not in taken)

    rows = [*((row, row.body) for row in others[:index]), (moved, body), *((row, row.body) for row in others[index:])]
    positions = [row_body["position"] for _, row_body in rows]
    low = positions[index - 1] if index else 0
    if index + 1 == len(rows):
        positions[index] = free((low // STEP + 1) * STEP)
    else:
        positions[index] = free(max((low + positions[index + 1]) // 2, low + 1))
    for n in range(index + 1, len(rows)):
        if positions[n] <= positions[n - 1]:
            positions[n] = free(positions[n - 1] + 1)
    assert all(a < b for a, b in pairwise(positions))
    items = Item.objects.in_bulk([row.number for row, _ in rows])
    return [
        BodyChange(items[row.number], row.body, {**row_body, "position": position})
        for (row, row_body), position in zip(rows, positions, strict=True)
        if row.body != {**row_body, "position": position}
    ]
