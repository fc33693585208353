"""Bodies of sections as releases before the present version of the node document wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def previous_body(kind: str, body: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return a body as an earlier version wrote it; none of its rules names what that version does not know."""
    old = {**body, "version": version}
    if version == 2:
        return old
    if kind == "exchange.segment":
        old["members"] = [_with_group(member) for member in body["members"]]
        old["rules"] = [_without_tier(rule) for rule in body["rules"]]
        old["peer_rules"] = {
            segment: {**peer, "rules": [_without_tier(rule) for rule in peer["rules"]]}
            for segment, peer in body["peer_rules"].items()
        }
    elif kind == "exchange.connector":
        old["links"] = [
            {**link, "nat_rules": [_with_protocol(rule) for rule in link["nat_rules"]]} for link in body["links"]
        ]
    elif kind == "exchange.instance":
        old["rules"] = [_with_protocol(rule) for rule in body["rules"]]
    return old


def _with_group(member: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in member.items() if name != "groups"}
    return {**kept, "group": next(iter(member["groups"]), None)}


def _without_tier(rule: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in rule.items() if name not in ("tier", "mode", "reject")}
    return _with_protocol({**kept, "action": "watch"} if rule["mode"] == "monitor" else kept)


def _with_protocol(rule: Mapping[str, Any]) -> dict[str, Any]:
    [part] = rule["l4"]
    return {name: value for name, value in rule.items() if name != "l4"} | part
