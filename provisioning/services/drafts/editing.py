"""Editing a draft. Nothing outside the database changes; every edit can be undone and redone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem
from provisioning.errors import ObjectNotFound, PreconditionFailed, StateConflict, ValidationFailed
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.services.drafts import document_import as reading
from provisioning.services.drafts import overlay
from provisioning.services.drafts.bodies import BodyNormaliser
from provisioning.services.drafts.lifecycle import bump_version, lock_draft
from provisioning.services.drafts.overlay import Body, BodyChange
from provisioning.snapshots import diff, queries, tenant_cache
from provisioning.snapshots.queries import StoredObject
from tenants import actor, audit


def add_object(draft: Draft, kind: str, body: Any) -> StoredObject:
    """A new object; what has a position and is sent without goes last. Raises Invalid with every problem."""
    draft = lock_draft(draft)
    clean = _normalise(draft, kind, _with_position(draft, kind, body))
    with transaction.atomic():
        [item] = overlay.create_items(kind, [clean["name"]])
        change = BodyChange(item, None, clean)
        record_edit(draft, f"Add {core.kind_word(kind)} {clean['name']}", [change])
    return _object_after(change)


def _with_position(draft: Draft, kind: str, body: Any) -> Any:
    """The body, last where its kind has positions and it is sent without one, or with none."""
    if core.kind_of(kind).position is not None and isinstance(body, Mapping) and body.get("position") is None:
        return {**body, "position": _next_position(draft, kind)}
    return body


def _next_position(draft: Draft, kind: str) -> int:
    """The next ten behind every such object of this draft, of live and of other open drafts.

    Two people who each draw a policy would otherwise choose the same one, and the second could not provision.
    """
    here = [
        row.body["position"]
        for view in (queries.snapshot_of_draft(draft), queries.live_snapshot())
        for row in queries.list_objects(view, kind)
    ]
    others = Overlay.objects.filter(kind=kind, body__isnull=False, draft__state=Draft.State.OPEN)
    return (max([*here, *others.values_list("body__position", flat=True)], default=0) // 10 + 1) * 10


def replace_object(draft: Draft, kind: str, uid: str | UUID, body: Any, etag: str | None = None) -> StoredObject:
    """Put a whole new body in the object's place; with ``etag`` only if it is still the one that was read."""
    draft = lock_draft(draft)
    row = _get_if_unchanged(draft, kind, uid, etag)
    clean = _normalise(draft, kind, _with_position(draft, kind, body))
    change = BodyChange(_get_item(row), row.body, clean)
    if clean != row.body:
        record_edit(draft, f"Change {core.kind_word(kind)} {clean['name']}", [change])
    return _object_after(change)


def patch_object(draft: Draft, kind: str, uid: str | UUID, body: Any, etag: str | None = None) -> StoredObject:
    """Replace the fields that are given and keep the others."""
    if not isinstance(body, Mapping):
        raise ValidationFailed("An object was expected.", [Problem("wrong_type", "", "Send an object with fields.")])
    row = queries.get_object(queries.snapshot_of_draft(draft), kind, uid)
    return replace_object(draft, kind, uid, {**row.body, **core.translate_old_fields(kind, body)}, etag)


def remove_object(draft: Draft, kind: str, uid: str | UUID, etag: str | None = None) -> None:
    """Take an object away; refused while others name it, with their names."""
    draft = lock_draft(draft)
    row = _get_if_unchanged(draft, kind, uid, etag)
    users = tenant_cache.load_objects(queries.snapshot_of_draft(draft)).users(row.uid)
    if users:
        problems = [
            Problem(
                "in_use",
                f"{other.kind}/{other.key}",
                f"{_capital_word(other.kind)} {other.name} names it.",
            )
            for other in users
        ]
        told = f"{_capital_word(kind)} {row.name} is in use. Change or remove what names it first."
        raise StateConflict(told, problems)
    record_edit(draft, f"Remove {core.kind_word(kind)} {row.name}", [BodyChange(_get_item(row), row.body, None)])


def restore_object(draft: Draft, kind: str, uid: str | UUID, revision: int | None = None) -> StoredObject:
    """Make one object what it is in the draft's base, or was in a revision, whether it was changed or removed since."""
    draft = lock_draft(draft)
    row = queries.get_object(
        queries.Snapshot(draft.base_revision) if revision is None else queries.revision_snapshot(revision), kind, uid
    )
    now = tenant_cache.load_objects(queries.snapshot_of_draft(draft)).get(kind, row.uid)
    if now and now.body == row.body:
        raise StateConflict(f"{row.name} is as it was there; there is nothing to restore.")
    record_edit(
        draft,
        f"Restore {core.kind_word(kind)} {row.name}",
        [BodyChange(_get_item(row), now.body if now else None, row.body)],
    )
    return row


def import_document(draft: Draft, document: Any, *, dry_run: bool = False) -> list[dict[str, Any]]:
    """Make the draft's network the one in the document, as a single edit.

    Objects are matched by ``id``, else by name; what the document leaves out is removed. dry_run: only look, and
    answer what differs.
    """
    draft = lock_draft(draft)
    with transaction.atomic():
        changes = reading.changes_from_document(draft, document)
        return apply_changes(draft, changes, "Import", dry_run=dry_run, most=None if dry_run else 0)


def apply_changes(
    draft: Draft, changes: Sequence[BodyChange], verb: str, *, dry_run: bool = False, most: int | None = None
) -> list[dict[str, Any]]:
    """Many changes as one edit, or with ``dry_run`` as if; what they are, object by object (``most``: the first)."""
    content = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    told = [
        diff.diff_object(row, change.before, change.after, content.label)
        for change in changes[:most]
        if (row := change.row() or content.get(change.item.kind, str(change.item.uid)))
    ]
    if dry_run:
        overlay.refuse_new_errors(draft, changes)
        transaction.set_rollback(True)
    elif changes:
        count = len(changes)
        record_edit(draft, f"{verb} {count} change{'s' if count > 1 else ''}", changes)
    return told


def record_edit(draft: Draft, summary: str, changes: Sequence[BodyChange]) -> None:
    overlay.refuse_new_errors(draft, changes)
    overlay.write_overlay(draft, changes)
    Edit.objects.filter(draft=draft, number__gt=draft.cursor).delete()
    draft.cursor += 1
    Edit(
        draft=draft,
        number=draft.cursor,
        summary=summary[:200],
        author=actor.current().email,
        changes=[{"item": c.item.pk, "before": c.before, "after": c.after} for c in changes],
    ).save()
    bump_version(draft)
    audit.record_all(
        audit.AuditEvent(
            "draft.edit",
            kind=change.item.kind,
            object_id=str(change.item.uid),
            object_name=(change.after or change.before or {"name": ""})["name"],
            before=change.before,
            after=change.after,
        )
        for change in changes
    )


def _get_if_unchanged(draft: Draft, kind: str, uid: str | UUID, etag: str | None) -> StoredObject:
    row = queries.get_object(queries.snapshot_of_draft(draft), kind, uid)
    if etag is not None and etag != row.etag:
        raise PreconditionFailed(f"{row.name} was changed in the meantime. Read it again and repeat your change.")
    return row


def _normalise(draft: Draft, kind: str, body: Any) -> Body:
    return BodyNormaliser(tenant_cache.load_objects(queries.snapshot_of_draft(draft)).resolve()).clean(kind, body)


def _get_item(row: StoredObject) -> Item:
    found = Item.objects.filter(pk=row.number).first()
    if found is None:
        raise ObjectNotFound(f"{row.name} is gone.")
    return found


def _object_after(change: BodyChange) -> StoredObject:
    row = change.row()
    if row is None:
        raise ObjectNotFound("It was removed.")
    return row


def _capital_word(kind: str) -> str:
    return core.capitalise(core.kind_word(kind))
