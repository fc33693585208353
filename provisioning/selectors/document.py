"""The whole network as one document: for the API, for keeping under version control, for carrying to another tenant.

References are told by name where one name can mean only one thing, and fields are in the order of their types, the
name first; so the same network is the same text, whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from provisioning.core import intent as core
from provisioning.selectors import networks
from provisioning.selectors.content import Content
from provisioning.selectors.views import Row, View

Order = dict[str, "Order"]
_IDENTITY = ("uid", "number", "key")
_WORDS = ("name", "description")
"""Fields that are words of people, whatever they look like."""


def document(view: View, *, ids: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Kind → objects by name."""
    content = networks.content(view)
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in core.KINDS}
    called = _Called(content)
    for row in sorted(content, key=lambda row: (row.name, row.number)):
        body = arranged(row.kind, called.by_name(row))
        found[row.kind].append({"id": row.uid, **body} if ids else body)
    return found


def named(view: View, kind: str, uids: Iterable[str]) -> list[dict[str, Any]]:
    """These objects of one kind, references by name."""
    content = networks.content(view)
    called = _Called(content)
    return [arranged(kind, called.by_name(content.entries[kind][uid].row)) for uid in uids]


def arranged(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its fields in the order of their types, at every depth; settings are by letter."""
    return _arranged(body, _orders()[kind])


def _arranged(value: Any, order: Order) -> Any:
    if isinstance(value, Mapping):
        known = [field for field in order if field in value]
        more = sorted(value.keys() - order.keys()) if len(known) < len(value) else ()
        return {field: _arranged(value[field], order.get(field, {})) for field in (*known, *more)}
    return [_arranged(one, order) for one in value] if isinstance(value, list) else value


@cache
def _orders() -> dict[str, Order]:
    hints = get_type_hints(core.Intent)
    return {kind: _order(hints[kind.replace("-", "_")]) for kind in core.KINDS}


def _order(of: Any) -> Order:
    """Fields of the dataclass somewhere in a type, with their own fields."""
    if is_dataclass(of):
        hints = get_type_hints(of)
        return {one.name.rstrip("_"): _order(hints[one.name]) for one in fields(of) if one.name not in _IDENTITY}
    found: Order = {}
    for inner in get_args(of):
        found = found or _order(inner)
    return found


class _Called:
    """What the objects of a content are called where others name them."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}

    def by_name(self, row: Row) -> dict[str, Any]:
        kinds: dict[str, list[str]] = {}
        for kind, uid in core.object_references(row.kind, row.body):
            kinds.setdefault(uid, []).append(kind)
        if not kinds:
            return row.body
        names = {uid: self._name(uid, tuple(sorted(of))) for uid, of in kinds.items()}
        return {field: value if field in _WORDS else _told(value, names) for field, value in row.body.items()}

    def _name(self, uid: str, kinds: tuple[str, ...]) -> str:
        """Its name where no other object that could be meant has it, and it could not be taken for an id or a word."""
        if (uid, kinds) not in self._known:
            row = next((held for kind in kinds if (held := self.content.get(kind, uid))), None)
            called = row.name if row else uid
            meant = {found for kind in kinds if (found := self.content.resolve()(kind, called))}
            clear = meant == {uid} and called not in (core.ANY, core.INTERNET)
            clear = clear and not ("prefix-lists" in kinds and core.is_prefix(called))
            self._known[uid, kinds] = called if clear else uid
        return self._known[uid, kinds]


def _told(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {field: inner if field in _WORDS else _told(inner, names) for field, inner in value.items()}
    return [_told(one, names) for one in value] if isinstance(value, list) else value
