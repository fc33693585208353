"""Thousands of new rows in one statement each few thousand: as one JSON text that PostgreSQL takes apart.

Writing out an array for each column costs several times more than all the rest of an insert, and row-level security
refuses COPY into its tables; a JSON text needs no temporary table either, so one row and ten thousand go the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connections, models

BATCH_SIZE = 4000
_INSERT = "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json){but}"
_NEXT_KEYS = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"


def insert_rows(
    table: str, rows: Iterable[Mapping[str, Any]], using: str = "default", *, ignore_conflicts: bool = False
) -> None:
    """Rows as value by column, all of the same columns. None is NULL, also of a JSON column."""
    but = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    quote = connections[using].ops.quote_name
    left: Iterator[Mapping[str, Any]] = iter(rows)
    while batch := list(islice(left, BATCH_SIZE)):
        statement = _INSERT.format(table=quote(table), columns=", ".join(map(quote, batch[0])), but=but)
        with connections[using].cursor() as cursor:
            cursor.execute(statement, [json.dumps(batch, ensure_ascii=False, default=_json_default)])


def assign_primary_keys(objects: Sequence[models.Model], using: str = "default") -> None:
    """Give new objects their primary keys, in order, before they are written."""
    if objects:
        meta = objects[0]._meta
        with connections[using].cursor() as cursor:
            cursor.execute(_NEXT_KEYS, [meta.db_table, meta.pk.column, len(objects)])
            for one, (found,) in zip(objects, cursor.fetchall(), strict=True):
                one.pk = found


def _json_default(value: Any) -> str:
    """A moment to the microsecond, an identifier as text."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
