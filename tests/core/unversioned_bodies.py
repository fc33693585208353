"""Bodies of sections as releases before versions of the node document wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "imported_members": "guests", "deciding_peers": "handover", "shares": "passages", "peer_rules": "foreign",
    "bogons": "private", "address_sets": "sets", "filtered_routes": "blind", "anchor_class": "class",
}  # fmt: skip
"""Name of a field → the name it had."""


def unversioned_body(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    old: dict[str, Any] = _rename({name: value for name, value in body.items() if name not in ("version", "nodes")})
    if kind == "exchange.segment":
        old["stance"] = {"allow": "open", "deny": "closed"}[old.pop("default_action")]
        old["mesh"] = [{**peer, "location": body["nodes"][peer["node"]]} for peer in old["mesh"]]
    elif kind == "exchange.instance":
        old["default"] = old.pop("default_action")
    return old


def _rename(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_rename(item) for item in value]
    if isinstance(value, Mapping):
        return {_NAMES.get(name, name): _rename(inner) for name, inner in value.items()}
    return value
