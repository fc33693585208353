"""Editing a draft. Nothing outside the database changes; every edit can be undone and redone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from provisioning.core import intent as core
from provisioning.core.resource import Problem
from provisioning.models import CloudAccount, Draft, Edit, Item, Overlay
from provisioning.selectors import views
from provisioning.selectors.views import Row
from provisioning.services import overlay
from provisioning.services.errors import Changed, Conflict, Invalid, Missing
from provisioning.services.overlay import Body, BodyChange
from tenants import actor, audit, outbox


def create(name: str) -> Draft:
    """An empty draft over what is live."""
    name = name.strip()
    if not name or len(name) > 100:
        problem = Problem("required", "name", "Give the draft a name of 1 to 100 characters.")
        raise Invalid("A draft needs a name.", [problem])
    draft = Draft(name=name, base_revision=views.live().revision, author=actor.current().email)
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError as error:
        problem = Problem("duplicate_name", "name", "Choose another name, or go on with the open draft of that name.")
        raise Conflict(f"There is an open draft named {name}.", [problem]) from error
    audit.record("draft.create", kind="draft", object_id=str(draft.uid), object_name=name)
    outbox.put("changed", what="draft", id=str(draft.uid), version=0)
    return draft


def discard(draft: Draft) -> None:
    draft = lock(draft)
    draft.state = Draft.State.DISCARDED
    draft.save(update_fields=["state"])
    audit.record("draft.discard", kind="draft", object_id=str(draft.uid), object_name=draft.name)
    outbox.put("changed", what="draft", id=str(draft.uid), version=draft.version)


def add(draft: Draft, kind: str, body: Any) -> Row:
    """A new object; a policy without a position goes last. Raises Invalid with every problem of body or network."""
    draft = lock(draft)
    if kind == "policies" and isinstance(body, Mapping) and "position" not in body:
        body = {**body, "position": _last_position(draft)}
    clean = _normalise(draft, kind, body)
    with transaction.atomic():
        change = BodyChange(overlay.new_item(kind, clean["name"]), None, clean)
        edit(draft, f"Add {_noun(kind)} {clean['name']}", [change])
    return _row(change)


def _last_position(draft: Draft) -> int:
    """The next ten behind every policy of this draft, of live and of other open drafts.

    Two people who each draw a policy would otherwise choose the same one, and the second could not provision.
    """
    here = [
        row.body["position"] for view in (views.of_draft(draft), views.live()) for row in views.rows(view, "policies")
    ]
    others = Overlay.objects.filter(kind="policies", body__isnull=False, draft__state=Draft.State.OPEN)
    return (max([*here, *others.values_list("body__position", flat=True)], default=0) // 10 + 1) * 10


def replace(draft: Draft, kind: str, uid: str | UUID, body: Any, etag: str | None = None) -> Row:
    """Put a whole new body in the object's place; with ``etag`` only if it is still the one that was read."""
    draft = lock(draft)
    row = _current(draft, kind, uid, etag)
    clean = _normalise(draft, kind, body)
    change = BodyChange(_item(row), row.body, clean)
    if clean != row.body:
        edit(draft, f"Change {_noun(kind)} {clean['name']}", [change])
    return _row(change)


def patch(draft: Draft, kind: str, uid: str | UUID, body: Any, etag: str | None = None) -> Row:
    """Replace the fields that are given and keep the others."""
    if not isinstance(body, Mapping):
        raise Invalid("An object was expected.", [Problem("wrong_type", "", "Send an object with fields.")])
    row = views.get(views.of_draft(draft), kind, uid)
    return replace(draft, kind, uid, {**row.body, **body}, etag)


def remove(draft: Draft, kind: str, uid: str | UUID, etag: str | None = None) -> None:
    """Take an object away; refused while others name it, with their names."""
    draft = lock(draft)
    row = _current(draft, kind, uid, etag)
    users = [
        other
        for other in views.rows(views.of_draft(draft))
        if any(named == row.uid for _, named in core.references_of(other.kind, other.body))
    ]
    if users:
        names = ", ".join(f"{_noun(other.kind)} {other.name}" for other in users[:5])
        problems = [
            Problem("in_use", f"{other.kind}/{other.key}", f"{_noun(other.kind).capitalize()} {other.name} names it.")
            for other in users
        ]
        raise Conflict(f"{row.name} is in use by {names}. Change or remove those first.", problems)
    edit(draft, f"Remove {_noun(kind)} {row.name}", [BodyChange(_item(row), row.body, None)])


def restore(draft: Draft, kind: str, uid: str | UUID) -> Row:
    """Put back what this draft removed, as its base revision has it."""
    draft = lock(draft)
    row = views.get(views.View(draft.base_revision), kind, uid)
    if any(other.uid == row.uid for other in views.rows(views.of_draft(draft), kind)):
        raise Conflict(f"{row.name} is not removed in this draft.")
    edit(draft, f"Restore {_noun(kind)} {row.name}", [BodyChange(_item(row), None, row.body)])
    return row


def put_document(draft: Draft, document: Any) -> None:
    """Make the draft's network the one in the document, as a single edit.

    Objects are matched by ``id``, else by name; what the document leaves out is removed.
    """
    draft = lock(draft)
    if not isinstance(document, Mapping):
        raise Invalid("An object was expected.", [Problem("wrong_type", "", "Send an object with a list per kind.")])
    unknown = [
        Problem("unknown_field", str(kind), "There is no such kind.") for kind in document if kind not in core.KINDS
    ]
    unlike = [
        Problem("wrong_type", kind, "A list of objects was expected here.")
        for kind, objects in document.items()
        if not isinstance(objects, list)
    ]
    if unknown or unlike:
        raise Invalid((unknown + unlike)[0].message, unknown + unlike)
    with transaction.atomic():
        changes = _document_changes(draft, document)
        if changes:
            edit(draft, f"Import {len(changes)} changes", changes)


def undo(draft: Draft) -> Draft:
    draft = lock(draft)
    edit = Edit.objects.filter(draft=draft, number=draft.cursor).first()
    if edit is None:
        raise Conflict("There is nothing to undo.")
    return _move(draft, edit, "before", -1, f"Undo: {edit.summary}")


def redo(draft: Draft) -> Draft:
    draft = lock(draft)
    edit = Edit.objects.filter(draft=draft, number=draft.cursor + 1).first()
    if edit is None:
        raise Conflict("There is nothing to redo.")
    return _move(draft, edit, "after", 1, f"Redo: {edit.summary}")


def _move(draft: Draft, edit: Edit, side: str, by: int, summary: str) -> Draft:
    items = Item.objects.in_bulk([change["item"] for change in edit.changes])
    other = "after" if side == "before" else "before"
    overlay.write(draft, [BodyChange(items[c["item"]], c[other], c[side]) for c in edit.changes])
    draft.cursor += by
    touch(draft)
    audit.record(
        "draft.edit", kind="draft", object_id=str(draft.uid), object_name=draft.name, after={"summary": summary}
    )
    return draft


def edit(draft: Draft, summary: str, changes: Sequence[BodyChange]) -> None:
    overlay.refuse_new_errors(draft, changes)
    overlay.write(draft, changes)
    Edit.objects.filter(draft=draft, number__gt=draft.cursor).delete()
    draft.cursor += 1
    Edit(
        draft=draft,
        number=draft.cursor,
        summary=summary[:200],
        author=actor.current().email,
        changes=[{"item": c.item.pk, "before": c.before, "after": c.after} for c in changes],
    ).save()
    touch(draft)
    for change in changes:
        audit.record(
            "draft.edit",
            kind=change.item.kind,
            object_id=str(change.item.uid),
            object_name=(change.after or change.before or {"name": ""})["name"],
            before=change.before,
            after=change.after,
        )


def touch(draft: Draft) -> None:
    draft.version += 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["cursor", "version", "updated_at", "base_revision"])
    outbox.put("changed", what="draft", id=str(draft.uid), version=draft.version)


def lock(draft: Draft) -> Draft:
    """The draft as it is now, held until the transaction ends, so that two people's edits queue up."""
    draft = Draft.objects.select_for_update().get(pk=draft.pk)
    if draft.state != Draft.State.OPEN:
        raise Conflict(f"The draft {draft.name} is {draft.state}; make a new one.")
    return draft


def _current(draft: Draft, kind: str, uid: str | UUID, etag: str | None) -> Row:
    row = views.get(views.of_draft(draft), kind, uid)
    if etag is not None and etag != row.etag:
        raise Changed(f"{row.name} was changed in the meantime. Read it again and repeat your change.")
    return row


def _normalise(draft: Draft, kind: str, body: Any) -> Body:
    names = {row.uid: (row.kind, row.name) for row in views.rows(views.of_draft(draft))}
    return _clean(kind, body, names)


def _clean(
    kind: str, body: Any, names: Mapping[str, tuple[str, str]], aliases: Mapping[str, str] | None = None
) -> Body:
    """The stored form of a body. names: uid → (kind, name) of what it may refer to; aliases: other ids for those."""

    def resolve(wanted_kind: str, wanted: str) -> str | None:
        wanted = (aliases or {}).get(wanted, wanted)
        if names.get(wanted, ("", ""))[0] == wanted_kind:
            return wanted
        return next((uid for uid, known in names.items() if known == (wanted_kind, wanted)), None)

    if isinstance(body, Mapping):
        body = {key: value for key, value in body.items() if key not in ("id", "key", "number")}
    try:
        clean = core.normalise(kind, body, resolve)
    except core.Invalid as error:
        raise Invalid(error.problems[0].message, error.problems) from error
    if kind == "connectors" and "account" in clean["settings"]:
        clean["settings"]["account"] = _account(clean["settings"]["account"])
    return clean


def _account(wanted: str) -> str:
    """A cloud account by id or name, kept as the number the cloud knows it by: resource addresses are made of it."""
    for account in CloudAccount.objects.all():
        if wanted in (str(account.uid), account.name, account.account_id):
            return account.account_id
    problem = Problem("unknown_reference", "settings.account", f"There is no cloud account “{wanted}”. Add it first.")
    raise Invalid(problem.message, [problem])


def _document_changes(draft: Draft, document: Mapping[str, Any]) -> list[BodyChange]:
    rows = views.rows(views.of_draft(draft))
    by_uid = {row.uid: row for row in rows}
    by_name = {(row.kind, row.name): row for row in rows}
    wanted: list[tuple[str, Item, Row | None, Any, str]] = []
    kept: set[str] = set()
    # What the document calls an object, where that is not what it is called here: it may come from another tenant.
    aliases: dict[str, str] = {}
    for kind in core.KINDS:
        for number, body in enumerate(document.get(kind) or []):
            path = f"{kind}[{number}]"
            if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
                raise Invalid("An object has no name.", [Problem("required", f"{path}.name", "Give it a name.")])
            row = by_uid.get(str(body.get("id"))) or by_name.get((kind, body["name"]))
            if row and (row.kind != kind or row.uid in kept):
                raise Invalid(
                    "An id is used twice.", [Problem("duplicate", f"{path}.id", f"{row.name} is there already.")]
                )
            item = _item(row) if row else _known(kind, body.get("id"), kept) or overlay.new_item(kind, body["name"])
            kept.add(str(item.uid))
            if isinstance(body.get("id"), str):
                aliases[body["id"]] = str(item.uid)
            wanted.append((kind, item, row, body, path))
    names = {str(item.uid): (kind, str(body["name"]).strip()) for kind, item, _, body, _ in wanted}
    changes = [BodyChange(_item(row), row.body, None) for row in rows if row.uid not in kept]
    problems: list[Problem] = []
    for kind, item, row, body, path in wanted:
        try:
            clean = _clean(kind, body, names, aliases)
        except Invalid as error:
            problems += [Problem(p.code, f"{path}.{p.path}", p.message) for p in error.problems]
            continue
        if row is None or clean != row.body:
            changes.append(BodyChange(item, row.body if row else None, clean))
    if problems:
        raise Invalid(problems[0].message, problems)
    return changes


def _known(kind: str, uid: Any, taken: set[str]) -> Item | None:
    """The tenant's item of this id that the draft does not hold (any more): it keeps its identity."""
    try:
        wanted = UUID(uid) if isinstance(uid, str) else None
    except ValueError:
        return None
    return Item.objects.filter(kind=kind, uid=wanted).first() if wanted and str(wanted) not in taken else None


def _item(row: Row) -> Item:
    found = Item.objects.filter(pk=row.number).first()
    if found is None:
        raise Missing(f"{row.name} is gone.")
    return found


def _row(change: BodyChange) -> Row:
    row = change.row()
    if row is None:
        raise Missing("It was removed.")
    return row


NOUNS = {"policies": "policy"}


def _noun(kind: str) -> str:
    return NOUNS.get(kind, kind.removesuffix("s"))
