"""The fields of a change, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provisioning.core.resource import Change

KNOWN_LATER = "(known after apply)"
ABSENT: Any = None
Field = tuple[str, Any, Any]
"""path, before, after; None where there is nothing."""

_NAMES = ("id", "connector", "node", "circuit", "name", "segment")
"""Fields that tell the objects of a list apart, the best first."""


LONG = 20
"""Of what comes or goes, longer lists and tables are told by their number."""


def fields(change: Change) -> list[Field]:
    """Every field that differs. Objects in lists are told apart by name, plain lists by what they hold.

    Of what comes or goes as a whole these are its own fields, as they are.
    """
    if change.before is None:
        return [(path, ABSENT, _short(value)) for path, value in sorted((change.after or {}).items())]
    if change.after is None:
        return [(path, _short(value), ABSENT) for path, value in sorted(change.before.items())]
    return [(path, _shown(before), _shown(after)) for path, before, after in _walk("", change.before, change.after)]


def _short(value: Any) -> Any:
    if isinstance(value, list | tuple | Mapping) and len(value) > LONG:
        return f"{len(value)} entries"
    return _shown(value)


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"ref", "attr"}:
            return KNOWN_LATER
        return {key: _shown(inner) for key, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, list | tuple) else value


def _is_reference(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"ref", "attr"}


def _walk(path: str, before: Any, after: Any) -> Iterator[Field]:
    if before is after or before == after:
        return
    if _is_object(before) and _is_object(after):
        for key in sorted({*(before or ()), *(after or ())}):
            inner = f"{path}.{key}" if path else key
            yield from _walk(inner, (before or {}).get(key), (after or {}).get(key))
    elif _is_list(before) and _is_list(after):
        yield from _lists(path, list(before or ()), list(after or ()))
    else:
        yield path, before, after


def _is_object(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and not _is_reference(value))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _lists(path: str, before: list[Any], after: list[Any]) -> Iterator[Field]:
    olds, news = _by_name(before), _by_name(after)
    if olds is not None and news is not None:
        for name in dict.fromkeys((*olds, *news)):
            yield from _whole_or_walk(f"{path}[{name}]", olds.get(name), news.get(name))
        shared = [name for name in olds if name in news]
        if shared != [name for name in news if name in olds]:
            yield f"{path} (order)", list(olds), list(news)
        return
    if any(isinstance(item, Mapping) for item in (*before, *after)):
        yield path, before, after
        return
    gone = [item for item in before if item not in after]
    new = [item for item in after if item not in before]
    yield from ((f"{path}[]", item, ABSENT) for item in gone)
    yield from ((f"{path}[]", ABSENT, item) for item in new)
    if not gone and not new:
        yield path, before, after


def _whole_or_walk(path: str, before: Any, after: Any) -> Iterator[Field]:
    """An object of a list that comes or goes is one line, one that stays shows what differs in it."""
    if before is None or after is None:
        yield path, before, after
    else:
        yield from _walk(path, before, after)


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """The objects of a list by the first field that names each of them; None where none does."""
    if not all(isinstance(item, Mapping) for item in items):
        return None
    for field in _NAMES:
        names = [item.get(field) for item in items]
        if len(set(map(str, names))) == len(items) and all(isinstance(name, str) for name in names):
            return dict(zip(map(str, names), items, strict=True))
    return None
