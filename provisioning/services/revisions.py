"""Going back to an old revision as a new draft."""

from __future__ import annotations

from provisioning.models import Draft, Item
from provisioning.selectors import networks, views
from provisioning.services import drafts
from provisioning.services.overlay import BodyChange


def restore(number: int, name: str | None = None) -> Draft:
    """A draft that would make the network what it was in that revision; provisioning it makes a new revision.

    name: of the draft; one that says what it is for when left out.
    """
    then = networks.content(views.revision(number))
    draft = drafts.create(name or f"Restore revision {number} on {views.live().revision}")
    now = networks.content(views.of_draft(draft))
    rows = {row.uid: row for row in (*now, *then)}
    bodies = {uid: (now.body(row.kind, uid), then.body(row.kind, uid)) for uid, row in rows.items()}
    changed = {uid: pair for uid, pair in bodies.items() if pair[0] != pair[1]}
    items = Item.objects.in_bulk([rows[uid].number for uid in changed])
    changes = [BodyChange(items[rows[uid].number], *pair) for uid, pair in changed.items()]
    if changes:
        drafts.edit(draft, f"Restore revision {number}", changes)
    return draft
