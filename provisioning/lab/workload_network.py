"""A workload's network stack: its addresses, and routes over each circuit that is there.

A default route over the active circuit and others over the standby ones, and for each segment a table of its own, since
segments may use the same addresses; what route policies keep from the site is unreachable in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from socket import IPPROTO_TCP, IPPROTO_UDP, getprotobyname
from typing import Any

from pyroute2 import IPRoute

from provisioning.agent import nft
from provisioning.agent.address_families import route_prefixes
from provisioning.agent.fwmarks import ipv6_counterpart, ipv6_link_local
from provisioning.agent.netlink import ROUTE_PROTOCOL
from provisioning.agent.parsed_segment import circuit_mtu
from provisioning.core.node_document import LinkEntry
from provisioning.core.values.addresses import parse_ranges
from provisioning.lab.workload_description import WorkloadDescription, segment_table

ACTIVE_METRIC, STANDBY_METRIC = 10, 20
SOURCE_RULE_PRIORITY = 500
APPLICATION_RULE_PRIORITY = 400
REPLY_RULE_PRIORITY = 300
AF_INET, AF_INET6 = 2, 10
LOOPBACK = 1
MAIN_TABLE, LOCAL_TABLE = 254, 255


INTERNET_BEHIND_SITE = {"0.0.0.0/0": "198.51.100.33", "::/0": "2001:db8::33"}
"""Default route of a site → the host on the internet that is behind it."""


def first_usable(prefix: str) -> str:
    """Return the first address of a prefix that a host may have."""
    if prefix in INTERNET_BEHIND_SITE:
        return INTERNET_BEHIND_SITE[prefix]
    network = ip_network(prefix)
    return str(network[0] if network.num_addresses <= 2 else network[1])


def workload_interface(link: LinkEntry) -> str:
    """Return for example a12: circuit A in segment number 12."""
    return f"{link['circuit'].lower()[:4]}{link['segment_number']}"


def apply_workload_network(socket: IPRoute, workload: WorkloadDescription) -> None:
    """Set a workload's addresses, rules and routes for the circuits it has; also after one was down and lost routes.

    ``socket`` is a netlink socket in the workload's namespace.
    """
    present = {link.get("ifname"): link["index"] for link in socket.get_links()}
    links = [link for link in workload["links"] if workload_interface(link) in present]
    for link in links:
        socket.link("set", index=present[workload_interface(link)], state="up", mtu=circuit_mtu(link))
    _apply_addresses(socket, present, workload, links)
    if workload["kind"] == "internet-exit":
        routes = [route for link in links for route in _internet_routes(link, workload)]
        rules = {
            _RoutingRule(APPLICATION_RULE_PRIORITY, "", app["public"], app["protocol"], app["port"], app["number"])
            for app in workload["apps"]
        }
        _route_replies_by_circuit(socket, links)
    else:
        has_families = {":" in address for address in workload["addresses"]}
        routes = [route for link in links for route in _site_routes(link, has_families)]
        rules = {
            _RoutingRule(SOURCE_RULE_PRIORITY, prefix, table=segment_table(link["segment_number"]))
            for link in links
            for prefix in map(_source_prefix, link["inside"])
        }
    if workload["kind"] == "remote-access":
        _separate_clients(socket, {workload_interface(link) for link in links})
    _apply_rules(socket, rules)
    _apply_routes(socket, present, routes)


def _separate_clients(socket: IPRoute, interfaces: set[str]) -> None:
    """Deliver only what arrives by a circuit: the addresses are clients, whose packets to each other go out."""
    for family in (AF_INET, AF_INET6):
        rules = [rule for rule in socket.get_rules(family=family) if rule.get("table") == LOCAL_TABLE]
        arriving = {rule.get("iifname") for rule in rules}
        if None in arriving:
            socket.rule("del", family=family, table=LOCAL_TABLE, priority=0)
        for interface in interfaces - arriving:
            socket.rule("add", family=family, iifname=interface, table=LOCAL_TABLE, priority=0)


def _source_prefix(prefix: str) -> str:
    """Return the prefix that a site sends from; behind a default route it is one host."""
    return f"{first_usable(prefix)}/{128 if ':' in prefix else 32}" if prefix in INTERNET_BEHIND_SITE else prefix


def _route_replies_by_circuit(socket: IPRoute, links: Sequence[LinkEntry]) -> None:
    """Send replies back over the circuit the request came by: one public address may stand for several segments."""
    tables = {workload_interface(link): segment_table(link["segment_number"]) for link in links}
    lines = [
        "add table inet lab", "delete table inet lab", "add table inet lab",
        "add chain inet lab arrive { type filter hook prerouting priority mangle; }",
        "add chain inet lab reply { type route hook output priority mangle; }",
        "add rule inet lab reply ct direction reply meta mark set ct mark",
        *(f'add rule inet lab arrive iifname "{interface}" ct mark set {table}' for interface, table in tables.items()),
    ]  # fmt: skip
    nft.run_nft("", "\n".join(lines) + "\n")
    present = {rule.get("fwmark") for rule in socket.get_rules(family=AF_INET) if rule.get("fwmark")}
    for action, marks in (("add", set(tables.values()) - present), ("del", present - set(tables.values()))):
        for mark in marks:
            socket.rule(action, family=AF_INET, fwmark=mark, table=mark, priority=REPLY_RULE_PRIORITY)


def _apply_addresses(
    socket: IPRoute, present: Mapping[str, int], workload: WorkloadDescription, links: Sequence[LinkEntry]
) -> None:
    has_ipv6 = any(":" in address for address in workload["addresses"])
    desired = {(LOOPBACK, address, 128 if ":" in address else 32) for address in workload["addresses"]}
    for link in links:
        index = present[workload_interface(link)]
        address, _, length = link["peer"].partition("/")
        bits = int(length or link["local"].partition("/")[2] or 30)
        desired.add((index, address, bits))
        if has_ipv6:
            desired.add((index, ipv6_counterpart(address), 96 + bits))
            desired.add((index, ipv6_link_local(address).partition("/")[0], 64))
    observed = {
        (entry["index"], entry.get("local") or entry.get("address"), entry["prefixlen"])
        for family in (AF_INET, AF_INET6)
        for entry in socket.get_addr(family=family)
    }
    observed = {entry for entry in observed if not entry[1].startswith("127.") and entry[1] != "::1"}
    for index, address, bits in observed - desired:
        socket.addr("del", index=index, address=address, prefixlen=bits)
    for index, address, bits in desired - observed:
        socket.addr("add", index=index, address=address, prefixlen=bits)


@dataclass(frozen=True, slots=True)
class _RoutingRule:
    """Which table is looked into: by source prefix, or by destination address, protocol and port."""

    priority: int
    source: str = ""
    destination: str = ""
    protocol: str = ""
    port: int = 0
    table: int = 0

    def request(self) -> dict[str, Any]:
        """Return what pyroute2 wants of the rule."""
        family = AF_INET6 if ":" in self.source else AF_INET
        request: dict[str, Any] = {"family": family, "table": self.table, "priority": self.priority}
        if self.source:
            request["src"] = self.source
        if self.destination:
            number = getprotobyname(self.protocol)
            ports = f"{self.port}:{self.port}"
            request |= {"dst": f"{self.destination}/32", "ip_proto": number, "dport_range": ports}
        return request


def _apply_rules(socket: IPRoute, desired: set[_RoutingRule]) -> None:
    observed = {
        _parse_rule(rule, family)
        for family in (AF_INET, AF_INET6)
        for rule in socket.get_rules(family=family)
        if rule.get("priority") in (SOURCE_RULE_PRIORITY, APPLICATION_RULE_PRIORITY)
    }
    for rule in observed - desired:
        socket.rule("del", **rule.request())
    for rule in desired - observed:
        socket.rule("add", **rule.request())


def _parse_rule(rule: Any, family: int) -> _RoutingRule:
    if rule.get("priority") == SOURCE_RULE_PRIORITY:
        unspecified = "::" if family == AF_INET6 else "0.0.0.0"
        source = f"{rule.get('src') or unspecified}/{rule['src_len']}"
        return _RoutingRule(SOURCE_RULE_PRIORITY, source, table=rule.get("table"))
    protocol = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp"}[rule.get("ip_proto")]
    port = int(rule.get("dport_range").partition(":")[0])
    return _RoutingRule(APPLICATION_RULE_PRIORITY, "", rule.get("dst"), protocol, port, rule.get("table"))


@dataclass(frozen=True, slots=True)
class _WorkloadRoute:
    """A route of a workload through one of its circuits; without a link the destination is unreachable.

    ``source`` is the source address of packets whose sender names none.
    """

    destination: str
    link: LinkEntry | None
    table: int
    metric: int
    source: str = ""


def _site_routes(link: LinkEntry, has_families: set[bool]) -> Iterator[_WorkloadRoute]:
    """``has_families``: for each family of its addresses, whether it is IPv6."""
    table = segment_table(link["segment_number"])
    for default in ("::/0" if is_ipv6 else "0.0.0.0/0" for is_ipv6 in has_families):
        yield _WorkloadRoute(default, link, table, _metric(link))
        # Packets whose sender names no source leave in the connector's first segment.
        yield _WorkloadRoute(default, link, MAIN_TABLE, 100 * link["segment_number"] + _metric(link))
    for prefix in route_prefixes(parse_ranges(link["filtered_routes"])):
        yield _WorkloadRoute(prefix, None, table, ACTIVE_METRIC)


def _internet_routes(link: LinkEntry, workload: WorkloadDescription) -> Iterator[_WorkloadRoute]:
    """Yield routes from the internet to an exit: its address, and applications, each in one of several segments."""
    host, number = workload["addresses"][0], link["segment_number"]
    addresses = {app["public"] for app in workload["apps"]} | ({link["nat"]} if link["nat"] else set())
    for public in sorted(addresses):
        yield _WorkloadRoute(f"{public}/32", link, MAIN_TABLE, 100 * number + _metric(link), host)
    yield _WorkloadRoute("0.0.0.0/0", link, segment_table(number), _metric(link), host)


def _apply_routes(socket: IPRoute, present: Mapping[str, int], routes: Sequence[_WorkloadRoute]) -> None:
    desired = {
        (family, route.destination, route.table, route.metric): _route_request(route, family, present)
        for route in routes
        for family in (AF_INET6 if ":" in route.destination else AF_INET,)
    }
    for family in (AF_INET, AF_INET6):
        for observed in socket.get_routes(family=family):
            if observed["proto"] != ROUTE_PROTOCOL:
                continue
            unspecified = "::" if family == AF_INET6 else "0.0.0.0"
            destination = f"{observed.get('dst') or unspecified}/{observed['dst_len']}"
            table, metric = observed.get("table"), observed.get("priority")
            if (family, destination, table, metric) not in desired:
                kind = {"type": "unreachable"} if not observed.get("gateway") else {}
                socket.route("del", family=family, dst=destination, table=table, priority=metric, **kind)
    for request in desired.values():
        socket.route("replace", **request)


def _route_request(route: _WorkloadRoute, family: int, present: Mapping[str, int]) -> dict[str, Any]:
    """Return what pyroute2 wants of the route."""
    request: dict[str, Any] = {
        "dst": route.destination,
        "table": route.table,
        "priority": route.metric,
        "family": family,
        "proto": ROUTE_PROTOCOL,
    }
    if route.link is None:
        return {**request, "type": "unreachable"}
    local = route.link["local"].partition("/")[0]
    request["gateway"] = ipv6_counterpart(local) if family == AF_INET6 else local
    # The exchange's end may not be up yet.
    request |= {"oif": present[workload_interface(route.link)], "flags": ["onlink"]}
    of_family = [prefix for prefix in route.link["inside"] if (":" in prefix) == (family == AF_INET6)]
    if route.source:
        request["prefsrc"] = route.source
    elif of_family and route.destination in ("0.0.0.0/0", "::/0"):
        request["prefsrc"] = first_usable(of_family[0])
    return request


def _metric(link: LinkEntry) -> int:
    """Return the metric of a circuit's routes: the active circuit first, then the others by name."""
    if link["role"] == "active":
        return ACTIVE_METRIC
    return STANDBY_METRIC + ord(link["circuit"][:1].upper()) - ord("A")
