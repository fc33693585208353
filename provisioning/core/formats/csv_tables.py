"""Intent as tables: connectors and prefix lists as rows that a spreadsheet can hold, and back.

The columns follow from the declaration of the kind. A connector has a row for each attachment, a prefix list one for
each entry; the other cells of rows of one name are empty or the same. Connectors have a column ``settings.FIELD`` for
each setting. References are names. Prefixes in a cell are parted by spaces, commas or semicolons, names by ``|``; a
circuit or a setting that is no plain text is JSON. A column that is left out leaves the field as it is, an empty cell
means its default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from provisioning.core.formats.csv_text import CsvRow
from provisioning.core.intent import kind_of
from provisioning.core.intent.declaration import DeclaredField
from provisioning.core.intent.fields import Boolean, Field, Integer, Object, Objects, Prefix, Prefixes
from provisioning.core.intent.label_fields import Labels
from provisioning.core.values.labels import format_labels, parse_labels
from provisioning.core.values.text import normalise_text

Body = Mapping[str, Any]
SETTINGS_FIELD = "settings"
SETTING_PREFIX = f"{SETTINGS_FIELD}."


class BadCell(Exception):
    """``column`` of the row cannot be read; says why."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(slots=True)
class CsvObject:
    """One object as its rows tell it: only the fields that the table has columns for."""

    name: str
    table: CsvTable
    body: dict[str, Any] = field(default_factory=dict)
    lines: list[CsvRow] = field(default_factory=list)

    def merged_onto(self, existing: Body) -> dict[str, Any]:
        """The body this makes of the one that is there; settings without a column stay too."""
        body = {**existing, **self.body}
        if "settings" in self.body and body.get("kind") == existing.get("kind"):
            stay = {
                key: value
                for key, value in existing.get("settings", {}).items()
                if SETTING_PREFIX + key not in self.columns
            }
            body["settings"] = {**stay, **self.body["settings"]}
        return body

    @property
    def columns(self) -> Mapping[str, str]:
        return self.lines[0].cells

    def place(self, path: str) -> tuple[int, str]:
        """Row and column of a path in the body."""
        field, rest = re.match(r"(\w*)(.*)", path, re.S).groups()  # type: ignore[union-attr]  # matches every text
        row = re.match(r"\[(\d+)\]\.?(\w+)?", rest)
        if field == self.table.rows_of and row and int(row[1]) < len(self.lines):
            columns = self.table.row_columns
            return self.lines[int(row[1])].number, columns.get(row[2], row[2]) or self.table.prefix_column
        if field == self.table.rows_of:
            return self.lines[0].number, self.table.row_fields[0].name
        is_setting = path.startswith(SETTING_PREFIX)
        return self.lines[0].number, path.partition("[")[0] if is_setting else field


@dataclass(frozen=True)
class CsvTable:
    """How one kind is a table: each object of the list ``rows_of`` has a row of its own, with a column for each of its
    fields; the other fields of the kind stand in the first row.

    ``repeated``: what stands in every row. ``settings``: whether there is a column for each setting.
    """

    kind: str
    rows_of: str
    repeated: tuple[str, ...] = ("name",)
    settings: bool = False

    @cached_property
    def row_fields(self) -> tuple[DeclaredField, ...]:
        nested = kind_of(self.kind).declaration.by_name[self.rows_of].nested
        assert nested is not None, f"{self.rows_of} is a list of objects"
        return nested.fields

    @cached_property
    def single_fields(self) -> tuple[DeclaredField, ...]:
        """The fields with one cell for the whole object; what is JSON stands last."""
        fields = [field for field in kind_of(self.kind).declaration.fields if _is_single_cell(field, self)]
        return tuple(sorted(fields, key=lambda field: isinstance(field.spec, Objects)))

    @cached_property
    def prefix_column(self) -> str:
        """What is wrong with a whole row is told at its prefixes, or at its first cell where it has none."""
        prefixes = (field.name for field in self.row_fields if isinstance(field.spec, Prefix | Prefixes))
        return next(prefixes, self.row_fields[0].name)

    @cached_property
    def help_texts(self) -> dict[str, str]:
        """Return column → what its field holds, as the declaration says it."""
        fields = {field.name: field for field in self.single_fields}
        fields |= {self.row_columns[field.name]: field for field in self.row_fields}
        return {name: fields[name].spec.help or fields[name].label.lower() for name in self.columns}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns in the order of the declaration, those of ``rows_of`` where it stands."""
        order = [field.name for field in kind_of(self.kind).declaration.fields]
        before = [field.name for field in self.single_fields if order.index(field.name) < order.index(self.rows_of)]
        after = [field.name for field in self.single_fields if field.name not in before]
        return (*before, *self.row_columns.values(), *after)

    @cached_property
    def row_columns(self) -> dict[str, str]:
        """Field of a row → its column: its name, or ``attachments.labels`` where the object has such a field too."""
        taken = {field.name for field in self.single_fields}
        return {
            field.name: f"{self.rows_of}.{field.name}" if field.name in taken else field.name
            for field in self.row_fields
        }

    @cached_property
    def old_columns(self) -> dict[str, str]:
        """Return the name that a column had once → its name."""
        fields = (*self.single_fields, *self.row_fields)
        return {field.spec.renamed_from.name: field.name for field in fields if field.spec.renamed_from}

    def rows(self, body: Body) -> list[dict[str, str]]:
        first = {field.name: _format_field(field, body[field.name]) for field in self.single_fields}
        for name, value in body[SETTINGS_FIELD].items() if self.settings else ():
            plain = isinstance(value, str) and _parse_setting(value) == value
            if value is not None:
                first[SETTING_PREFIX + name] = value if plain else json.dumps(value, ensure_ascii=False)
        listed = [
            {self.row_columns[field.name]: _format_field(field, row[field.name]) for field in self.row_fields}
            for row in body[self.rows_of]
        ]
        repeated = {name: first[name] for name in self.repeated}
        return [{**(repeated if index else first), **row} for index, row in enumerate(listed or [{}])]

    def read(self, lines: Sequence[CsvRow]) -> dict[str, Any]:
        """Return the fields that the table has columns for. Raises BadCell."""
        columns = lines[0].cells
        body = {
            field.name: _cell_parser(field.spec)(field.name, _common_cell(lines, field.name))
            for field in self.single_fields
            if field.name in columns and field.name != "name"
        }
        if self.row_fields[0].name in columns:
            body[self.rows_of] = self._read_rows(lines)
        settings = {name: _common_cell(lines, name) for name in columns if name.startswith(SETTING_PREFIX)}
        if self.settings and settings:
            body[SETTINGS_FIELD] = {
                name.removeprefix(SETTING_PREFIX): _parse_setting(cell) for name, cell in settings.items() if cell
            }
        return body

    def _read_rows(self, lines: Sequence[CsvRow]) -> list[dict[str, Any]]:
        """Return an object for each line; the only line may be none where the list may be empty."""
        key = self.row_fields[0].name
        required = kind_of(self.kind).declaration.by_name[self.rows_of].spec.required
        return [
            {
                field.name: _cell_parser(field.spec)(column, line.cells.get(column, ""))
                for field in self.row_fields
                for column in (self.row_columns[field.name],)
            }
            for line in lines
            if required or line.cells[key] or len(lines) > 1
        ]


def objects_to_rows(kind: str, bodies: Iterable[Body]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of these objects; kinds without a table of their own have a column for each field."""
    if kind in CSV_TABLES:
        rows = [row for body in bodies for row in CSV_TABLES[kind].rows(body)]
        known = CSV_TABLES[kind].columns
    else:
        rows = [{name: _format_cell(value) for name, value in body.items()} for body in bodies]
        known = ()
    more = dict.fromkeys(name for row in rows for name in row if name not in known)
    header = [*known, *(sorted(more) if known else more)]
    return header, [[row.get(name, "") for name in header] for row in rows]


def rows_to_objects(
    kind: str, header: Sequence[str], lines: Iterable[CsvRow]
) -> tuple[list[CsvObject], list[tuple[int, str, str]]]:
    """The objects of a table, in its order, and what is wrong with cells as (row, column, message)."""
    table = CSV_TABLES[kind]
    header = [table.old_columns.get(name, name) for name in header]
    problems: list[tuple[int, str, str]] = []
    for name in header:
        if name not in table.columns and not (table.settings and name.startswith(SETTING_PREFIX)):
            known = "" if problems else f" There are {', '.join(table.columns)}."
            problems.append((1, name, f"There is no column “{name}”; leave it out.{known}"))
    if "name" not in header:
        problems.append((1, "name", "There is no column “name”."))
    objects: dict[str, CsvObject] = {}
    for sent in lines if not problems else ():
        line = CsvRow(sent.number, {table.old_columns.get(name, name): cell for name, cell in sent.cells.items()})
        name = normalise_text(line.cells["name"])
        if not name:
            problems.append((line.number, "name", "This row has no name."))
        else:
            objects.setdefault(name, CsvObject(name, table)).lines.append(line)
    for item in objects.values():
        try:
            item.body = {"name": item.name, **table.read(item.lines)}
        except BadCell as error:
            problems.append((_row_number(item.lines, error.column), error.column, str(error)))
    return list(objects.values()), problems


def _row_number(lines: Sequence[CsvRow], column: str) -> int:
    """The row that says something in this column, the last one where several do."""
    return next((line.number for line in reversed(lines) if line.cells.get(column)), lines[0].number)


def _common_cell(lines: Sequence[CsvRow], column: str) -> str:
    """The cell that rows of one name have in common."""
    cells = list(dict.fromkeys(line.cells[column] for line in lines if line.cells[column]))
    if len(cells) > 1:
        raise BadCell(column, f"“{cells[1]}” is not what the first row of this name says, “{cells[0]}”.")
    return cells[0] if cells else ""


def _parse_text(column: str, cell: str) -> str | None:
    return cell or None


def _parse_number(column: str, cell: str) -> int | None:
    if not cell:
        return None
    if not re.fullmatch(r"\d{1,9}", cell):
        raise BadCell(column, f"“{cell}” is not a whole number.")
    return int(cell)


def _parse_flag(column: str, cell: str) -> bool | None:
    known = {"": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if cell.lower() not in known:
        raise BadCell(column, f"“{cell}” is neither true nor false.")
    return known[cell.lower()]


def _split_prefixes(cell: str) -> list[str]:
    return [part for part in re.split(r"[\s,;|]+", cell) if part]


def _parse_names(column: str, cell: str) -> list[str]:
    return (
        _parse_json(column, cell)
        if cell.startswith("[")
        else [part.strip() for part in cell.split("|") if part.strip()]
    )


def _parse_json(column: str, cell: str) -> Any:
    try:
        return _load_json(cell) if cell else None
    except ValueError as error:
        raise BadCell(column, f"“{cell[:60]}” is not JSON: {error}.") from error


def _parse_setting(cell: str) -> Any:
    """A text is itself; what reads as a JSON list, object, flag or null is that (a text of that form is quoted)."""
    if cell[:1] in '[{"' or cell in ("true", "false", "null"):
        try:
            return _load_json(cell)
        except ValueError:
            return cell
    return cell


def _load_json(cell: str) -> Any:
    """The value of a JSON text; ValueError where it is none, too deep, or holds text that cannot be stored."""
    try:
        value = json.loads(cell)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    # Only an escape can bring them in: half a surrogate pair, which has no UTF-8, and U+0000.
    if "\\u" in cell and "\\u0000" in json.dumps(value, ensure_ascii=False).encode().decode():
        raise ValueError("it holds the character U+0000")
    return value


def _format_field(field: DeclaredField, value: Any) -> str:
    if isinstance(field.spec, Prefixes):
        return " ".join(value)
    if isinstance(field.spec, Labels):
        return format_labels(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(field.spec, Objects) else _format_cell(value)


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) and "|" not in item and item[:1] != "[" for item in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False)


def _cell_parser(spec: Field) -> Callable[[str, str], Any]:
    """Return what reads (column, cell) of a declared field; an empty cell is its default."""
    if isinstance(spec, Boolean):
        return _parse_flag
    if isinstance(spec, Integer):
        return _parse_number
    if isinstance(spec, Prefixes):
        return lambda column, cell: _split_prefixes(cell)
    if isinstance(spec, Prefix):
        return lambda column, cell: cell
    if isinstance(spec, Labels):
        return lambda column, cell: parse_labels(cell)
    if isinstance(spec, Object | Objects):
        return _parse_json
    return _parse_names if spec.is_list else _parse_text


def _is_single_cell(field: DeclaredField, table: CsvTable) -> bool:
    return field.name not in (table.rows_of, SETTINGS_FIELD if table.settings else "")


CSV_TABLES: dict[str, CsvTable] = {
    "connectors": CsvTable("connectors", "attachments", settings=True),
    "prefix-lists": CsvTable("prefix-lists", "entries", repeated=("name", "description")),
}
"""Kinds that are read from tables."""
