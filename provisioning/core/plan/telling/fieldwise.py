"""Changes told field by field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from provisioning.core.plan.fields import KNOWN_LATER, fields
from provisioning.core.plan.telling.addresses import few
from provisioning.core.resource import Body, Change, canonical

MOST_TEXT = 160


def created(body: Body) -> Iterator[str]:
    found = fields(Change("create", "", "", None, body))
    yield from (f"{path}: {value(after)}" for path, _, after in found if after != KNOWN_LATER)
    if later := [path for path, _, after in found if after == KNOWN_LATER]:
        yield f"{', '.join(later)}: {KNOWN_LATER}"


def changed(before: Body, after: Body) -> Iterator[str]:
    """A line for each field; what a plain list gains and loses is one line."""
    found = fields(Change("change", "", "", before, after))
    for path, some in groupby(found, key=lambda field: field[0]):
        if path.endswith("[]"):
            pairs = list(some)
            come, gone = (
                [value(new) for _, _, new in pairs if new is not None],
                [value(old) for _, old, _ in pairs if old is not None],
            )
            yield f"{path.removesuffix('[]')}: {plus_minus(come, gone)}"
        else:
            yield from (f"{path}: {_difference(old, new)}" for _, old, new in some)


def _difference(old: Any, new: Any) -> str:
    if old is None:
        return f"+ {value(new)}"
    return f"- {value(old)}" if new is None else f"{value(old)} → {value(new)}"


def plus_minus(come: list[str], gone: list[str]) -> str:
    return " ".join(f"{sign} {few(some)}" for sign, some in (("+", come), ("-", gone)) if some)


def value(found: Any) -> str:
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return few(found) or "none"
    shown = found if isinstance(found, str) else canonical(found)
    return shown if len(shown) <= MOST_TEXT else shown[: MOST_TEXT - 1] + "…"
