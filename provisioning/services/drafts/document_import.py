"""Reading a whole network: what a document would change in a draft.

Objects are matched by ``id``, else by name; what the document leaves out is removed. References may be names or ids of
the document's own objects, so that it may come from another tenant.
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
from provisioning.models import Draft, Item
from provisioning.services.drafts.bodies import BodyNormaliser, ProblemCollector
from provisioning.services.drafts.overlay import BodyChange, create_items
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import StoredObject


@dataclass(slots=True)
class ImportedObject:
    """One object of the document: where it stands, what it is here (or nothing yet), and its identity."""

    kind: str
    path: str
    body: Mapping[str, Any]
    row: StoredObject | None
    item: Item | None = None

    @property
    def name(self) -> str:
        return str(self.body["name"]).strip()


def changes_from_document(draft: Draft, document: Any) -> list[BodyChange]:
    """Everything that has to change for the draft to be this document; makes identities for what is new."""
    _check_document(document)
    content = tenant_cache.load_objects(queries.snapshot_of_draft(draft))
    wanted = _match_objects(content, document)
    _assign_items(content, wanted)
    changes = _removals(content, wanted)
    names: dict[str, dict[str, str]] = {kind: {} for kind in core.KINDS}
    # What the document calls an object, where that is not what it is called here.
    aliases: dict[str, str] = {}
    for one in wanted:
        uid = str(one.item.uid)  # type: ignore[union-attr]  # every one has its identity now
        names[one.kind].setdefault(one.name, uid)
        aliases[uid] = uid
        if isinstance(one.body.get("id"), str):
            aliases[one.body["id"]] = uid
    kinds = {str(one.item.uid): one.kind for one in wanted if one.item}

    def resolve(kind: str, called: str) -> str | None:
        uid = aliases.get(called)
        return uid if uid and kinds[uid] == kind else names.get(kind, {}).get(called)

    bodies, problems = BodyNormaliser(resolve), ProblemCollector()
    for one in wanted:
        clean = problems.of(one.path, partial(bodies.clean, one.kind, one.body))
        if clean is not None and one.item and (one.row is None or clean != one.row.body):
            changes.append(BodyChange(one.item, one.row.body if one.row else None, clean))
    problems.raise_if_any()
    return changes


def _check_document(document: Any) -> None:
    """Whether it is a document at all: kinds with lists of named objects."""
    problems = ProblemCollector()
    known = isinstance(document, Mapping)
    if not known:
        problems.add("wrong_type", "", "Send an object with a list per kind.")
    count = sum(len(one) if isinstance(one, list) else 1 for one in document.values()) if known else 0
    if count > OBJECTS.most:
        problems.add(OBJECTS.code, "", OBJECTS.message(count))
    problems.raise_if_any()
    for kind, objects in document.items():
        if kind not in core.KINDS:
            wrong = f"There is no kind “{str(kind)[:60]}”. Use {', '.join(core.KINDS)}."
            problems.add("unknown_field", str(kind), wrong)
        elif not isinstance(objects, list):
            problems.add("wrong_type", kind, "A list of objects was expected here.")
        else:
            for place, body in enumerate(objects):
                _check_object(body, f"{kind}[{place}]", problems)
    problems.raise_if_any()


def _check_object(body: Any, path: str, problems: ProblemCollector) -> None:
    """Whether it has a name, and an id that is one."""
    if not isinstance(body, Mapping):
        problems.add("wrong_type", path, "An object with fields was expected here.")
        return
    name, uid = body.get("name"), body.get("id")
    if name is None or name == "":
        problems.add("required", f"{path}.name", "An object has no name. Give it one.")
    elif not isinstance(name, str):
        read = json.dumps(name)[:60]
        problems.add("wrong_type", f"{path}.name", f"The name is read as {read}, which is no text. Put it in quotes.")
    if uid is not None and _parse_uid(uid) is None:
        wrong = f"“{str(uid)[:60]}” is no id. Leave “id” out to match by name, or send the one that the network tells."
        problems.add("wrong_type", f"{path}.id", wrong)


def _match_objects(content: SnapshotObjects, document: Mapping[str, Any]) -> list[ImportedObject]:
    problems = ProblemCollector()
    wanted: list[ImportedObject] = []
    ids = {body["id"] for kind in core.KINDS for body in document.get(kind, ()) if isinstance(body.get("id"), str)}
    met: set[str] = set()
    names: set[tuple[str, str]] = set()
    for kind in core.KINDS:
        for place, body in enumerate(document.get(kind, ())):
            path, name, told = f"{kind}[{place}]", body["name"].strip(), body.get("id")
            called = content.names(kind).get(name)
            # Another one of the document may be this object under a new name.
            by_name = content.get(kind, called) if called and called not in ids else None
            row = content.get(kind, str(told)) or by_name
            known = {one for one in (row.uid if row else None, told) if isinstance(one, str)}
            _check_identity_fields(body, row, path, problems)
            # Before anything is made for them: thousands of one name would each be looked for in the whole network.
            if not row and (kind, name.casefold()) in names:
                problems.add("duplicate_name", f"{path}.name", f"“{name}” is there already. Give it another name.")
            names.add((kind, name.casefold()))
            if met & known:
                problems.add("duplicate", f"{path}.id", f"“{name}” is there already, under the same id or name.")
            met |= known
            wanted.append(ImportedObject(kind, path, body, row))
    problems.raise_if_any()
    return wanted


def _check_identity_fields(
    body: Mapping[str, Any], row: StoredObject | None, path: str, problems: ProblemCollector
) -> None:
    """What an object's own answer tells beside its body may come back with it, but cannot be chosen."""
    held = {"key": row.key, "number": row.number} if row else {}
    for field in ("key", "number"):
        if body.get(field) not in (None, held.get(field)):
            wrong = f"The {field} of an object cannot be chosen. Leave “{field}” out."
            problems.add("unknown_field", f"{path}.{field}", wrong)


def _assign_items(content: SnapshotObjects, wanted: list[ImportedObject]) -> None:
    """Give every object its identity: the one it has here, one it had here before, or a new one."""
    here = Item.objects.in_bulk([one.row.number for one in wanted if one.row])
    told = {uid: one for one in wanted if not one.row and (uid := _parse_uid(one.body.get("id")))}
    before = {item.uid: item for item in Item.objects.filter(uid__in=list(told))}
    for one in wanted:
        if one.row:
            one.item = here[one.row.number]
    for uid, one in told.items():
        item = before.get(uid)
        if item and item.kind == one.kind and content.get(one.kind, str(uid)) is None:
            one.item = item
    for kind in core.KINDS:
        new = [one for one in wanted if one.kind == kind and one.item is None]
        for one, item in zip(new, create_items(kind, [one.name for one in new]), strict=True):
            one.item = item


def _removals(content: SnapshotObjects, wanted: list[ImportedObject]) -> list[BodyChange]:
    kept = {one.item.pk for one in wanted if one.item}
    gone = [row for row in content if row.number not in kept]
    items = Item.objects.in_bulk([row.number for row in gone])
    return [BodyChange(items[row.number], row.body, None) for row in gone]


def _parse_uid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
