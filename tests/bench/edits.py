"""What people do to a network that is planned: each edit takes a network and gives another one."""

from __future__ import annotations

import random
from typing import Any

from tests.bench.networks import Network


def one_rule(net: Network) -> Network:
    """One rule of a policy in one segment."""
    return _first_rule(net, 1)


def one_rule_everywhere(net: Network) -> Network:
    """One rule of a policy in all segments."""
    return _first_rule(net, len(net.of("segments")))


def connector_removed(net: Network) -> Network:
    other = net.copy()
    other.remove("connectors", _plain_connector(net)["name"])
    return other


def connector_added(net: Network) -> Network:
    other = net.copy()
    like = _plain_connector(net)["attachments"][0]
    exchange = net.of("exchanges")[0][0]
    attachment = {**like, "prefixes": ["192.168.77.0/24"]}
    other.add("connectors", {"name": "new", "kind": "lab-site", "exchange": exchange, "attachments": [attachment]})
    return other


def tenth_of_rules(net: Network) -> Network:
    """Every tenth rule, by chance, allows what it did not, or denies what it did."""
    other, chance = net.copy(), random.Random(10)
    for uid, body in net.of("policies"):
        rules = [_turned(rule) if chance.random() < 0.1 else rule for rule in body["rules"]]
        if rules != body["rules"]:
            other.edit("policies", uid, rules=rules)
    return other


EDITS = {
    "rule": one_rule,
    "rule-everywhere": one_rule_everywhere,
    "connector-removed": connector_removed,
    "connector-added": connector_added,
}


def _first_rule(net: Network, segments: int) -> Network:
    """Of the policy in the middle among those with so many segments, so that rules before it and after it count."""
    held = [uid for uid, body in net.of("policies") if len(body["segments"]) == segments and body["enabled"]]
    held.sort(key=lambda uid: net.rows[uid][4]["position"])
    uid = held[len(held) // 2]
    rules = net.rows[uid][4]["rules"]
    other = net.copy()
    other.edit("policies", uid, rules=[_turned(rules[0]), *rules[1:]])
    return other


def _turned(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "action": "allow" if rule["action"] == "deny" else "deny", "services": []}


def _plain_connector(net: Network) -> dict[str, Any]:
    """One that nothing names: a site in one segment, in a group."""
    named = {uid for kind in ("policies", "nat-rules", "route-policies") for uid in _connectors_named(net, kind)}
    return next(
        body
        for uid, body in net.of("connectors")
        if uid not in named
        and body["kind"] == "lab-site"
        and body["redundancy_group"] is None
        and len(body["attachments"]) == 1
        and body["attachments"][0]["group"]
        and body["attachments"][0]["prefixes"][0].startswith("10.")
    )


def _connectors_named(net: Network, kind: str) -> set[str]:
    found: set[str] = set()
    for _, body in net.of(kind):
        found |= {*body.get("from", ()), *body.get("to", ()), *body.get("targets", ()), body.get("connector", "")}
    return found
