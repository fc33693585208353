"""The fields of a change, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.core.values.resource import Change

KNOWN_AFTER_APPLY = "(known after apply)"
ABSENT: Any = None
FieldChange = tuple[str, Any, Any]
"""(path, before, after); None where there is nothing."""

_LIST_KEYS = ("id", "connector", "node", "circuit", "name", "segment")
"""Fields that tell the objects of a list apart, the best first."""

MAX_ENTRIES = 20
"""Of what is added or removed as a whole, longer lists and tables are shown by their length."""


def changed_fields(change: Change) -> list[FieldChange]:
    """Return every field that differs. Objects in lists are told apart by name, plain lists by their items.

    Of what is added or removed as a whole, return its own fields as they are.
    """
    if change.before is None:
        return [(path, ABSENT, _summarise(value)) for path, value in sorted((change.after or {}).items())]
    if change.after is None:
        return [(path, _summarise(value), ABSENT) for path, value in sorted(change.before.items())]
    return [
        (path, _display_value(before), _display_value(after))
        for path, before, after in _diff_values("", change.before, change.after)
    ]


def _summarise(value: Any) -> Any:
    if isinstance(value, list | tuple | Mapping) and len(value) > MAX_ENTRIES:
        return f"{len(value)} entries"
    return _display_value(value)


def _display_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"ref", "attr"}:
            return KNOWN_AFTER_APPLY
        return {key: _display_value(inner) for key, inner in value.items()}
    return [_display_value(inner) for inner in value] if isinstance(value, list | tuple) else value


def _is_reference(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"ref", "attr"}


def _diff_values(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if before is after or before == after:
        return
    if _is_object(before) and _is_object(after):
        for key in sorted({*(before or ()), *(after or ())}):
            inner = f"{path}.{key}" if path else key
            yield from _diff_values(inner, (before or {}).get(key), (after or {}).get(key))
    elif _is_list(before) and _is_list(after):
        yield from _diff_lists(path, list(before or ()), list(after or ()))
    else:
        yield path, before, after


def _is_object(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and not _is_reference(value))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _diff_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[FieldChange]:
    olds, news = _key_by_name(before), _key_by_name(after)
    if olds is not None and news is not None:
        for name in dict.fromkeys((*olds, *news)):
            yield from _diff_list_object(f"{path}[{name}]", olds.get(name), news.get(name))
        shared = [name for name in olds if name in news]
        if shared != [name for name in news if name in olds]:
            yield f"{path} (order)", list(olds), list(news)
        return
    if any(isinstance(item, Mapping) for item in (*before, *after)):
        yield path, before, after
        return
    removed = [item for item in before if item not in after]
    added = [item for item in after if item not in before]
    yield from ((f"{path}[]", item, ABSENT) for item in removed)
    yield from ((f"{path}[]", ABSENT, item) for item in added)
    if not removed and not added:
        yield path, before, after


def _diff_list_object(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """Yield one change for an object that is added or removed; for one that stays, what differs in it."""
    if before is None or after is None:
        yield path, before, after
    else:
        yield from _diff_values(path, before, after)


def _key_by_name(items: list[Any]) -> dict[str, Any] | None:
    """Return the objects of a list by the first field that names each of them; None where none does."""
    if not all(isinstance(item, Mapping) for item in items):
        return None
    for field in _LIST_KEYS:
        names = [item.get(field) for item in items]
        if len(set(map(str, names))) == len(items) and all(isinstance(name, str) for name in names):
            return dict(zip(map(str, names), items, strict=True))
    return None
