"""Bodies of sections as releases before the present version of the node document wrote them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def previous_body(kind: str, body: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return a body as an earlier version wrote it; none of its rules names what that version does not know."""
    old = _with_rules(kind, body, _without_first_packet)
    if version == 1:
        old = _with_rules(kind, old, _without_tier)
        if kind == "exchange.segment":
            old["members"] = [_with_group(member) for member in body["members"]]
    return {**old, "version": version}


def _with_rules(kind: str, body: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Any]) -> dict[str, Any]:
    changed = dict(body)
    if kind in ("exchange.segment", "exchange.instance"):
        changed["rules"] = [change(rule) for rule in body["rules"]]
    if kind == "exchange.segment":
        changed["peer_rules"] = {
            segment: {**peer, "rules": [change(rule) for rule in peer["rules"]]}
            for segment, peer in body["peer_rules"].items()
        }
    if kind == "exchange.connector":
        changed["links"] = [
            {**link, "nat_rules": [change(rule) for rule in link["nat_rules"]]} for link in body["links"]
        ]
    return changed


def _without_first_packet(rule: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in rule.items() if name not in ("source_ports", "dscp")}
    parts = [{name: value for name, value in part.items() if name != "icmp_types"} for part in rule["l4"]]
    return {**kept, "l4": parts}


def _with_group(member: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in member.items() if name != "groups"}
    return {**kept, "group": next(iter(member["groups"]), None)}


def _without_tier(rule: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in rule.items() if name not in ("tier", "mode", "reject")}
    return _with_protocol({**kept, "action": "watch"} if rule.get("mode") == "monitor" else kept)


def _with_protocol(rule: Mapping[str, Any]) -> dict[str, Any]:
    [part] = rule["l4"]
    return {name: value for name, value in rule.items() if name != "l4"} | part
