"""Lists of flows as people send them: objects, a CSV table, or lines such as ``10.1.0.5 -> 10.2.0.1 tcp 443``.

A flow that cannot be read keeps its place and says what is wrong with it; the others are answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from provisioning.core.formats.csv_text import BadCsv, read_csv, write_csv
from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import FlowQuery
from provisioning.core.values.icmp_types import ICMP_TYPE_NAMES
from provisioning.core.values.protocols import PROTOCOL_NUMBERS
from provisioning.core.values.resource import Problem

MAX_FLOWS = 10_000
MAX_FIELD_LENGTH = 200
FIELD_NAMES = {"source": "from", "destination": "to"}
FLOW_COLUMNS = tuple(FIELD_NAMES.get(field.name, field.name) for field in fields(FlowQuery))
"""What a flow is asked with, in objects and in tables."""
TRACE_COLUMNS = (*FLOW_COLUMNS, "disposition", "rule", "services", "blockers", "reason", "remedy")
"""A table of answers: services passed, and codes of blockers, with blanks between; reason and remedy of the first
blocker, or what is wrong with the question."""
_LIST_COLUMNS = ("via", "avoid")
# Each alternative begins where a run does, so that a run of a megabyte is looked at once.
_ARROW = re.compile(r"(?<!-)-+>|=>|→|⇒|(?<!\s)\s+to\s", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,;|]+")
_PORT_BEHIND_ADDRESS = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ListedFlow:
    """number: its place in the list, or its line. text: as it was written. query: None where it has problems."""

    number: int
    text: str
    query: FlowQuery | None
    problems: tuple[Problem, ...] = ()


def read_flows(bodies: Sequence[Any]) -> list[ListedFlow]:
    """Return the flows of objects with the fields ``FLOW_COLUMNS``."""
    return [_listed(number, "", body) for number, body in enumerate(bodies, 1)]


def read_flow_table(table: bytes) -> list[ListedFlow]:
    """Return the flows of a CSV table; columns beside ``FLOW_COLUMNS`` (of an answer that is asked again) are left out.

    Raise BadCsv where it is no table, or has no columns ``from`` and ``to``.
    """
    header, rows = read_csv(table, MAX_FLOWS)
    if missing := [name for name in ("from", "to") if name not in header]:
        raise BadCsv(1, f"There is no column “{missing[0]}”. Columns are {', '.join(FLOW_COLUMNS)}.")
    return [
        _listed(
            row.number,
            ", ".join(filter(None, row.cells.values())),
            {name: cell for name, cell in row.cells.items() if name in FLOW_COLUMNS and cell},
        )
        for row in rows
    ]


def read_flow_text(text: str) -> list[ListedFlow]:
    """Return the flows of pasted text: a CSV table if its first line names columns, else a flow in each line.

    Empty lines and those that begin with # are left out. Raise BadCsv for a table that is none, and too many lines.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    first = {cell.strip().strip('"').lower() for cell in re.split(r"[,;\t]", lines[0][1])} if lines else set()
    if {"from", "to"} <= first:
        return read_flow_table(text.encode())
    if len(lines) > MAX_FLOWS:
        raise BadCsv(lines[MAX_FLOWS][0], f"There are more than {MAX_FLOWS:,} flows. Split the list.")
    return [_listed(number, line, _parse_line(line)) for number, line in lines]


def write_trace_table(answers: Iterable[tuple[FlowQuery | None, Mapping[str, Any] | None, Sequence[Problem]]]) -> str:
    """Return a CSV table of questions and answers: each the trace (as the API has it) or its problems."""
    return write_csv(TRACE_COLUMNS, (_answer_cells(*answer) for answer in answers))


def _answer_cells(query: FlowQuery | None, trace: Mapping[str, Any] | None, problems: Sequence[Problem]) -> list[str]:
    values = [getattr(query, field.name) if query else None for field in fields(FlowQuery)]
    cells = [",".join(value) if isinstance(value, tuple) else "" if value is None else str(value) for value in values]
    if trace is None:
        wrong = " ".join(
            f"{problem.path}: {problem.message}" if problem.path else problem.message for problem in problems
        )
        return [*cells, "", "", "", "", wrong, ""]
    blockers = trace["blockers"]
    first = blockers[0] if blockers else {"message": "", "remedy": ""}
    codes = " ".join(dict.fromkeys(blocker["code"] for blocker in blockers))
    return [
        *cells,
        trace["disposition"],
        trace["rule"] or "",
        " ".join(trace["chain"]),
        codes,
        first["message"],
        first["remedy"],
    ]


def _listed(number: int, text: str, body: Any) -> ListedFlow:
    try:
        return ListedFlow(number, text, _read_query(body))
    except InvalidIntent as error:
        return ListedFlow(number, text, None, tuple(error.problems))


def _read_query(body: Any) -> FlowQuery:
    if not isinstance(body, Mapping):
        raise InvalidIntent([Problem("wrong_type", "", "A flow is an object with from and to.")])
    problems = [
        Problem("unknown_field", str(name), f"There is no field “{name}” here. There are {', '.join(FLOW_COLUMNS)}.")
        for name in body
        if name not in FLOW_COLUMNS
    ]
    values: dict[str, Any] = {}
    for field in fields(FlowQuery):
        name = FIELD_NAMES.get(field.name, field.name)
        value = body.get(name)
        if value in (None, "", []):
            if name in ("from", "to"):
                problems.append(Problem("required", name, f"“{name}” is missing."))
        elif (read := _read_names(value) if name in _LIST_COLUMNS else _read_text(value)) is None:
            problems.append(Problem("wrong_type", name, f"Give a text of at most {MAX_FIELD_LENGTH} characters."))
        else:
            values[field.name] = read
    if problems:
        raise InvalidIntent(problems)
    return FlowQuery(**values)


def _read_text(value: Any) -> str | None:
    is_text = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value) if is_text and len(str(value)) <= MAX_FIELD_LENGTH else None


def _read_names(value: Any) -> tuple[str, ...] | None:
    """Return the names of a list, or of a text with commas between."""
    names = split_names(value) if isinstance(value, str) else value if isinstance(value, list) else [None]
    read = [_read_text(name) for name in names]
    return tuple(name.strip() for name in read if name) if None not in read else None


def split_names(text: str) -> tuple[str, ...]:
    """Return the names of a text with commas between."""
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _parse_line(line: str) -> dict[str, str]:
    """Return the fields of a line: two ends, with or without an arrow, then protocol and port or ICMP type."""
    source, arrow, behind = _split_at_arrow(line)
    words = [word for word in _SEPARATORS.split(behind) if word]
    if not arrow:
        source, words = (words[0], words[1:]) if words else ("", [])
    tail: list[str] = []
    while len(words) > 1 and len(tail) < 2 and (parts := _parse_service(words[-1])):
        tail = [*parts, *tail]
        words.pop()
    protocol = next((part for part in tail if part.lower() in PROTOCOL_NUMBERS), None)
    numbers = [part for part in tail if part != protocol]
    destination = " ".join(words)
    if not numbers and (both := _PORT_BEHIND_ADDRESS.fullmatch(destination)):
        destination, numbers = both[1].strip("[]"), [both[2]]
    if protocol is None and len(numbers) == 2:
        protocol, *numbers = numbers
    number = "icmp_type" if (protocol or "").lower() in ICMP_TYPE_NAMES else "port"
    parsed = {"from": source.strip(" ,;"), "to": destination, "protocol": protocol, number: next(iter(numbers), None)}
    return {name: value for name, value in parsed.items() if value}


def _split_at_arrow(line: str) -> tuple[str, bool, str]:
    parts = _ARROW.split(line, maxsplit=1)
    return (parts[0].strip(), True, parts[1]) if len(parts) == 2 else ("", False, line)


def _parse_service(word: str) -> list[str] | None:
    """Return ``tcp`` and ``443`` of ``tcp/443``, ``443/tcp`` or ``tcp:443``, and either alone; None for other words."""
    parts = re.split(r"[/:]", word)
    if len(parts) > 2 or not all(part.isdecimal() or part.lower() in PROTOCOL_NUMBERS for part in parts):
        return None
    return parts
