"""A page of a kind's list: the cells of each row, with names for references, and what the draft changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from portal.pages.objects.bound_form import ReferenceLabel, find_references
from portal.pages.objects.form_fields import ENDPOINT_LITERALS
from portal.pages.objects.kind_page import KindPage, ListColumn
from provisioning.errors import InvalidQuery
from provisioning.selectors import listing
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject

PAGE_SIZE = 50
MAX_CELL_VALUES = 4
"""Values that a cell shows; of the others only the number."""


@dataclass(frozen=True, slots=True)
class CellValue:
    word: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class ListCell:
    column: ListColumn
    values: list[CellValue]
    more: int


@dataclass(frozen=True, slots=True)
class ListRow:
    row: StoredObject
    state: str
    cells: list[ListCell]


class ReferenceNames:
    """The objects that some bodies refer to, read in one query."""

    def __init__(self, snapshot: Snapshot, bodies: Iterable[Any]) -> None:
        uids = set().union(*map(find_references, bodies))
        self.rows: Mapping[str, StoredObject] = queries.objects_by_uid(snapshot, uids) if uids else {}

    def label(self, ref: str) -> ReferenceLabel:
        row = self.rows.get(ref)
        if row:
            return ReferenceLabel(ref, row.name, row.kind)
        return ReferenceLabel(ref, ENDPOINT_LITERALS.get(ref, ref))

    def value(self, ref: Any, literals: Mapping[str, str]) -> CellValue:
        row = self.rows.get(ref) if isinstance(ref, str) else None
        if row is None:
            return CellValue(literals.get(str(ref), str(ref)))
        return CellValue(row.name, row.body.get("color"))


def get_page(snapshot: Snapshot, kind: str, cursor: str | None, **query: Any) -> listing.ObjectPage:
    """Return a page of what ``listing.list_page`` is asked for; the first one where the cursor is another list's.

    An address may have been kept while its filters were edited, or put together by hand.
    """
    list_page = partial(listing.list_page, snapshot, kind, limit=PAGE_SIZE, **query)
    try:
        return list_page(cursor=cursor)
    except InvalidQuery:
        return list_page()


def list_rows(kind: KindPage, rows: Iterable[tuple[StoredObject, str]], names: ReferenceNames) -> list[ListRow]:
    return [ListRow(row, state, [_list_cell(column, row, names) for column in kind.columns]) for row, state in rows]


def _list_cell(column: ListColumn, row: StoredObject, names: ReferenceNames) -> ListCell:
    shown = column.show(row.body)
    if column.cell == "swatch":
        return ListCell(column, [CellValue(row.name, row.body.get("color"))], 0)
    values = shown if isinstance(shown, list) else [shown] if shown not in (None, "") else []
    values = list(dict.fromkeys(values))
    literals = ENDPOINT_LITERALS if column.cell == "words" else {}
    return ListCell(
        column,
        [names.value(value, literals) for value in values[:MAX_CELL_VALUES]],
        max(0, len(values) - MAX_CELL_VALUES),
    )
