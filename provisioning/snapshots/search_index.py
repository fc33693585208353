"""What objects are found and ordered by beside their names, and the rows that make it quick.

An index entry is written with the version or overlay that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from provisioning.core.intent import kind_of
from provisioning.models import Overlay, OverlayIndexEntry, Version, VersionIndexEntry
from tenants import bulk_insert

ORDER_DIGITS = 10
BATCH_SIZE = 2000
MAX_LABEL_LENGTH = 120
"""Characters of a label that are kept; a value that is longer is cut alike where it is looked for."""


def filter_label(kind: str, field: str, value: str) -> str:
    return f"{kind}.{field}={value}"[:MAX_LABEL_LENGTH]


def order_label(kind: str, field: str) -> str:
    return f"{kind}.{field}"


def write_entries(records: Iterable[Version] | Iterable[Overlay], using: str = "default") -> None:
    """Write the index entries of these records, which have none yet. Whoever writes versions or overlays calls it."""
    left: Iterator[Version | Overlay] = iter(records)
    while batch := list(islice(left, BATCH_SIZE)):
        owner, more = (
            ("overlay_id", ("draft_id",)) if isinstance(batch[0], Overlay) else ("version_id", ("first", "last"))
        )
        rows = (
            {
                "tenant_id": record.tenant_id,
                owner: record.pk,
                "item_id": record.item_id,
                "label": label,
                "sort": sort,
                **{name: getattr(record, name) for name in more},
            }
            for record in batch
            for label, sort in entries_of(record)
        )
        index = OverlayIndexEntry if isinstance(batch[0], Overlay) else VersionIndexEntry
        bulk_insert.insert_rows(index._meta.db_table, rows, using)


def entries_of(record: Version | Overlay) -> set[tuple[str, str]]:
    """(label, sort) of what the record holds."""
    kind, body = record.kind, record.body
    if body is None:
        return set()
    declared = kind_of(kind)
    filters = {
        (filter_label(kind, field, text), record.name)
        for field, paths in declared.filters.items()
        for path in paths
        for value in _values_at(body, path)
        if value is not None
        for text in _value_texts(value)
    }
    return filters | {
        (order_label(kind, field), f"{body[field]:0{ORDER_DIGITS}}")
        for field in declared.orders
        if isinstance(body.get(field), int)
    }


def _value_texts(value: Any) -> Iterable[str]:
    """Return what a value is found by: labels by their keys, and by ``key=value``."""
    if isinstance(value, dict):
        return [*value, *(f"{key}={inner}" for key, inner in value.items())]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*":
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for item in inner:
            yield from _values_at(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:])
