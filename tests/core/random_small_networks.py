"""Random small networks whose prefixes and rules overlap, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.core.random_groups import group_fields, labels
from tests.core.random_header_fields import narrowing_fields
from tests.core.sample_networks import IntentBuilder, policy, site

many_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)


PREFIXES = ["10.0.0.0/14", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.128/25", "10.1.0.0/16", "10.2.0.0/16", "0.0.0.0/0"]
ADDRESSES = ["10.0.0.1", "10.0.1.1", "10.0.1.129", "10.1.0.1", "10.1.0.2", "10.2.0.1", "10.3.0.1", "8.8.8.8", "9.0.0.0"]
PORTS = ["22", "80", "80-90", "443", "8000-8100"]

anything = st.sampled_from


@st.composite
def rules(draw: st.DrawFn, actions: list[str], services: list[str]) -> dict[str, Any]:
    protocol = draw(anything(["any", "tcp", "udp", "icmp", 47]))
    rule: dict[str, Any] = {"action": draw(anything(actions)), "protocol": protocol}
    if "pass" in actions:
        rule["mode"] = draw(anything(["enforce", "enforce", "enforce", "monitor", "disabled"]))
    if protocol in ("tcp", "udp"):
        rule["ports"] = draw(st.lists(anything(PORTS), max_size=2)) or ["any"]
    rule |= draw(narrowing_fields(protocol))
    for side in ("source", "destination"):
        rule[side] = draw(st.lists(anything([*PREFIXES[1:6], "8.8.8.8/32"]), max_size=2)) or ["any"]
    if rule["action"] == "inspect":
        rule["services"] = draw(st.lists(anything(services), min_size=1, unique=True))
    return rule


@st.composite
def small_networks(draw: st.DrawFn) -> IntentBuilder:
    """Draw a small network whose prefixes and rules overlap."""
    net = IntentBuilder()
    net.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    net.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    for segment in ("corp", "guest"):
        net.add("segments", {"name": segment, "default_action": draw(anything(["allow", "deny"]))})
    net.add("groups", {"name": "red"})
    net.add("groups", {"name": "blue", **draw(group_fields(["red"]))})
    for name in ("fw", "ids"):
        inner = draw(st.lists(rules(["allow", "deny"], []), max_size=2))
        config = {"default": draw(anything(["allow", "deny"])), "rules": inner}
        base = {"name": name, "product": "linux-firewall", "segments": ["corp", "guest"], "settings": config}
        net.add("services", {**base, "placements": [{"exchange": "eu", "min_instances": 2}]})
    sites = draw(st.lists(st.lists(anything(PREFIXES), min_size=1, max_size=2, unique=True), min_size=1, max_size=4))
    for index, prefixes in enumerate(sites):
        member_group: str | None = draw(anything(["red", "blue", None]))
        segment = draw(anything(["corp", "corp", "guest"]))
        body = site(f"s{index}", draw(anything(["eu", "us"])), member_group, *prefixes, segment=segment)
        body["kind"] = draw(anything(["lab-site", "lab-site", "remote-access"]))
        net.add("connectors", {**body, "labels": draw(labels()), "preference": draw(anything([100, 200]))})
    if draw(st.booleans()):
        way_out = {"kind": "internet-exit", "exchange": "us", "attachments": [{"segment": "corp"}]}
        net.add("connectors", {"name": "exit", **way_out})
    ends = anything(["red", "blue", "any", "internet", "s0"])
    for index in range(draw(st.integers(0, 3))):
        listed = draw(st.lists(rules(["allow", "deny", "inspect", "pass"], ["fw", "ids"]), max_size=3))
        body = policy(f"p{index}", draw(st.integers(0, 30)) * 4 + index, draw(ends), draw(ends), *listed)
        tier = draw(anything(["mandatory", "standard", "standard", "baseline"]))
        net.add("policies", {**body, "tier": tier, "segments": draw(anything([["corp"], ["corp", "guest"]]))})
    return net


@st.composite
def edited_small_networks(draw: st.DrawFn) -> tuple[IntentBuilder, IntentBuilder]:
    """Draw a network and a later version of it; objects that stay keep their uids."""
    before = draw(small_networks())
    after = before.copy()
    names = {kind: [row[4]["name"] for row in before.rows.values() if row[0] == kind] for kind in ("policies",)}
    for _ in range(draw(st.integers(1, 3))):
        edit = draw(anything(["default_action", "rules", "group", "prefixes", "disable", "remove", "add"]))
        if edit == "default_action":
            after.edit("segments", "corp", default_action=draw(anything(["allow", "deny"])))
        elif edit == "rules" and names["policies"]:
            listed = draw(st.lists(rules(["allow", "deny", "inspect"], ["fw", "ids"]), max_size=2))
            after.edit("policies", draw(anything(names["policies"])), rules=listed)
        elif edit in ("group", "prefixes"):
            group = draw(anything(["red", "blue", None]))
            prefixes = draw(st.lists(anything(PREFIXES), min_size=1, max_size=2, unique=True))
            after.edit("connectors", "s0", attachments=site("", "eu", group, *prefixes)["attachments"])
        elif edit == "disable":
            after.edit("connectors", "s0", enabled=draw(st.booleans()))
        elif edit == "add" and after.resolve("connectors", "new") is None:
            after.add("connectors", site("new", "eu", "red", draw(anything(PREFIXES))))
    return before, after
