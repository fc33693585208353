"""Tables as CSV (RFC 4180): what spreadsheets write, read back as it was meant."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_RISKY = re.compile(r"'*[=+\-@\t\r\n]")
DELIMITERS = (",", ";", "\t")
WIDEST = 200_000
"""Characters of one cell."""
MOST_COLUMNS, LONGEST_COLUMN = 200, 100
"""Columns of a table, and characters of the name of one."""


class BadTable(Exception):
    """Text that is no table; ``line`` is where, as a spreadsheet counts."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number as a spreadsheet shows it (the header is 1) and its cells by column."""

    number: int
    cells: dict[str, str]


def escaped(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula; a leading apostrophe makes it text (OWASP, CSV
    injection). What looks escaped already is escaped once more, so that nothing is lost."""
    return f"'{text}" if _RISKY.match(text) else text


def unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell


def write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([escaped(cell) for cell in row] for row in rows)
    return out.getvalue()


def read(data: bytes, most: int) -> tuple[list[str], list[Line]]:
    """The columns and at most ``most`` rows; knows byte order marks, and commas, semicolons or tabs between cells.

    Empty rows are left out; columns are told in lower case. Raises BadTable.
    """
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTable(
            1 + data[: error.start].count(b"\n"), "The text is not UTF-8. Save it as “CSV UTF-8”."
        ) from error
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise BadTable(1 + text[: text.index("\0")].count("\n"), "A cell holds the character U+0000.")
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    number, header = 0, [""]
    try:
        csv.field_size_limit(WIDEST)
        for number, cells in enumerate(reader, 1):
            if number == 1:
                header = _header(cells)
            elif any(cell.strip() for cell in cells):
                lines.append(_line(number, header, cells))
                if len(lines) > most:
                    raise BadTable(number, f"There are more than {most:,} rows. Split the table.")
    except csv.Error as error:
        raise BadTable(number + 1, f"This row cannot be read: {error}.") from error
    if not number:
        raise BadTable(1, "The table is empty. Its first row names the columns.")
    return header, lines


def _header(cells: Sequence[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    while header and not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise BadTable(
            1, f"There are {len(header):,} columns; {MOST_COLUMNS} is the most. Leave out what is not asked for."
        )
    for place, name in enumerate(header):
        if len(name) > LONGEST_COLUMN:
            raise BadTable(1, f"The name of column {place + 1} is longer than {LONGEST_COLUMN} characters.")
        if not name or name in header[:place]:
            raise BadTable(1, f"Column {place + 1} has no name." if not name else f"There are two columns “{name}”.")
    return header


def _line(number: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise BadTable(number, f"This row has more cells than there are columns ({len(header)}).")
    padded = [*cells, *[""] * (len(header) - len(cells))]
    return Line(number, {name: unescaped(cell.strip()) for name, cell in zip(header, padded, strict=False)})
