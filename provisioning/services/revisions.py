"""Old revisions: what differs between two, and going back to one as a new draft."""

from __future__ import annotations

from typing import Any

from provisioning.models import Draft, Item
from provisioning.selectors import views
from provisioning.selectors.views import Row, View
from provisioning.services import drafts
from provisioning.services.overlay import BodyChange


def restore(number: int) -> Draft:
    """A draft that would make the network what it was in that revision; provisioning it makes a new revision."""
    then = {row.uid: row for row in views.rows(views.revision(number))}
    draft = drafts.create(f"Restore revision {number} on {views.live().revision}")
    now = {row.uid: row for row in views.rows(views.of_draft(draft))}
    items = Item.objects.in_bulk([row.number for row in {**then, **now}.values()])
    changes = [
        BodyChange(items[row.number], _body(now.get(uid)), _body(then.get(uid)))
        for uid, row in {**then, **now}.items()
        if _body(now.get(uid)) != _body(then.get(uid))
    ]
    if changes:
        drafts.edit(draft, f"Restore revision {number}", changes)
    return draft


def diff(first: int, second: int) -> list[dict[str, Any]]:
    """Objects that differ: ``{"kind","id","name","action","before","after","fields":[…]}``, by kind and name."""
    return compare(views.revision(first), views.revision(second))


def compare(one: View, other: View) -> list[dict[str, Any]]:
    before, after = ({row.uid: row for row in views.rows(view)} for view in (one, other))
    found = []
    for uid, row in sorted({**before, **after}.items(), key=lambda entry: (entry[1].kind, entry[1].name)):
        was, now = _body(before.get(uid)), _body(after.get(uid))
        if was == now:
            continue
        fields = [
            {"path": field, "before": (was or {}).get(field), "after": (now or {}).get(field)}
            for field in {**(was or {}), **(now or {})}
            if (was or {}).get(field) != (now or {}).get(field)
        ]
        action = "create" if was is None else "remove" if now is None else "change"
        found.append(
            {
                "kind": row.kind,
                "id": uid,
                "name": row.name,
                "action": action,
                "before": was,
                "after": now,
                "fields": fields,
            }
        )
    return found


def _body(row: Row | None) -> dict[str, Any] | None:
    return row.body if row else None
