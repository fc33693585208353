"""What differs between two versions of a network, object by object and field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from provisioning.core import intent as core
from provisioning.core.formats.three_way_merge import diff_bodies
from provisioning.snapshots import tenant_cache
from provisioning.snapshots.document_export import order_fields
from provisioning.snapshots.objects import SnapshotObjects
from provisioning.snapshots.queries import Snapshot, StoredObject

ObjectBody = Mapping[str, Any]


def diff_snapshots(base: Snapshot, changed_snapshot: Snapshot) -> list[dict[str, Any]]:
    """``{"kind","id","name","action","before","after","fields":[{"path","before","after"}]}``, by kind and name."""
    before, after = tenant_cache.load_objects(base), tenant_cache.load_objects(changed_snapshot)
    label = _label_lookup(before, after)
    changed: list[tuple[StoredObject, StoredObject | None, StoredObject | None]] = []
    for kind in core.KINDS:
        was, now = before.of(kind), after.of(kind)
        for uid in was.keys() | now.keys() if was is not now else ():
            old, new = was.get(uid), now.get(uid)
            row = new or old
            if (
                old is not new
                and row
                and (old is None or new is None or not core.is_same_body(kind, old.row.body, new.row.body))
            ):
                changed.append((row.row, old.row if old else None, new.row if new else None))
    order = {kind: index for index, kind in enumerate(core.KINDS)}
    changed.sort(key=lambda change: (order[change[0].kind], change[0].name, change[0].number))
    return [diff_object(row, old.body if old else None, new.body if new else None, label) for row, old, new in changed]


def diff_object(
    row: StoredObject, before: ObjectBody | None, after: ObjectBody | None, label: Callable[[str], str]
) -> dict[str, Any]:
    """One object's difference; one that comes or goes is told with all its fields."""
    was, now = (
        order_fields(row.kind, core.with_sorted_sets(row.kind, body)) if body is not None else None
        for body in (before, after)
    )
    fields: Iterable[tuple[str, Any, Any]]
    if was is None or now is None:
        fields = [(field, (was or {}).get(field), (now or {}).get(field)) for field in (now or was or {})]
    else:
        fields = diff_bodies(was, now, label)
    return {
        "kind": row.kind,
        "id": row.uid,
        "name": row.name,
        "action": "create" if was is None else "remove" if now is None else "change",
        "before": was,
        "after": now,
        "fields": [{"path": path, "before": old, "after": new} for path, old, new in fields],
    }


def _label_lookup(before: SnapshotObjects, after: SnapshotObjects) -> Callable[[str], str]:
    def label(uid: str) -> str:
        called = after.label(uid)
        return before.label(uid) if called == uid else called

    return label
