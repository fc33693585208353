"""Going back to an old revision as a new draft."""

from __future__ import annotations

from provisioning.models import Draft, Item
from provisioning.services.drafts import editing, lifecycle
from provisioning.services.drafts.overlay import BodyChange
from provisioning.snapshots import queries, tenant_cache


def restore_revision(number: int, name: str | None = None) -> Draft:
    """A draft that would make the network what it was in that revision; provisioning it makes a new revision.

    name: of the draft; one that says what it is for when left out.
    """
    then = tenant_cache.load_objects(queries.revision_snapshot(number))
    draft = lifecycle.create_draft(name or f"Restore revision {number} on {queries.live_snapshot().revision}")
    now = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    rows = {row.uid: row for row in (*now, *then)}
    bodies = {uid: (now.body(row.kind, uid), then.body(row.kind, uid)) for uid, row in rows.items()}
    changed = {uid: pair for uid, pair in bodies.items() if pair[0] != pair[1]}
    items = Item.objects.in_bulk([rows[uid].number for uid in changed])
    changes = [BodyChange(items[rows[uid].number], *pair) for uid, pair in changed.items()]
    if changes:
        editing.record_edit(draft, f"Restore revision {number}", changes)
    return draft
