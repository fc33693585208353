"""Editing a draft. Nothing outside the database changes; every edit can be undone and redone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from provisioning.core import intent as core
from provisioning.core.values.resource import Problem
from provisioning.errors import ObjectNotFound, StateConflict, ValidationFailed
from provisioning.models import Draft, Edit, Item, Overlay
from provisioning.services.drafts import document_import, overlay
from provisioning.services.drafts.bodies import BodyNormaliser
from provisioning.services.drafts.kept_tiers import refuse_kept
from provisioning.services.drafts.lifecycle import bump_version, draft_to_edit, lock_draft
from provisioning.services.drafts.overlay import Body, BodyChange
from provisioning.snapshots import diff, queries, tenant_cache
from provisioning.snapshots.queries import StoredObject
from tenants import actor, audit


def add_object(draft: Draft, kind: str, body: Any) -> StoredObject:
    """Add an object; one whose kind has positions and that is sent without goes last.

    Raises ValidationFailed with every problem.
    """
    draft = lock_draft(draft)
    new_body = _normalise(draft, kind, _with_position(draft, kind, body))
    with transaction.atomic():
        [item] = overlay.create_items(kind, [new_body["name"]])
        change = BodyChange(item, None, new_body)
        record_edit(draft, f"{core.kind_word(kind)} {new_body['name']} added", [change])
    return _object_after(change)


def _with_position(draft: Draft, kind: str, body: Any) -> Any:
    """Return the body, with the last position where its kind has positions and it is sent without one."""
    if core.kind_of(kind).position is not None and isinstance(body, Mapping) and body.get("position") is None:
        return {**body, "position": next_position(draft, kind)}
    return body


def next_position(draft: Draft, kind: str) -> int:
    """Return the next ten after every such object of this draft, of live and of other open drafts.

    Two people who each draw a policy would otherwise choose the same one, and the second could not provision.
    """
    positions = [
        stored.body["position"]
        for snapshot in (queries.snapshot_of_draft(draft), queries.live_snapshot())
        for stored in queries.list_objects(snapshot, kind)
    ]
    others = Overlay.objects.filter(kind=kind, body__isnull=False, draft__state=Draft.State.OPEN)
    return (max([*positions, *others.values_list("body__position", flat=True)], default=0) // 10 + 1) * 10


def replace_object(draft: Draft, kind: str, uid: str | UUID, body: Any) -> StoredObject:
    """Put a whole new body in the object's place."""
    draft = lock_draft(draft)
    stored = queries.get_object(queries.snapshot_of_draft(draft), kind, uid)
    new_body = _normalise(draft, kind, _with_position(draft, kind, body), stored.body)
    change = BodyChange(_get_item(stored), stored.body, new_body)
    if not core.is_same_body(kind, new_body, stored.body):
        record_edit(draft, f"{core.kind_word(kind)} {new_body['name']} changed", [change])
    return _object_after(change)


def patch_object(draft: Draft, kind: str, uid: str | UUID, body: Any) -> StoredObject:
    """Replace the fields that are given and keep the others."""
    if not isinstance(body, Mapping):
        raise ValidationFailed("An object was expected.", [Problem("wrong_type", "", "Send an object with fields.")])
    stored = queries.get_object(queries.snapshot_of_draft(draft), kind, uid)
    return replace_object(draft, kind, uid, {**stored.body, **core.translate_old_fields(kind, body)})


def remove_object(draft: Draft, kind: str, uid: str | UUID) -> None:
    """Remove an object; raise StateConflict with the names of those that refer to it, where there are any."""
    draft = lock_draft(draft)
    stored = queries.get_object(queries.snapshot_of_draft(draft), kind, uid)
    referrers = tenant_cache.load_objects(queries.snapshot_of_draft(draft)).users(stored.uid)
    if referrers:
        problems = [
            Problem(
                "in_use",
                f"{other.kind}/{other.key}",
                f"{_capital_word(other.kind)} {other.name} refers to it.",
            )
            for other in referrers
        ]
        detail = f"{_capital_word(kind)} {stored.name} is in use. Change or remove what refers to it first."
        raise StateConflict(detail, problems)
    record_edit(
        draft, f"{core.kind_word(kind)} {stored.name} removed", [BodyChange(_get_item(stored), stored.body, None)]
    )


def restore_object(draft: Draft, kind: str, uid: str | UUID, revision: int | None = None) -> StoredObject:
    """Put a changed or removed object back as it is in the draft's base, or was in a revision."""
    draft = lock_draft(draft)
    stored = queries.get_object(
        queries.Snapshot(draft.base_revision) if revision is None else queries.revision_snapshot(revision), kind, uid
    )
    current = tenant_cache.load_objects(queries.snapshot_of_draft(draft)).get(kind, stored.uid)
    if current and core.is_same_body(kind, current.body, stored.body):
        raise StateConflict(f"{stored.name} is as it was there; there is nothing to restore.")
    record_edit(
        draft,
        f"{core.kind_word(kind)} {stored.name} restored",
        [BodyChange(_get_item(stored), current.body if current else None, stored.body)],
    )
    return stored


def import_document(draft: Draft, document: Any, *, dry_run: bool = False) -> list[dict[str, Any]]:
    """Make the draft's network the one in the document, as a single edit.

    Objects are matched by ``id``, else by name; what the document leaves out is removed. Returns what differs; with
    ``dry_run`` nothing is written, locked or kept.
    """
    draft = draft_to_edit(draft, dry_run=dry_run)
    with transaction.atomic():
        changes = document_import.changes_from_document(draft, document, dry_run=dry_run)
        return apply_changes(draft, changes, "imported", dry_run=dry_run, most=None if dry_run else 0)


def apply_changes(
    draft: Draft,
    changes: Sequence[BodyChange],
    done: str,
    *,
    words: tuple[str, str] = ("change", "changes"),
    dry_run: bool = False,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """Make the changes as one edit, whose summary says how many (``words``) were ``done``; ``dry_run``: only check.

    Returns what differs, object by object, for the first ``most`` of them.
    """
    objects = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    differences = [
        diff.diff_object(stored, change.before, change.after, objects.label)
        for change in changes[:most]
        if (stored := change.stored_after() or objects.get(change.item.kind, str(change.item.uid)))
    ]
    if dry_run:
        refuse_kept(changes)
        overlay.refuse_new_errors(draft, changes, keep=False)
    elif changes:
        count = len(changes)
        record_edit(draft, f"{count} {words[count > 1]} {done}", changes)
    return differences


def record_edit(draft: Draft, summary: str, changes: Sequence[BodyChange]) -> None:
    """Write the changes into the overlay as one edit; what could be redone before cannot any more."""
    refuse_kept(changes)
    overlay.refuse_new_errors(draft, changes)
    overlay.write_overlay(draft, changes)
    Edit.objects.filter(draft=draft, number__gt=draft.cursor).delete()
    draft.cursor += 1
    Edit(
        draft=draft,
        number=draft.cursor,
        summary=summary[:200],
        author=actor.current_actor().email,
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


def _normalise(draft: Draft, kind: str, body: Any, before: Body | None = None) -> Body:
    resolve = tenant_cache.load_objects(queries.snapshot_of_draft(draft)).resolve()
    return BodyNormaliser(resolve).normalise(kind, body, before)


def _get_item(stored: StoredObject) -> Item:
    item = Item.objects.filter(pk=stored.number).first()
    if item is None:
        raise ObjectNotFound(f"{stored.name} is gone.")
    return item


def _object_after(change: BodyChange) -> StoredObject:
    stored = change.stored_after()
    if stored is None:
        raise ObjectNotFound("It was removed.")
    return stored


def _capital_word(kind: str) -> str:
    return core.capitalise(core.kind_word(kind))
