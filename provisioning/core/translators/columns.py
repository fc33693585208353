"""Which column of a table is which field: chosen by the person, else guessed by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.formats.csv_text import BadCsv, CsvRow, read_csv
from provisioning.core.translators.translation import BadSource, SourceFile, TableField

IGNORED = "-"
"""Chosen for a field: no column is read as it, whatever the guess."""


@dataclass(frozen=True, slots=True)
class Table:
    """``columns``: field → column; ``rows`` in the order of the file."""

    file: str
    header: Sequence[str]
    rows: Sequence[CsvRow]
    columns: Mapping[str, str]

    def cell(self, row: CsvRow, field: str) -> str:
        column = self.columns.get(field)
        return row.cells[column].strip() if column else ""

    def place(self, row: CsvRow) -> str:
        return f"{self.file} row {row.number}"


def read_table(file: SourceFile, fields: Sequence[TableField], chosen: Mapping[str, str], most: int) -> Table:
    """Return the rows of a file with its columns. Raise BadSource where it is no table, or has more rows."""
    try:
        header, rows = read_csv(file.data, most)
    except BadCsv as error:
        raise BadSource(f"{file.name} row {error.line}", error.message) from error
    return Table(file.name, header, rows, choose_columns(header, fields, chosen))


def choose_columns(header: Sequence[str], fields: Sequence[TableField], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return field → column: those chosen, and of the others the first whose name is guessed."""
    wanted = {field: column.strip().lower() for field, column in chosen.items()}
    columns = {field: column for field, column in wanted.items() if column in header}
    by_letters = {_letters(column): column for column in reversed(header) if column not in columns.values()}
    for field in fields:
        found = next((by_letters[name] for name in (_letters(field.name), *field.guesses) if name in by_letters), None)
        if found and field.name not in columns and wanted.get(field.name) != IGNORED:
            columns[field.name] = found
            del by_letters[_letters(found)]
    return columns


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name)
