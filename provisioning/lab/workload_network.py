"""What a workload's network stack is told: addresses, and a way over each circuit that is there.

A default route over the active circuit and others over the standby ones, and for each segment a table of its own, since
segments may use the same addresses; what route policies keep from the site has no way in it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from pyroute2 import IPRoute

from provisioning.agent import nft, ranges
from provisioning.agent.fwmarks import ipv6_counterpart, ipv6_link_local
from provisioning.agent.netlink import ROUTE_PROTOCOL
from provisioning.agent.parsed_segment import ParsedCircuit

ACTIVE_METRIC, STANDBY_METRIC = 10, 20
SOURCE_RULE_PRIORITY = 500
APPLICATION_RULE_PRIORITY = 400
REPLY_RULE_PRIORITY = 300
AF_INET, AF_INET6 = 2, 10


def first_usable(prefix: str) -> str:
    network = ip_network(prefix)
    return str(network[0] if network.num_addresses <= 2 else network[1])


def workload_interface(link: Mapping[str, Any]) -> str:
    """For example a12: circuit A in segment number 12."""
    return f"{str(link['circuit']).lower()[:4]}{link['segment_number']}"


def apply_workload_network(far: IPRoute, told: Mapping[str, Any]) -> None:
    """Addresses, rules and routes of a workload for the circuits it has; also after one was down and lost routes."""
    present = {link.get("ifname"): link["index"] for link in far.get_links()}
    links = [link for link in told["links"] if workload_interface(link) in present]
    for link in links:
        mtu = ParsedCircuit("", told["kind"], 0, link).mtu
        far.link("set", index=present[workload_interface(link)], state="up", mtu=mtu)
    _apply_addresses(far, present, told, links)
    if told["kind"] == "internet-exit":
        ways = [way for link in links for way in _internet_routes(link, told)]
        rules = {
            _RoutingRule(APPLICATION_RULE_PRIORITY, "", app["public"], app["protocol"], app["port"], app["number"])
            for app in told["apps"]
        }
        _route_replies_by_circuit(far, links)
    else:
        families = {":" in address for address in told["addresses"]}
        ways = [way for link in links for way in _site_routes(link, families)]
        rules = {
            _RoutingRule(SOURCE_RULE_PRIORITY, prefix, table=_table(link))
            for link in links
            for prefix in link["inside"]
        }
    _apply_rules(far, rules)
    _apply_routes(far, present, ways)


def _route_replies_by_circuit(far: IPRoute, links: list[dict[str, Any]]) -> None:
    """One public address may stand for several segments: an answer goes back over the circuit the question came by."""
    ways = {workload_interface(link): _table(link) for link in links}
    lines = [
        "add table inet lab", "delete table inet lab", "add table inet lab",
        "add chain inet lab came { type filter hook prerouting priority mangle; }",
        "add chain inet lab back { type route hook output priority mangle; }",
        "add rule inet lab back ct direction reply meta mark set ct mark",
        *(f'add rule inet lab came iifname "{interface}" ct mark set {table}' for interface, table in ways.items()),
    ]  # fmt: skip
    nft.run_nft("", "\n".join(lines) + "\n")
    have = {rule.get("fwmark") for rule in far.get_rules(family=AF_INET) if rule.get("fwmark")}
    for action, marks in (("add", set(ways.values()) - have), ("del", have - set(ways.values()))):
        for mark in marks:
            far.rule(action, family=AF_INET, fwmark=mark, table=mark, priority=REPLY_RULE_PRIORITY)


def _apply_addresses(
    far: IPRoute, present: Mapping[str, int], told: Mapping[str, Any], links: list[dict[str, Any]]
) -> None:
    want = {(1, address, 128 if ":" in address else 32) for address in told["addresses"]}
    six = any(":" in address for address in told["addresses"])
    for link in links:
        address, _, length = str(link["peer"]).partition("/")
        bits = int(length or str(link["local"]).partition("/")[2] or 30)
        want.add((present[workload_interface(link)], address, bits))
        if six:
            want.add((present[workload_interface(link)], ipv6_counterpart(address), 96 + bits))
            want.add((present[workload_interface(link)], ipv6_link_local(address).partition("/")[0], 64))
    have = {
        (a["index"], a.get("local") or a.get("address"), a["prefixlen"])
        for family in (AF_INET, AF_INET6)
        for a in far.get_addr(family=family)
    }
    have = {entry for entry in have if not entry[1].startswith("127.") and entry[1] != "::1"}
    for index, address, bits in have - want:
        far.addr("del", index=index, address=address, prefixlen=bits)
    for index, address, bits in want - have:
        far.addr("add", index=index, address=address, prefixlen=bits)


@dataclass(frozen=True, slots=True)
class _RoutingRule:
    """Which table is looked into: by source prefix, or by what is asked for."""

    priority: int
    source: str = ""
    destination: str = ""
    protocol: str = ""
    port: int = 0
    table: int = 0

    def request(self) -> dict[str, Any]:
        family = AF_INET6 if ":" in self.source else AF_INET
        found: dict[str, Any] = {"family": family, "table": self.table, "priority": self.priority}
        if self.source:
            found["src"] = self.source
        if self.destination:
            number = socket.getprotobyname(self.protocol)
            ports = f"{self.port}:{self.port}"
            found |= {"dst": f"{self.destination}/32", "ip_proto": number, "dport_range": ports}
        return found


def _apply_rules(far: IPRoute, want: set[_RoutingRule]) -> None:
    have = {
        _parse_rule(rule, family)
        for family in (AF_INET, AF_INET6)
        for rule in far.get_rules(family=family)
        if rule.get("priority") in (SOURCE_RULE_PRIORITY, APPLICATION_RULE_PRIORITY)
    }
    for rule in have - want:
        far.rule("del", **rule.request())
    for rule in want - have:
        far.rule("add", **rule.request())


def _parse_rule(rule: Any, family: int) -> _RoutingRule:
    if rule.get("priority") == SOURCE_RULE_PRIORITY:
        nothing = "::" if family == AF_INET6 else "0.0.0.0"
        return _RoutingRule(
            SOURCE_RULE_PRIORITY, f"{rule.get('src') or nothing}/{rule['src_len']}", table=rule.get("table")
        )
    protocol = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}[rule.get("ip_proto")]
    return _RoutingRule(
        APPLICATION_RULE_PRIORITY,
        "",
        rule.get("dst"),
        protocol,
        int(rule.get("dport_range").partition(":")[0]),
        rule.get("table"),
    )


@dataclass(frozen=True, slots=True)
class _WorkloadRoute:
    """A route of a workload through one of its circuits; without a link there is none."""

    destination: str
    link: Mapping[str, Any] | None
    table: int
    metric: int
    source: str = ""
    """Of whoever names none."""


def _site_routes(link: Mapping[str, Any], families: set[bool]) -> Iterator[_WorkloadRoute]:
    for everything in ("::/0" if six else "0.0.0.0/0" for six in families):
        yield _WorkloadRoute(everything, link, _table(link), _metric(link))
        # Whoever names no source speaks in the connector's first segment.
        yield _WorkloadRoute(everything, link, 254, 100 * int(link["segment_number"]) + _metric(link))
    for prefix in ranges.to_prefixes(ranges.parse_union(link.get("blind") or ())):
        yield _WorkloadRoute(prefix, None, _table(link), ACTIVE_METRIC)


def _internet_routes(link: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[_WorkloadRoute]:
    """From the internet to an exit: its address, and applications that may be in one segment of several."""
    host = told["addresses"][0]
    for public in sorted({link["nat"], *(app["public"] for app in told["apps"])} - {None}):
        yield _WorkloadRoute(f"{public}/32", link, 254, 100 * int(link["segment_number"]) + _metric(link), host)
    yield _WorkloadRoute("0.0.0.0/0", link, _table(link), _metric(link), host)


def _apply_routes(far: IPRoute, present: Mapping[str, int], ways: list[_WorkloadRoute]) -> None:
    want = {}
    for way in ways:
        family = AF_INET6 if ":" in way.destination else AF_INET
        request = {
            "dst": way.destination,
            "table": way.table,
            "priority": way.metric,
            "family": family,
            "proto": ROUTE_PROTOCOL,
        }
        if way.link is None:
            request["type"] = "unreachable"
        else:
            local = str(way.link["local"]).partition("/")[0]
            request |= {"gateway": ipv6_counterpart(local) if family == AF_INET6 else local}
            # The exchange's end may not be up yet.
            request |= {"oif": present[workload_interface(way.link)], "flags": ["onlink"]}
            alike = [prefix for prefix in way.link["inside"] if (":" in prefix) == (family == AF_INET6)]
            if way.source:
                request["prefsrc"] = way.source
            elif alike and way.destination in ("0.0.0.0/0", "::/0"):
                request["prefsrc"] = first_usable(alike[0])
        want[family, way.destination, way.table, way.metric] = request
    for family in (AF_INET, AF_INET6):
        for route in far.get_routes(family=family):
            if route["proto"] != ROUTE_PROTOCOL:
                continue
            nothing = "::" if family == AF_INET6 else "0.0.0.0"
            where = f"{route.get('dst') or nothing}/{route['dst_len']}"
            key = family, where, route.get("table"), route.get("priority")
            if key not in want:
                kind = {"type": "unreachable"} if not route.get("gateway") else {}
                far.route("del", family=family, dst=where, table=key[2], priority=key[3], **kind)
    for request in want.values():
        far.route("replace", **request)


def _table(link: Mapping[str, Any]) -> int:
    return 1000 + int(link["segment_number"])


def _metric(link: Mapping[str, Any]) -> int:
    """The active circuit first, then the others by name."""
    if link.get("role", "active") == "active":
        return ACTIVE_METRIC
    return STANDBY_METRIC + ord(str(link["circuit"])[:1].upper()) - ord("A")
