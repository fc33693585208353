"""Random small networks with every kind of object, and a later version of each.

Prefixes overlap: longer ones inside another connector's, equal ones in both segments, twins with one prefix. Most of
the networks are valid; ``check_network`` says which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.core.random_groups import attachment_groups, group_fields, labels
from tests.core.sample_networks import IntentBuilder

sampled = st.sampled_from
SEGMENTS = ("corp", "part")
GROUPS = ("red", "blue")
SERVICES = ("fw", "ids")
POLICY_ACTIONS = ("allow", "deny", "inspect", "pass")
TIERS = ("mandatory", "standard", "standard", "baseline")
PORTS = (["22"], ["443"], ["8000-8100"], ["53", "443"])


class _YamlDumper(yaml.SafeDumper):
    """Writes shared lists out in full instead of as aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class GeneratedNetwork(IntentBuilder):
    """An IntentBuilder that keeps a log of its additions, edits and removals for failure messages."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.numbers: dict[str, int] = {}
        """Connector → the second octet of its prefixes."""
        self.homes: dict[str, str] = {}
        """Connector → its segment."""

    def add(self, kind: str, body: dict[str, Any]) -> str:
        uid = super().add(kind, body)
        self.log.append((kind, body))
        return uid

    def edit(self, kind: str, name: str, /, **fields: Any) -> None:
        super().edit(kind, name, **fields)
        self.log.append((f"edit {kind}", {"name": name, **fields}))

    def remove(self, kind: str, name: str) -> None:
        super().remove(kind, name)
        self.log.append((f"remove {kind}", {"name": name}))

    def copy(self) -> GeneratedNetwork:
        other = super().copy()
        other.numbers, other.homes = dict(self.numbers), dict(self.homes)
        return other

    def names(self, kind: str) -> list[str]:
        return [row[4]["name"] for row in self.rows.values() if row[0] == kind]

    def __repr__(self) -> str:
        """Return the log as YAML, one line for each operation."""
        lines = [f"{kind}: {yaml.dump(body, Dumper=_YamlDumper, default_flow_style=True, width=1000).strip()}"
                 for kind, body in self.log]  # fmt: skip
        return "\n" + "\n".join(lines)


@st.composite
def rules(draw: st.DrawFn, prefixes: list[str], actions: tuple[str, ...]) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "action": draw(sampled(actions)),
        "protocol": draw(sampled(("any", "tcp", "udp", "icmp", "icmpv6"))),
    }
    if rule["protocol"] in ("tcp", "udp"):
        rule["ports"] = draw(sampled((["any"], *PORTS)))
        rule["source_ports"] = draw(sampled((["any"], ["any"], ["any"], ["1024-4095"], ["32768-65535"])))
    if rule["protocol"] == "icmp":
        rule["icmp_types"] = draw(sampled((["any"], ["any"], ["echo-request"], ["timestamp-request", 3])))
    rule["dscp"] = draw(sampled((None, None, None, None, 0, "EF")))
    for side in ("source", "destination"):
        if draw(st.integers(0, 3)) == 0:
            rule[side] = draw(st.lists(sampled(prefixes), min_size=1, max_size=2, unique=True))
    if rule["action"] == "inspect":
        rule["services"] = draw(st.lists(sampled(SERVICES), min_size=1, max_size=2, unique=True))
    if actions is POLICY_ACTIONS:
        rule["mode"] = draw(sampled(("enforce", "enforce", "enforce", "monitor", "disabled")))
        rule["reject"] = draw(st.booleans())
    return rule


@st.composite
def networks(draw: st.DrawFn) -> GeneratedNetwork:
    net = GeneratedNetwork()
    net.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    net.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    for segment in SEGMENTS:
        net.add("segments", {"name": segment, "default_action": draw(sampled(("allow", "deny")))})
    for index, group in enumerate(GROUPS):
        net.add("groups", {"name": group, **draw(group_fields(GROUPS[:index]))})
    _connectors(draw, net)
    exits = _exits(draw, net)
    prefixes = used_prefixes(net)
    net.add("prefix-lists", {"name": "some", "entries": [{"prefix": draw(sampled(prefixes))}]})
    left_out = {"prefix": f"!{draw(sampled(prefixes))}"}
    net.add("prefix-lists", {"name": "others", "entries": [left_out], "contains": draw(sampled(([], ["some"])))})
    prefixes.append("some")
    for name in SERVICES:
        inner = draw(st.lists(rules(prefixes, ("allow", "deny")), max_size=2))
        exchanges = draw(sampled((["eu"], ["us"], ["eu", "us"])))
        net.add("services", {
            "name": name, "product": "linux-firewall", "segments": list(SEGMENTS),
            "placements": [{"exchange": exchange, "min_instances": draw(st.integers(1, 2))} for exchange in exchanges],
            "settings": {"default": draw(sampled(("allow", "allow", "deny"))), "rules": inner},
        })  # fmt: skip
    for index in range(draw(st.integers(0, 2))):
        net.add("shares", share(draw, net, index))
    _nat(draw, net)
    _routes(draw, net, prefixes)
    _apps(draw, net, exits)
    for index in range(draw(st.integers(0, 4))):
        net.add("policies", policy(draw, net, f"p{index}", 10 * index, prefixes))
    return net


def used_prefixes(net: GeneratedNetwork) -> list[str]:
    prefixes = [
        prefix
        for row in net.rows.values()
        if row[0] == "connectors"
        for attachment in row[4]["attachments"]
        for prefix in attachment["prefixes"]
    ]
    return list(dict.fromkeys([*prefixes, "10.0.0.0/14", "198.51.100.10/32"]))


def _connectors(draw: st.DrawFn, net: GeneratedNetwork) -> None:
    used: set[tuple[str, str]] = set()
    total = draw(st.integers(2, 5))
    for index in range(total):
        segment = draw(sampled((*SEGMENTS, "corp")))
        number = draw(sampled((index, index, index % 2)))
        inner = draw(sampled([other for other in range(total) if other != number]))
        candidates = [f"10.{number}.0.0/16"]
        candidates += [f"10.{inner}.7.0/24"] if draw(st.booleans()) else []
        candidates += [f"fd10:{number}::/48"] if draw(st.booleans()) else []
        candidates += [f"fd10:{inner}:7::/64"] if draw(st.integers(0, 3)) == 0 else []
        candidates += ["0.0.0.0/0"] if draw(st.integers(0, 3)) == 0 else []
        prefixes = [prefix for prefix in candidates if (segment, prefix) not in used]
        if not prefixes:
            continue
        used |= {(segment, prefix) for prefix in prefixes}
        name = f"s{index}"
        net.numbers[name], net.homes[name] = number, segment
        body: dict[str, Any] = {
            "name": name, "kind": draw(sampled(("lab-site", "lab-site", "remote-access"))),
            "exchange": draw(sampled(("eu", "us"))),
            "attachments": [{"segment": segment, **draw(attachment_groups(GROUPS)), "prefixes": prefixes}],
            "labels": draw(labels()),
        }  # fmt: skip
        if draw(st.integers(0, 3)) == 0:
            body["failover_exchange"] = "us" if body["exchange"] == "eu" else "eu"
        if len(prefixes) > 1 and draw(st.integers(0, 3)) == 0:
            others = [
                groups for groups in ([], *([group] for group in GROUPS)) if groups != body["attachments"][0]["groups"]
            ]
            body["attachments"].append(
                {"segment": segment, "groups": draw(sampled(others)), "prefixes": [prefixes.pop()]}
            )
        if draw(st.integers(0, 4)) == 0:
            body["redundancy_group"] = name
            twin = {**body, "name": f"{name}-twin", "preference": draw(sampled((50, 100, 200)))}
            if len(body["attachments"]) == 1:
                twin["attachments"] = [{**body["attachments"][0], **draw(attachment_groups(GROUPS))}]
            net.add("connectors", body)
            net.add("connectors", twin)
        else:
            net.add("connectors", body)


def _exits(draw: st.DrawFn, net: GeneratedNetwork) -> dict[str, str]:
    """Add internet exits; return segment → its exit."""
    exits = {}
    shared = draw(st.integers(0, 5)) == 0
    for segment in SEGMENTS:
        if shared or draw(st.integers(0, 2)) == 0:
            exits[segment] = "exit" if shared else f"exit-{segment}"
    for name in sorted(set(exits.values())):
        attachments = [{"segment": segment} for segment, exit_name in exits.items() if exit_name == name]
        body = {"name": name, "kind": "internet-exit", "attachments": attachments}
        net.add("connectors", {**body, "exchange": draw(sampled(("eu", "us")))})
    return exits


def share(draw: st.DrawFn, net: GeneratedNetwork, index: int) -> dict[str, Any]:
    def side(segment: str) -> dict[str, Any]:
        groups = draw(st.lists(sampled(GROUPS), max_size=2, unique=True))
        known = ["10.0.0.0/15", "10.0.7.0/24", "10.2.0.0/16", "10.1.0.0/24", "fd10::/16", "0.0.0.0/0"]
        prefixes = draw(st.lists(sampled(known), min_size=0 if groups else 1, max_size=1))
        return {"segment": segment, "groups": groups, "prefixes": prefixes}

    first, second = draw(sampled((SEGMENTS, SEGMENTS[::-1])))
    way_out = {"internet": draw(sampled((False, False, True)))}
    return {"name": f"sh{index}", "a": side(first), "b": {**side(second), **way_out},
            "direction": draw(sampled(("both", "a-to-b", "b-to-a"))),
            "services": draw(st.lists(sampled(SERVICES), max_size=1))}  # fmt: skip


def _nat(draw: st.DrawFn, net: GeneratedNetwork) -> None:
    bodies = {row[4]["name"]: row[4] for row in net.rows.values() if row[0] == "connectors"}
    for index, (name, number) in enumerate(sorted(net.numbers.items())):
        behind = [prefix for attachment in bodies[name]["attachments"] for prefix in attachment["prefixes"]]
        if bodies[name]["kind"] == "remote-access":
            continue  # Clients meet each other by presented addresses in the model only (docs/limits.md).
        kinds = [kind for kind in NAT if (f"fd10:{number}::/48" if kind == "six" else f"10.{number}.0.0/16") in behind]
        if kinds and draw(st.integers(0, 4)) == 0:
            for nth, kind in enumerate(draw(st.lists(sampled(kinds), min_size=1, max_size=3, unique=True))):
                net.add("nat-rules", {"name": f"{kind}-{name}", "segment": net.homes[name], "connector": name,
                                      "position": 10 * index + nth, **NAT[kind](number)})  # fmt: skip


def _outbound(match: dict[str, Any], kind: str, *prefixes: str) -> dict[str, Any]:
    return {"direction": "outbound", "match": match, "source": {"type": kind, "prefixes": list(prefixes)}}


def _inbound(match: dict[str, Any], to: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"direction": "inbound", "match": match, "destination": {"type": "static", **to}, **more}


NAT: dict[str, Callable[[int], dict[str, Any]]] = {
    "pool": lambda i: _outbound({"source": [f"10.{i}.0.0/16"]}, "pool", f"172.20.{i}.0/31", f"172.20.{i}.4/32"),
    "web": lambda i: _outbound(
        {"source": [f"10.{i}.0.0/16"], "protocol": "tcp", "ports": ["443"]}, "pool", f"172.24.{i}.0/32"
    ),
    "static": lambda i: _outbound({"source": [f"10.{i}.0.0/24"]}, "static", f"172.21.{i}.0/24"),
    "six": lambda i: _outbound({"source": [f"fd10:{i}::/64"]}, "static", f"fd20:{i}::/64"),
    "aside": lambda i: {
        "direction": "outbound", "match": {"destination": ["172.23.0.0/24"]},
        "destination": {"type": "static", "prefixes": [f"10.{(i + 1) % 3}.0.0/24"]},
    },
    "back": lambda i: _inbound({"destination": [f"172.21.{i}.0/24"]}, {"prefixes": [f"10.{i}.0.0/24"]}),
    "in": lambda i: _inbound(
        {"destination": [f"172.22.{i}.1/32"], "protocol": "tcp", "ports": ["443"]},
        {"prefixes": [f"10.{i}.7.7/32"], "port": 8443},
    ),
    "masked": lambda i: _inbound(
        {"destination": [f"172.22.{i}.2/32"]}, {"prefixes": [f"10.{i}.7.7/32"]},
        source={"type": "pool", "prefixes": ["192.168.0.0/30"]},
    ),
}  # fmt: skip
"""Kind of NAT rule → its body for the site with this second octet."""


def _routes(draw: st.DrawFn, net: GeneratedNetwork, prefixes: list[str]) -> None:
    for index in range(draw(st.integers(0, 3)) // 2):
        rule = {"match": {"prefixes": [draw(sampled(prefixes))]}, "action": "deny"}
        site = draw(sampled(sorted(net.numbers)))
        net.add("route-policies", {"name": f"r{index}", "segment": net.homes[site], "targets": [site],
                                   "direction": draw(sampled(("in", "out"))), "rules": [rule]})  # fmt: skip


def _apps(draw: st.DrawFn, net: GeneratedNetwork, exits: dict[str, str]) -> None:
    for index, (segment, way_in) in enumerate(exits.items()):
        near = sorted(name for name, home in net.homes.items() if home == segment)
        published: bool = bool(near) and draw(st.booleans())
        if published:
            target = draw(sampled(near))
            address = draw(sampled((f"10.{net.numbers[target]}.0.1", f"10.{net.numbers[target]}.9.9")))
            protocol, port, inner = draw(sampled((("tcp", 443, 8443), ("udp", 53, 53), ("tcp", 22, 22))))
            net.add("internet-apps", {"name": f"app{index}", "connector": way_in, "protocol": protocol, "port": port,
                                      "target": {"connector": target, "addresses": [address], "port": inner},
                                      "source_nat": draw(st.booleans())})  # fmt: skip


def policy(draw: st.DrawFn, net: GeneratedNetwork, name: str, position: int, prefixes: list[str]) -> dict[str, Any]:
    apps, sites = net.names("internet-apps"), list(net.numbers)
    start = draw(sampled((*GROUPS, "any", "internet", sites[0])))
    end = draw(sampled((*GROUPS, "any", "internet", sites[-1], *apps)))
    if apps and draw(st.integers(0, 3)) == 0:
        start, end = draw(sampled(("internet", "any"))), apps[0]
    listed = draw(st.lists(rules(prefixes, POLICY_ACTIONS), min_size=1, max_size=3))
    segments = draw(sampled((["corp"], ["part"], list(SEGMENTS))))
    apply_to = draw(sampled(("all", "all", "new")))
    return {"name": name, "position": position, "segments": segments, "from": [start], "to": [end], "rules": listed,
            "apply_to": apply_to, "tier": draw(sampled(TIERS))}  # fmt: skip


def nat_moves_between_connectors() -> tuple[GeneratedNetwork, GeneratedNetwork]:
    """Remove the last NAT rule of one site and add the first of another: both circuits move to other namespaces."""
    net = GeneratedNetwork()
    for exchange, location in (("eu", "aws-eu-central-1"), ("us", "aws-us-east-1")):
        net.add("exchanges", {"name": exchange, "location": location})
    net.add("segments", {"name": "corp", "default_action": "allow"})
    into = {"segment": "corp", "position": 10, "direction": "inbound"}
    rules = []
    for name, number in (("s0", 0), ("s1", 1)):
        homes = {"exchange": "eu", "failover_exchange": "us"}
        attachments = [{"segment": "corp", "prefixes": [f"10.{number}.0.0/16"]}]
        net.add("connectors", {"name": name, "kind": "lab-site", **homes, "attachments": attachments})
        to = {"type": "static", "prefixes": [f"10.{number}.0.1/32"]}
        match = {"destination": [f"172.22.{number}.2/32"]}
        rules.append({"name": f"into-{name}", **into, "connector": name, "match": match, "destination": to})
    net.add("nat-rules", rules[1])
    later = net.copy()
    later.remove("nat-rules", "into-s1")
    later.add("nat-rules", rules[0])
    return net, later


@st.composite
def network_versions(draw: st.DrawFn) -> tuple[GeneratedNetwork, GeneratedNetwork]:
    """Draw a network and a later version of it; the later one's log has only the edits."""
    before = draw(networks())
    after = before.copy()
    prefixes = [*used_prefixes(before), "some"]
    for _ in range(draw(st.integers(1, 3))):
        _random_edit(draw, after, prefixes)
    return before, after


def _random_edit(draw: st.DrawFn, net: GeneratedNetwork, prefixes: list[str]) -> None:
    edit = draw(
        sampled(("default_action", "rules", "policy", "groups", "selector", "share", "nat", "route", "service", "site"))
    )
    if edit == "default_action":
        net.edit("segments", draw(sampled(SEGMENTS)), default_action=draw(sampled(("allow", "deny"))))
    elif edit == "rules" and (names := net.names("policies")):
        listed = draw(st.lists(rules(prefixes, POLICY_ACTIONS), min_size=1, max_size=2))
        net.edit("policies", draw(sampled(names)), rules=listed)
    elif edit == "policy":
        count = len(net.names("policies"))
        position = 5 + 10 * draw(st.integers(0, 4))
        if f"late{count}" not in net.names("policies") and position not in {
            row[4]["position"] for row in net.rows.values() if row[0] == "policies"
        }:
            net.add("policies", policy(draw, net, f"late{count}", position, prefixes))
    elif edit == "selector":
        net.edit("groups", GROUPS[1], **draw(group_fields(GROUPS[:1])))
    elif edit == "groups":
        name = draw(sampled(sorted(net.numbers)))
        body = next(row[4] for row in net.rows.values() if row[0] == "connectors" and row[4]["name"] == name)
        first, *others = body["attachments"]
        taken = {tuple(attachment["groups"]) for attachment in others}
        groups = draw(attachment_groups(GROUPS))["groups"]
        if tuple(net.uid_of("groups", group) for group in groups) in taken:
            return
        attachments = [{**first, "groups": groups}, *others]
        net.edit("connectors", name, attachments=attachments)
    elif edit == "service":
        inner = draw(st.lists(rules(prefixes, ("allow", "deny")), max_size=2))
        net.edit("services", draw(sampled(SERVICES)), settings={"default": "allow", "rules": inner})
    elif edit == "site" and "late" not in net.names("connectors"):
        net.numbers["late"], net.homes["late"] = 3, "corp"
        attachment = {"segment": "corp", **draw(attachment_groups(GROUPS)), "prefixes": ["10.0.0.0/24"]}
        net.add("connectors", {"name": "late", "kind": "lab-site", "exchange": "eu", "attachments": [attachment]})
    elif edit in ("share", "nat", "route"):
        kind = {"share": "shares", "nat": "nat-rules", "route": "route-policies"}[edit]
        if names := net.names(kind):
            net.remove(kind, draw(sampled(names)))
