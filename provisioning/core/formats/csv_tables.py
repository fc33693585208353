"""Intent as tables: connectors and prefix lists as rows that a spreadsheet can hold, and back.

connectors: ``name description kind exchange size enabled failover_exchange redundancy_group preference segment group
prefixes billing_tags circuits`` and a column ``settings.FIELD`` for each setting. Several rows of one name are several
attachments of one connector; the other cells of such rows are empty or the same.
prefix-lists: ``name description prefix ge le``; several rows of one name are the entries of one list.
References are names. Prefixes in a cell are parted by spaces, commas or semicolons, names by ``|``; a circuit or a
setting that is no plain text is JSON. A column that is left out leaves the field as it is, an empty cell its default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioning.core.formats.csv_text import CsvRow

Body = Mapping[str, Any]
SETTING_PREFIX = "settings."


class BadCell(Exception):
    """``column`` of the row cannot be read; says why."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(slots=True)
class CsvObject:
    """One object as its rows tell it: only the fields that the table has columns for."""

    name: str
    body: dict[str, Any]
    lines: list[CsvRow] = field(default_factory=list)

    def merged_onto(self, held: Body) -> dict[str, Any]:
        """The body this makes of the one that is there; settings without a column stay too."""
        body = {**held, **self.body}
        if "settings" in self.body and body.get("kind") == held.get("kind"):
            stay = {
                key: value
                for key, value in held.get("settings", {}).items()
                if SETTING_PREFIX + key not in self.columns
            }
            body["settings"] = {**stay, **self.body["settings"]}
        return body

    @property
    def columns(self) -> Mapping[str, str]:
        return self.lines[0].cells

    def place(self, path: str) -> tuple[int, str]:
        """Row and column of a path in the body."""
        match = re.match(r"(attachments|entries)\[(\d+)\]\.?(\w+)?", path)
        if match and int(match[2]) < len(self.lines):
            return self.lines[int(match[2])].number, match[3] or ("prefixes" if match[1] == "attachments" else "prefix")
        column = {"attachments": "segment", "entries": "prefix"}.get(path, path.partition("[")[0])
        return self.lines[0].number, column if column.startswith(SETTING_PREFIX) else column.partition(".")[0]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """How one kind is a table: its columns, bodies to rows, rows of one name to a body."""

    columns: tuple[str, ...]
    rows: Callable[[Body], list[dict[str, str]]]
    read: Callable[[Sequence[CsvRow]], dict[str, Any]]
    settings: bool = False


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
    wrong: list[tuple[int, str, str]] = []
    for name in header:
        if name not in table.columns and not (table.settings and name.startswith(SETTING_PREFIX)):
            known = "" if wrong else f" There are {', '.join(table.columns)}."
            wrong.append((1, name, f"There is no column “{name}”; leave it out.{known}"))
    if "name" not in header:
        wrong.append((1, "name", "There is no column “name”."))
    found: dict[str, CsvObject] = {}
    for line in lines if not wrong else ():
        name = line.cells["name"]
        if not name:
            wrong.append((line.number, "name", "This row has no name."))
        else:
            found.setdefault(name, CsvObject(name, {})).lines.append(line)
    for one in found.values():
        try:
            one.body = {"name": one.name, **table.read(one.lines)}
        except BadCell as error:
            wrong.append((_row_number(one.lines, error.column), error.column, str(error)))
    return list(found.values()), wrong


def _row_number(lines: Sequence[CsvRow], column: str) -> int:
    """The row that says something in this column, the last one where several do."""
    return next((line.number for line in reversed(lines) if line.cells.get(column)), lines[0].number)


def _common_cell(lines: Sequence[CsvRow], column: str) -> str:
    """The cell that rows of one name have in common."""
    told = list(dict.fromkeys(line.cells[column] for line in lines if line.cells[column]))
    if len(told) > 1:
        raise BadCell(column, f"“{told[1]}” is not what the first row of this name says, “{told[0]}”.")
    return told[0] if told else ""


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


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) and "|" not in one and one[:1] != "[" for one in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False)


_FIELD_PARSERS: dict[str, Callable[[str, str], Any]] = {
    **dict.fromkeys(("description", "kind", "exchange", "size", "failover_exchange", "redundancy_group"), _parse_text),
    "enabled": _parse_flag,
    "preference": _parse_number,
    "billing_tags": _parse_names,
    "circuits": _parse_json,
}


def _rows_to_connector(lines: Sequence[CsvRow]) -> dict[str, Any]:
    columns = lines[0].cells
    body = {name: parse(name, _common_cell(lines, name)) for name, parse in _FIELD_PARSERS.items() if name in columns}
    if "segment" in columns:
        body["attachments"] = [
            {
                "segment": line.cells["segment"] or None,
                "group": line.cells.get("group") or None,
                "prefixes": _split_prefixes(line.cells.get("prefixes", "")),
            }
            for line in lines
        ]
    settings = {name: _common_cell(lines, name) for name in columns if name.startswith(SETTING_PREFIX)}
    if settings:
        body["settings"] = {
            name.removeprefix(SETTING_PREFIX): _parse_setting(cell) for name, cell in settings.items() if cell
        }
    return body


def _connector_to_rows(body: Body) -> list[dict[str, str]]:
    first = {name: _format_cell(body[name]) for name in ("name", *_FIELD_PARSERS) if name != "circuits"}
    first["circuits"] = json.dumps(body["circuits"], ensure_ascii=False)
    for name, value in body["settings"].items():
        plain = isinstance(value, str) and _parse_setting(value) == value
        if value is not None:
            first[SETTING_PREFIX + name] = value if plain else json.dumps(value, ensure_ascii=False)
    attached = [
        {"segment": one["segment"], "group": one["group"] or "", "prefixes": " ".join(one["prefixes"])}
        for one in body["attachments"]
    ]
    return [{**(first if place == 0 else {"name": body["name"]}), **row} for place, row in enumerate(attached)]


def _rows_to_prefix_list(lines: Sequence[CsvRow]) -> dict[str, Any]:
    columns = lines[0].cells
    body: dict[str, Any] = {"description": _common_cell(lines, "description")} if "description" in columns else {}
    if "prefix" in columns:
        body["entries"] = [
            {
                "prefix": line.cells["prefix"],
                "ge": _parse_number("ge", line.cells.get("ge", "")),
                "le": _parse_number("le", line.cells.get("le", "")),
            }
            for line in lines
            if line.cells["prefix"] or len(lines) > 1
        ]
    return body


def _prefix_list_to_rows(body: Body) -> list[dict[str, str]]:
    entries = [{name: _format_cell(one[name]) for name in ("prefix", "ge", "le")} for one in body["entries"]]
    return [{"name": body["name"], "description": body["description"], **one} for one in entries or [{}]]


CSV_TABLES: dict[str, CsvTable] = {
    "connectors": CsvTable(
        (
            *("name", "description", "kind", "exchange", "size", "enabled", "failover_exchange", "redundancy_group"),
            *("preference", "segment", "group", "prefixes", "billing_tags", "circuits"),
        ),
        _connector_to_rows,
        _rows_to_connector,
        settings=True,
    ),
    "prefix-lists": CsvTable(("name", "description", "prefix", "ge", "le"), _prefix_list_to_rows, _rows_to_prefix_list),
}
