"""Many objects of one kind changed or removed in the same way, as one edit that undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from provisioning.core.intent import BulkChange, InvalidIntent, ResolveReference, kind_of
from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Draft
from provisioning.services.drafts.bulk import MAX_DIFFERENCES, changes_of_edits
from provisioning.services.drafts.editing import apply_changes
from provisioning.services.drafts.lifecycle import lock_draft
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import StoredObject

ReadChange = Callable[[ResolveReference], BulkChange]
Outcome = dict[str, Any]
"""``{"count", "differences"}``: how many changed, and what became of the first ones."""


def edit_objects(
    draft: Draft, kind: str, uids: Sequence[str], read_change: ReadChange | None, *, dry_run: bool = False
) -> Outcome:
    """Change a field of the objects, or remove them where there is no change to read; all or none.

    Raises ValidationFailed with the problems of every object, and with everything that refers to one that is removed.
    """
    draft = lock_draft(draft)
    with transaction.atomic():
        before = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
        try:
            change = read_change(before.resolve()) if read_change else None
        except InvalidIntent as error:
            raise ValidationFailed(error.problems[0].message, error.problems) from error
        edits = []
        for stored in _stored_objects(before, kind, uids):
            edit: dict[str, Any] = {"action": "remove", "kind": kind, "id": stored.uid}
            if change:
                edit |= {"action": "change", "body": change.applied_to(stored.body)}
            edits.append((f"{kind}/{stored.key}/", edit))
        changes = changes_of_edits(before, edits)
        done = f"changed: {change.label.lower()}" if change else "removed"
        words = kind_of(kind).word, kind_of(kind).plural
        differences = apply_changes(draft, changes, done, words=words, dry_run=dry_run, most=MAX_DIFFERENCES)
        return {"count": len(changes), "differences": differences}


def _stored_objects(objects: SnapshotObjects, kind: str, uids: Sequence[str]) -> list[StoredObject]:
    stored = {uid: objects.get(kind, uid) for uid in uids}
    missing = [
        Problem("unknown_reference", f"ids[{index}]", f"There is no such object among the {kind} of this draft.")
        for index, uid in enumerate(uids)
        if stored[uid] is None
    ]
    if missing:
        raise ValidationFailed(f"{len(missing)} of the selected {kind_of(kind).plural} are not in this draft.", missing)
    return [row for row in stored.values() if row]
