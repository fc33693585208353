"""Edits that benchmarks plan: each takes a network and returns another one."""

from __future__ import annotations

import random
from typing import Any

from tests.bench.generated_networks import BenchNetwork


def flip_one_rule(network: BenchNetwork) -> BenchNetwork:
    """Flip the action of one rule of a policy in one segment."""
    return _flip_first_rule(network, 1)


def flip_one_rule_everywhere(network: BenchNetwork) -> BenchNetwork:
    """Flip the action of one rule of a policy in all segments."""
    return _flip_first_rule(network, len(network.of("segments")))


def remove_connector(network: BenchNetwork) -> BenchNetwork:
    other = network.copy()
    other.remove("connectors", _plain_connector(network)["name"])
    return other


def add_connector(network: BenchNetwork) -> BenchNetwork:
    other = network.copy()
    like = _plain_connector(network)["attachments"][0]
    exchange = network.of("exchanges")[0][0]
    attachment = {**like, "prefixes": ["192.168.77.0/24"]}
    other.add("connectors", {"name": "new", "kind": "lab-site", "exchange": exchange, "attachments": [attachment]})
    return other


def edit_selector(network: BenchNetwork) -> BenchNetwork:
    """Let one group select by another label."""
    groups = [(uid, body) for uid, body in network.of("groups") if body["selector"]]
    (uid, _), (_, other_body) = groups[len(groups) // 2], groups[len(groups) // 2 + 3]
    other = network.copy()
    other.edit("groups", uid, selector=other_body["selector"])
    return other


def flip_tenth_of_rules(network: BenchNetwork) -> BenchNetwork:
    """Flip the action of one in ten rules, chosen at random."""
    other, rng = network.copy(), random.Random(10)
    for uid, body in network.of("policies"):
        rules = [_flip_action(rule) if rng.random() < 0.1 else rule for rule in body["rules"]]
        if rules != body["rules"]:
            other.edit("policies", uid, rules=rules)
    return other


EDITS = {
    "rule": flip_one_rule,
    "rule-everywhere": flip_one_rule_everywhere,
    "connector-removed": remove_connector,
    "connector-added": add_connector,
}
LABELLED_EDITS = {**EDITS, "selector": edit_selector}
"""Of networks whose groups have selectors."""


def _flip_first_rule(network: BenchNetwork, segments: int) -> BenchNetwork:
    """Flip the first rule of the middle policy with so many segments, so that rules precede and follow it."""
    policies = [uid for uid, body in network.of("policies") if len(body["segments"]) == segments and body["enabled"]]
    policies.sort(key=lambda uid: network.rows[uid][4]["position"])
    uid = policies[len(policies) // 2]
    rules = network.rows[uid][4]["rules"]
    other = network.copy()
    other.edit("policies", uid, rules=[_flip_action(rules[0]), *rules[1:]])
    return other


def _flip_action(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "action": "allow" if rule["action"] == "deny" else "deny", "services": []}


def _plain_connector(network: BenchNetwork) -> dict[str, Any]:
    """Return a site in one segment and one group that no policy or NAT rule names."""
    named = {uid for kind in ("policies", "nat-rules", "route-policies") for uid in _connectors_named(network, kind)}
    return next(
        body
        for uid, body in network.of("connectors")
        if uid not in named
        and body["kind"] == "lab-site"
        and body["redundancy_group"] is None
        and len(body["attachments"]) == 1
        and body["attachments"][0]["groups"]
        and body["attachments"][0]["prefixes"][0].startswith("10.")
    )


def _connectors_named(network: BenchNetwork, kind: str) -> set[str]:
    names: set[str] = set()
    for _, body in network.of(kind):
        names |= {*body.get("from", ()), *body.get("to", ()), *body.get("targets", ()), body.get("connector", "")}
    return names
