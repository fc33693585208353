"""The whole network as one document: for the API, for keeping under version control, for carrying to another tenant.

References are told by name where one name can mean only one thing, and fields are in the order of their types, the
name first; so the same network is the same text, whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from provisioning.core import intent as core
from provisioning.core.intent.declaration import Declaration
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import Snapshot, StoredObject

FieldOrder = dict[str, "FieldOrder"]
_FREE_TEXT_FIELDS = ("name", "description")
"""Fields that are words of people, whatever they look like."""


def export_document(snapshot: Snapshot, *, ids: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Kind → objects by name."""
    objects = tenant_cache.load_objects(snapshot)
    document: dict[str, list[dict[str, Any]]] = {kind: [] for kind in core.KINDS}
    names = _ReferenceNames(objects)
    for row in sorted(objects, key=lambda row: (row.name, row.number)):
        body = order_fields(row.kind, names.by_name(row))
        document[row.kind].append({"id": row.uid, **body} if ids else body)
    return document


def export_objects(snapshot: Snapshot, kind: str, uids: Iterable[str]) -> list[dict[str, Any]]:
    """Return those of these objects of one kind that there are, references by name."""
    objects = tenant_cache.load_objects(snapshot)
    names = _ReferenceNames(objects)
    rows = [objects.get(kind, uid) for uid in uids]
    return [order_fields(kind, names.by_name(row)) for row in rows if row]


def order_fields(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body with its fields in the order of their declaration, at every depth; others are by letter."""
    return _order_value(body, _field_order_of(core.kind_of(kind).declaration))


def _order_value(value: Any, order: FieldOrder) -> Any:
    if isinstance(value, dict):
        known = [field for field in order if field in value]
        more = sorted(value.keys() - order.keys()) if len(known) < len(value) else ()
        return {field: _order_value(value[field], order.get(field, {})) for field in (*known, *more)}
    return [_order_value(item, order) for item in value] if isinstance(value, list) else value


@cache
def _field_order_of(declaration: Declaration) -> FieldOrder:
    return {field.name: _field_order_of(field.nested) if field.nested else {} for field in declaration.fields}


class _ReferenceNames:
    """What the objects of a snapshot are called where others name them."""

    def __init__(self, objects: SnapshotObjects) -> None:
        self.objects = objects
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}

    def by_name(self, row: StoredObject) -> dict[str, Any]:
        kinds: dict[str, list[str]] = {}
        for kind, uid in core.object_references(row.kind, row.body):
            kinds.setdefault(uid, []).append(kind)
        if not kinds:
            return row.body
        names = {uid: self._name(uid, tuple(sorted(of))) for uid, of in kinds.items()}
        body = {
            field: value if field in _FREE_TEXT_FIELDS else _replace_references(value, names)
            for field, value in row.body.items()
        }
        # By name: ids are others in another tenant.
        return core.with_sorted_sets(row.kind, body)

    def _name(self, uid: str, kinds: tuple[str, ...]) -> str:
        """Its name where no other object that could be meant has it, and it could not be taken for an id or a word."""
        if (uid, kinds) not in self._known:
            row = next((known for kind in kinds if (known := self.objects.get(kind, uid))), None)
            name = row.name if row else uid
            meanings = {found for kind in kinds if (found := self.objects.resolve()(kind, name))}
            is_clear = meanings == {uid} and name not in (core.ANY, core.INTERNET)
            is_clear = is_clear and not ("prefix-lists" in kinds and core.named_uid(name) != name)
            self._known[uid, kinds] = name if is_clear else self._with_kind(uid, name, kinds)
        return self._known[uid, kinds]

    def _with_kind(self, uid: str, name: str, kinds: tuple[str, ...]) -> str:
        """Return ``groups/prod``, or the id where that would mean something else."""
        resolve = self.objects.resolve()
        kind = next((kind for kind in kinds if resolve(kind, name) == uid), "")
        text = f"{kind}/{name}"
        return text if kind and not any(resolve(other, text) for other in kinds) else uid


def _replace_references(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return f"!{names[value[1:]]}" if value[:1] == "!" and value[1:] in names else names.get(value, value)
    if isinstance(value, dict):
        return {
            field: inner if field in _FREE_TEXT_FIELDS else _replace_references(inner, names)
            for field, inner in value.items()
        }
    return [_replace_references(item, names) for item in value] if isinstance(value, list) else value
