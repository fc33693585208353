"""Changes described field by field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from provisioning.core.plan.describe.addresses import format_list
from provisioning.core.plan.field_changes import KNOWN_AFTER_APPLY, changed_fields
from provisioning.core.values.resource import Body, Change, canonical_json

MAX_VALUE_LENGTH = 160


def describe_fields(before: Body | None, after: Body) -> Iterator[str]:
    return _describe_created(after) if before is None else describe_changed(before, after)


def _describe_created(body: Body) -> Iterator[str]:
    created = changed_fields(Change("create", "", "", None, body))
    yield from (f"{path}: {format_value(after)}" for path, _, after in created if after != KNOWN_AFTER_APPLY)
    if later := [path for path, _, after in created if after == KNOWN_AFTER_APPLY]:
        yield f"{', '.join(later)}: {KNOWN_AFTER_APPLY}"


def describe_changed(before: Body, after: Body) -> Iterator[str]:
    """Yield a line for each field; what a plain list gains and loses is one line."""
    changed = changed_fields(Change("change", "", "", before, after))
    for path, group in groupby(changed, key=lambda field: field[0]):
        if path.endswith("[]"):
            items = list(group)
            added = [format_value(new) for _, _, new in items if new is not None]
            removed = [format_value(old) for _, old, _ in items if old is not None]
            yield f"{path.removesuffix('[]')}: {format_plus_minus(added, removed)}"
        else:
            yield from (f"{path}: {_format_difference(old, new)}" for _, old, new in group)


def _format_difference(old: Any, new: Any) -> str:
    if old is None:
        return f"+ {format_value(new)}"
    return f"- {format_value(old)}" if new is None else f"{format_value(old)} → {format_value(new)}"


def format_plus_minus(added: list[str], removed: list[str]) -> str:
    return " ".join(f"{sign} {format_list(items)}" for sign, items in (("+", added), ("-", removed)) if items)


def format_value(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return format_list(value) or "none"
    text = value if isinstance(value, str) else canonical_json(value)
    return text if len(text) <= MAX_VALUE_LENGTH else text[: MAX_VALUE_LENGTH - 1] + "…"
