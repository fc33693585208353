"""Going back to an old revision as a new draft."""

from __future__ import annotations

from provisioning.models import Draft, Item
from provisioning.services.drafts import editing, lifecycle
from provisioning.services.drafts.overlay import BodyChange
from provisioning.snapshots import queries, tenant_cache


def restore_revision(number: int, name: str | None = None) -> Draft:
    """Create a draft that makes the network what it was in that revision; provisioning it makes a new revision.

    Without ``name`` the draft is named for what it does.
    """
    target = tenant_cache.load_objects(queries.revision_snapshot(number))
    draft = lifecycle.create_draft(name or f"Restore revision {number} on {queries.live_snapshot().revision}")
    current = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    objects = {stored.uid: stored for stored in (*current, *target)}
    bodies = {uid: (current.body(stored.kind, uid), target.body(stored.kind, uid)) for uid, stored in objects.items()}
    changed = {uid: pair for uid, pair in bodies.items() if pair[0] != pair[1]}
    items = Item.objects.in_bulk([objects[uid].number for uid in changed])
    changes = [BodyChange(items[objects[uid].number], *pair) for uid, pair in changed.items()]
    if changes:
        editing.record_edit(draft, f"Restore revision {number}", changes)
    return draft
