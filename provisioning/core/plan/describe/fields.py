"""Changes told field by field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from provisioning.core.plan.describe.addresses import format_list
from provisioning.core.plan.field_changes import KNOWN_AFTER_APPLY, changed_fields
from provisioning.core.values.resource import Body, Change, canonical_json

MAX_VALUE_LENGTH = 160


def describe_created(body: Body) -> Iterator[str]:
    found = changed_fields(Change("create", "", "", None, body))
    yield from (f"{path}: {format_value(after)}" for path, _, after in found if after != KNOWN_AFTER_APPLY)
    if later := [path for path, _, after in found if after == KNOWN_AFTER_APPLY]:
        yield f"{', '.join(later)}: {KNOWN_AFTER_APPLY}"


def describe_changed(before: Body, after: Body) -> Iterator[str]:
    """A line for each field; what a plain list gains and loses is one line."""
    found = changed_fields(Change("change", "", "", before, after))
    for path, some in groupby(found, key=lambda field: field[0]):
        if path.endswith("[]"):
            pairs = list(some)
            come, gone = (
                [format_value(new) for _, _, new in pairs if new is not None],
                [format_value(old) for _, old, _ in pairs if old is not None],
            )
            yield f"{path.removesuffix('[]')}: {format_plus_minus(come, gone)}"
        else:
            yield from (f"{path}: {_format_difference(old, new)}" for _, old, new in some)


def _format_difference(old: Any, new: Any) -> str:
    if old is None:
        return f"+ {format_value(new)}"
    return f"- {format_value(old)}" if new is None else f"{format_value(old)} → {format_value(new)}"


def format_plus_minus(come: list[str], gone: list[str]) -> str:
    return " ".join(f"{sign} {format_list(some)}" for sign, some in (("+", come), ("-", gone)) if some)


def format_value(found: Any) -> str:
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return format_list(found) or "none"
    shown = found if isinstance(found, str) else canonical_json(found)
    return shown if len(shown) <= MAX_VALUE_LENGTH else shown[: MAX_VALUE_LENGTH - 1] + "…"
