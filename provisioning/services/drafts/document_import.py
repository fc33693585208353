"""Importing a whole network: what a document would change in a draft.

Objects are matched by ``id``, else by name; what the document leaves out is removed, or kept. References may be names
or ids of the document's own objects, so that it may come from another tenant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from provisioning.core import intent as core
from provisioning.core.intent.limits import OBJECTS
from provisioning.core.values.text import name_key, normalise_text
from provisioning.models import Draft, Item
from provisioning.services.drafts.bodies import BodyNormaliser, ProblemCollector
from provisioning.services.drafts.overlay import BodyChange, create_items
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import StoredObject


@dataclass(slots=True)
class ImportedObject:
    """One object of the document: its path there, the object of the draft it matches, and its item."""

    kind: str
    path: str
    body: Mapping[str, Any]
    stored: StoredObject | None
    item: Item | None = None

    @property
    def name(self) -> str:
        return normalise_text(str(self.body["name"]))


def changes_from_document(
    draft: Draft, document: Any, *, dry_run: bool = False, keep_others: bool = False
) -> list[BodyChange]:
    """Return every change that makes the draft this document; create items for what is new, with ``dry_run`` none.

    ``keep_others``: what the document leaves out stays, objects and fields, and may be named. Raises ValidationFailed
    with every problem; its path is like ``connectors/vpc-prod/size``, and ``connectors[0].name`` for what is not told
    apart yet.
    """
    check_document(document)
    objects = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    imports = _match_objects(objects, document if keep_others else _in_order(document))
    _assign_items(objects, imports, dry_run=dry_run)
    changes = [] if keep_others else _removals(objects, imports)
    names: dict[str, dict[str, str]] = {kind: {} for kind in core.KINDS}
    # An object of the document may have another id here: it may come from another tenant.
    aliases: dict[str, str] = {}
    for imported in imports:
        uid = str(imported.item.uid)  # type: ignore[union-attr]  # every one has its identity now
        names[imported.kind].setdefault(imported.name, uid)
        aliases[uid] = uid
        if isinstance(imported.body.get("id"), str):
            aliases[imported.body["id"]] = uid
    resolve_stored = objects.resolve()
    kinds = {str(imported.item.uid): imported.kind for imported in imports if imported.item}

    def resolve(kind: str, name: str) -> str | None:
        uid = aliases.get(name)
        uid = uid if uid and kinds[uid] == kind else names.get(kind, {}).get(name)
        return uid or (resolve_stored(kind, name) if keep_others else None)

    normaliser, problems = BodyNormaliser(resolve), ProblemCollector()
    for imported in imports:
        before = imported.stored.body if imported.stored else None
        body = {**before, **imported.body} if before and keep_others else imported.body
        assert imported.item is not None, "every one has its identity now"
        path = f"{imported.kind}/{imported.item.key}/"
        new_body = problems.collect(path, partial(normaliser.normalise, imported.kind, body, before))
        if new_body is not None and imported.item and not core.is_same_body(imported.kind, before, new_body):
            changes.append(BodyChange(imported.item, before, new_body))
    problems.raise_if_any()
    return changes


def check_document(document: Any) -> None:
    """Raise ValidationFailed where this is not a document at all: kinds with lists of named objects."""
    problems = ProblemCollector()
    is_mapping = isinstance(document, Mapping)
    if not is_mapping:
        problems.add("wrong_type", "", "Send an object with a list per kind.")
    count = (
        sum(len(objects_of_kind) if isinstance(objects_of_kind, list) else 1 for objects_of_kind in document.values())
        if is_mapping
        else 0
    )
    if count > OBJECTS.most:
        problems.add(OBJECTS.code, "", OBJECTS.message(count))
    problems.raise_if_any()
    for kind, objects in document.items():
        if kind not in core.KINDS:
            message = f"There is no kind “{str(kind)[:60]}”. Use {', '.join(core.KINDS)}."
            problems.add("unknown_field", str(kind), message)
        elif not isinstance(objects, list):
            problems.add("wrong_type", kind, "A list of objects was expected here.")
        else:
            for index, body in enumerate(objects):
                _check_object(body, f"{kind}[{index}]", problems)
    problems.raise_if_any()


def _check_object(body: Any, path: str, problems: ProblemCollector) -> None:
    """Add a problem where the object has no name, or an id that cannot be one."""
    if not isinstance(body, Mapping):
        problems.add("wrong_type", path, "An object with fields was expected here.")
        return
    name, uid = body.get("name"), body.get("id")
    if name is None or name == "":
        problems.add("required", f"{path}.name", "An object has no name. Give it one.")
    elif not isinstance(name, str):
        text = json.dumps(name)[:60]
        problems.add("wrong_type", f"{path}.name", f"The name is read as {text}, which is not text. Put it in quotes.")
    if uid is not None and _parse_uid(uid) is None:
        message = f"“{str(uid)[:60]}” is not an id. Leave “id” out to match by name, or send the id that the API shows."
        problems.add("wrong_type", f"{path}.id", message)


def _in_order(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with positions where they are left out: each the next ten after that of the object before."""
    ordered = dict(document)
    for kind in document:
        if core.kind_of(kind).position is None:
            continue
        last, ordered[kind] = 0, []
        for body in document[kind]:
            position = (last // 10 + 1) * 10 if body.get("position") is None else body["position"]
            last = position if isinstance(position, int) else last
            ordered[kind].append({**body, "position": position})
    return ordered


def _match_objects(objects: SnapshotObjects, document: Mapping[str, Any]) -> list[ImportedObject]:
    problems = ProblemCollector()
    imports: list[ImportedObject] = []
    ids = {body["id"] for kind in core.KINDS for body in document.get(kind, ()) if isinstance(body.get("id"), str)}
    seen_ids: set[str] = set()
    seen_names: set[tuple[str, str]] = set()
    for kind in core.KINDS:
        for index, body in enumerate(document.get(kind, ())):
            path, name, sent_id = f"{kind}[{index}]", normalise_text(body["name"]), body.get("id")
            uid_by_name = objects.names(kind).get(name)
            # Another object of the document may be this one under a new name.
            by_name = objects.get(kind, uid_by_name) if uid_by_name and uid_by_name not in ids else None
            stored = objects.get(kind, str(sent_id)) or by_name
            own_ids = {
                candidate for candidate in (stored.uid if stored else None, sent_id) if isinstance(candidate, str)
            }
            _check_identity_fields(body, stored, path, problems)
            # Checked before items are created: thousands of one name would each be looked for in the whole network.
            if not stored and (kind, name_key(name)) in seen_names:
                problems.add(
                    "duplicate_name",
                    f"{path}.name",
                    f"“{name}” is in the document twice. Give one of them another name.",
                )
            seen_names.add((kind, name_key(name)))
            if seen_ids & own_ids:
                problems.add(
                    "duplicate", f"{path}.id", f"“{name}” is in the document twice, under the same id or name."
                )
            seen_ids |= own_ids
            imports.append(ImportedObject(kind, path, body, stored))
    problems.raise_if_any()
    return imports


def _check_identity_fields(
    body: Mapping[str, Any], stored: StoredObject | None, path: str, problems: ProblemCollector
) -> None:
    """Add a problem where the key or number differs from the object's own: both are shown, but cannot be chosen."""
    existing = {"key": stored.key, "number": stored.number} if stored else {}
    for field in ("key", "number"):
        if body.get(field) not in (None, existing.get(field)):
            message = f"The {field} of an object cannot be chosen. Leave “{field}” out."
            problems.add("unknown_field", f"{path}.{field}", message)


def _assign_items(objects: SnapshotObjects, imports: list[ImportedObject], *, dry_run: bool) -> None:
    """Give every object its item: the one it has here, the one it had here before, or a new one."""
    items = Item.objects.in_bulk([imported.stored.number for imported in imports if imported.stored])
    sent = {
        uid: imported for imported in imports if not imported.stored and (uid := _parse_uid(imported.body.get("id")))
    }
    earlier = {item.uid: item for item in Item.objects.filter(uid__in=list(sent))}
    for imported in imports:
        if imported.stored:
            imported.item = items[imported.stored.number]
    for uid, imported in sent.items():
        item = earlier.get(uid)
        if item and item.kind == imported.kind and objects.get(imported.kind, str(uid)) is None:
            imported.item = item
    for kind in core.KINDS:
        new = [imported for imported in imports if imported.kind == kind and imported.item is None]
        created = create_items(kind, [imported.name for imported in new], dry_run=dry_run)
        for imported, item in zip(new, created, strict=True):
            imported.item = item


def _removals(objects: SnapshotObjects, imports: list[ImportedObject]) -> list[BodyChange]:
    kept = {imported.item.pk for imported in imports if imported.item}
    removed = [stored for stored in objects if stored.number not in kept]
    items = Item.objects.in_bulk([stored.number for stored in removed])
    return [BodyChange(items[stored.number], stored.body, None) for stored in removed]


def _parse_uid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
