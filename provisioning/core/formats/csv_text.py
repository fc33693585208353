"""Tables as CSV (RFC 4180): what spreadsheets write, read back as it was meant."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FORMULA_START = re.compile(r"'*[=+\-@\t\r\n]")
DELIMITERS = (",", ";", "\t")
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?[ \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
MAX_CELL_LENGTH = 200_000
"""Characters of one cell."""
MAX_COLUMNS, MAX_COLUMN_NAME_LENGTH = 200, 100
"""Columns of a table, and characters of the name of one."""


class BadCsv(Exception):
    """Text that is no table; ``line`` is where, as a spreadsheet counts."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its number as a spreadsheet shows it (the header is 1) and its cells by column."""

    number: int
    cells: dict[str, str]


def escape_formula(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula; a leading apostrophe makes it text (OWASP, CSV
    injection). What looks escaped already is escaped once more, so that nothing is lost."""
    return f"'{text}" if _FORMULA_START.match(text) else text


def unescape_formula(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA_START.match(cell) else cell


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([escape_formula(cell) for cell in row] for row in rows)
    return out.getvalue()


def read_csv(data: bytes, most: int) -> tuple[list[str], list[CsvRow]]:
    """The columns and at most ``most`` rows; knows byte order marks, and commas, semicolons or tabs between cells.

    Before the header there may be a line ``sep=;``, which spreadsheets obey and do not show, and empty rows. Empty rows
    are left out; columns are told in lower case. Raises BadCsv.
    """
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadCsv(1 + data[: error.start].count(b"\n"), "The text is not UTF-8. Save it as “CSV UTF-8”.") from error
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise BadCsv(1 + text[: text.index("\0")].count("\n"), "A cell holds the character U+0000.")
    if told := _SEPARATOR.match(text):
        text = text[told.end() :]
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = told[1] if told else max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[CsvRow] = []
    number, header = 0, list[str]()
    try:
        csv.field_size_limit(MAX_CELL_LENGTH)
        for number, cells in enumerate(reader, 1):
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _parse_header(number, cells)
            else:
                lines.append(_parse_row(number, header, cells))
                if len(lines) > most:
                    raise BadCsv(number, f"There are more than {most:,} rows. Split the table.")
    except csv.Error as error:
        raise BadCsv(number + 1, f"This row cannot be read: {error}.") from error
    if not header:
        raise BadCsv(1, "The table is empty. Its first row names the columns.")
    return header, lines


def _parse_header(number: int, cells: Sequence[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    while header and not header[-1]:
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise BadCsv(
            number, f"There are {len(header):,} columns; {MAX_COLUMNS} is the most. Leave out what is not asked for."
        )
    for index, name in enumerate(header):
        if len(name) > MAX_COLUMN_NAME_LENGTH:
            raise BadCsv(number, f"The name of column {index + 1} is longer than {MAX_COLUMN_NAME_LENGTH} characters.")
        if not name or name in header[:index]:
            raise BadCsv(number, f"Column {index + 1} has no name." if not name else f"There are two columns “{name}”.")
    return header


def _parse_row(number: int, header: Sequence[str], cells: Sequence[str]) -> CsvRow:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise BadCsv(number, f"This row has more cells than there are columns ({len(header)}).")
    padded = [*cells, *[""] * (len(header) - len(cells))]
    return CsvRow(number, {name: unescape_formula(cell.strip()) for name, cell in zip(header, padded, strict=False)})
