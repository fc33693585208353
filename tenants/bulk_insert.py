"""Inserting thousands of rows, a few thousand in one statement: as one JSON text that PostgreSQL takes apart.

An array for each column costs several times more than all the rest of an insert, and COPY is refused under row-level
security. A JSON text needs no temporary table, so one row and ten thousand are inserted the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connections, models

BATCH_SIZE = 4000
_INSERT = (
    "INSERT INTO {table} ({columns})"
    " SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json){on_conflict}"
)
_NEXT_KEYS = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"


def insert_rows(
    table: str, rows: Iterable[Mapping[str, Any]], using: str = "default", *, ignore_conflicts: bool = False
) -> None:
    """Insert rows given as column → value, all with the same columns. None is NULL, also in a JSON column."""
    on_conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    quote = connections[using].ops.quote_name
    remaining: Iterator[Mapping[str, Any]] = iter(rows)
    while batch := list(islice(remaining, BATCH_SIZE)):
        statement = _INSERT.format(table=quote(table), columns=", ".join(map(quote, batch[0])), on_conflict=on_conflict)
        with connections[using].cursor() as cursor:
            cursor.execute(statement, [json.dumps(batch, ensure_ascii=False, default=_json_default)])


def assign_primary_keys(objects: Sequence[models.Model], using: str = "default") -> None:
    """Give new instances their primary keys, in order, before they are written."""
    if objects:
        meta = objects[0]._meta
        with connections[using].cursor() as cursor:
            cursor.execute(_NEXT_KEYS, [meta.db_table, meta.pk.column, len(objects)])
            for instance, (key,) in zip(objects, cursor.fetchall(), strict=True):
                instance.pk = key


def _json_default(value: Any) -> str:
    """Return a time in ISO 8601 to the microsecond, anything else (a UUID) as text."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
