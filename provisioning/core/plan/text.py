"""A plan as a reviewer reads it: what goes first, then what comes, then what differs, each with its fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provisioning.core.plan.fields import Field, fields
from provisioning.core.resource import Action, Change, Problem, canonical

_SECTIONS: tuple[tuple[Action, str, str], ...] = (
    ("remove", "-", "Remove"),
    ("replace", "±", "Replace"),
    ("create", "+", "Create"),
    ("change", "~", "Change"),
)
MOST_FIELDS = 40
# Numbers that nodes agree on among themselves; they follow from what else is told.
_INTERNAL = re.compile(r"anchors\..*|members\[[^]]*\]\.(id|class)|exits\.[^.]*\.member")
MOST_TEXT = 160


def text(changes: Sequence[Change], warnings: Iterable[Problem] = ()) -> str:
    """The whole plan. Changes of one kind with the same fields, such as on several nodes, are told once."""
    counts = ", ".join(
        f"{sum(change.action == action for change in changes)} to {action}" for action, _, _ in _SECTIONS
    )
    lines = [f"Plan: {counts}." if changes else "Plan: nothing to do."]
    for action, sign, title in _SECTIONS:
        some = [change for change in changes if change.action == action]
        if some:
            lines += ["", title, *_section(sign, some)]
    told = list(warnings)
    if told:
        lines += ["", "Warnings", *(f"  ! {problem.message} [{problem.path}]" for problem in told)]
    return "\n".join(lines) + "\n"


def _section(sign: str, changes: list[Change]) -> Iterator[str]:
    alike: dict[str, tuple[list[Change], list[str]]] = {}
    for change in changes:
        told = [] if change.action == "remove" else _told(change)
        alike.setdefault(f"{change.kind}\n" + "\n".join(told), ([], told))[0].append(change)
    for some, told in alike.values():
        for change in some:
            yield f"  {sign} {change.address}  ({change.kind})"
        yield from (f"      {line}" for line in told)


def _told(change: Change) -> list[str]:
    lines = (
        [_created(field, value) for field, value in sorted((change.after or {}).items())]
        if change.action == "create"
        else [_changed(*field) for field in fields(change) if not _INTERNAL.fullmatch(field[0])]
    )
    if not lines and change.before != change.after:
        return ["(internal numbers only)"]
    if not lines:
        return ["(again: what it refers to is replaced, or an earlier run left it unfinished)"]
    if len(lines) > MOST_FIELDS:
        lines = [*lines[:MOST_FIELDS], f"… and {len(lines) - MOST_FIELDS} more"]
    return lines


def _created(field: str, value: Any) -> str:
    if isinstance(value, list) and len(value) > 4:
        return f"{field}: {len(value)} entries"
    shown: Sequence[Field] = fields(Change("create", "", "", None, {field: value}))
    if len(shown) > 4:
        return f"{field}: {len(value)} entries"
    return "; ".join(f"{path}: {_value(after)}" for path, _, after in shown) or f"{field}: {_value(value)}"


def _changed(path: str, before: Any, after: Any) -> str:
    if before is None:
        return f"{path}: + {_value(after)}"
    if after is None:
        return f"{path}: - {_value(before)}"
    return f"{path}: {_value(before)} → {_value(after)}"


def _value(value: Any) -> str:
    shown = value if isinstance(value, str) else canonical(value)
    return shown if len(shown) <= MOST_TEXT else shown[: MOST_TEXT - 1] + "…"
