"""A page of a kind's list: the cells of each row, references told by their names, and what the draft did to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from portal.pages.objects.fields import ANYWHERE
from portal.pages.objects.form import Named, references
from portal.pages.objects.kind import Column, Kind
from provisioning.selectors import listing; from provisioning.snapshots import queries
from provisioning.snapshots.queries import StoredObject, Snapshot
from provisioning.errors import InvalidQuery

PAGE = 50
SHOWN = 4
"""Values of one cell; what is more is counted."""


@dataclass(frozen=True, slots=True)
class Value:
    word: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    column: Column
    values: list[Value]
    more: int


@dataclass(frozen=True, slots=True)
class Line:
    row: StoredObject
    state: str
    cells: list[Shown]


class Names:
    """What the references of some bodies lead to; asked for once."""

    def __init__(self, view: Snapshot, bodies: Iterable[Any]) -> None:
        wanted = set().union(*map(references, bodies))
        self.rows: Mapping[str, StoredObject] = queries.objects_by_uid(view, wanted) if wanted else {}

    def label(self, ref: str) -> Named:
        row = self.rows.get(ref)
        if row:
            return Named(ref, row.name, row.kind)
        return Named(ref, ANYWHERE.get(ref, ref))

    def value(self, ref: Any, literals: Mapping[str, str]) -> Value:
        row = self.rows.get(ref) if isinstance(ref, str) else None
        if row is None:
            return Value(literals.get(str(ref), str(ref)))
        return Value(row.name, row.body.get("color"))


def page_of(view: Snapshot, kind: str, cursor: str | None, **asked: Any) -> listing.ObjectPage:
    """A page of what ``listing.page`` is asked for; the first one where the cursor is another list's.

    An address may have been kept while its filters were edited, or put together by hand.
    """
    ask = partial(listing.list_page, view, kind, limit=PAGE, **asked)
    try:
        return ask(cursor=cursor)
    except InvalidQuery:
        return ask()


def lines(kind: Kind, found: Iterable[tuple[StoredObject, str]], names: Names) -> list[Line]:
    return [Line(row, state, [_shown(column, row, names) for column in kind.columns]) for row, state in found]


def _shown(column: Column, row: StoredObject, names: Names) -> Shown:
    found = column.show(row.body)
    if column.cell == "swatch":
        return Shown(column, [Value(row.name, row.body.get("color"))], 0)
    values = found if isinstance(found, list) else [found] if found not in (None, "") else []
    values = list(dict.fromkeys(values))
    literals = ANYWHERE if column.cell == "words" else {}
    return Shown(column, [names.value(value, literals) for value in values[:SHOWN]], max(0, len(values) - SHOWN))
