"""The whole network as one document: for the API, for keeping under version control, for carrying to another tenant.

References are told by name where one name can mean only one thing, and fields are in the order people write them, the
name first; so the same network is the same text, whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from provisioning.core import intent as core
from provisioning.selectors import networks
from provisioning.selectors.content import Content
from provisioning.selectors.views import Row, View

ORDER = (
    *("id", "name", "description", "location", "stance", "kind", "exchange", "product", "failover_exchange"),
    *("segment", "connector", "position", "redundancy_group", "preference", "entries", "prefix", "ge", "le", "size"),
    *("enabled", "apply_to", "segments", "a", "b", "direction", "targets", "group", "groups", "from", "to"),
    *("match", "action", "services", "protocol", "port", "ports", "public_ip", "source", "destination"),
    *("type", "addresses", "target", "source_nat", "prefixes", "color", "as_path", "set", "prepend", "med"),
    *("local_preference", "communities", "license", "on_failure", "placements", "min_instances", "max_instances"),
    *("zones", "rules", "attachments", "circuits", "node", "role", "local", "peer", "vlan", "bgp", "peer_asn", "bfd"),
    *("route_limit", "expect", "settings", "billing_tags"),
)
"""Fields as a person would write them down; those that are not here follow by letter (settings)."""

_PLACE = {field: place for place, field in enumerate(ORDER)}
_WORDS = ("name", "description")
"""Fields that are words of people, whatever they look like."""


def document(view: View, *, ids: bool = True) -> dict[str, list[dict[str, Any]]]:
    """Kind → objects by name."""
    content = networks.content(view)
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in core.KINDS}
    called = _Called(content)
    for row in sorted(content, key=lambda row: (row.name, row.number)):
        body = arranged(called.by_name(row))
        found[row.kind].append({"id": row.uid, **body} if ids else body)
    return found


def named(view: View, kind: str, uids: Iterable[str]) -> list[dict[str, Any]]:
    """These objects of one kind, references by name."""
    content = networks.content(view)
    called = _Called(content)
    return [arranged(called.by_name(content.entries[kind][uid].row)) for uid in uids]


def arranged(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its fields in order, at every depth."""
    return {field: _arranged(body[field]) for field in _ordered(tuple(body))}


@lru_cache(1000)
def _ordered(fields: tuple[str, ...]) -> list[str]:
    return sorted(fields, key=lambda one: (_PLACE.get(one, len(ORDER)), one))


def _arranged(value: Any) -> Any:
    if isinstance(value, dict):
        return arranged(value)
    return [_arranged(one) for one in value] if isinstance(value, list) else value


class _Called:
    """What the objects of a content are called where others name them."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}

    def by_name(self, row: Row) -> dict[str, Any]:
        kinds: dict[str, list[str]] = {}
        for kind, uid in core.references_of(row.kind, row.body):
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
