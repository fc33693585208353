"""The objects the reference evaluator reads: prefixes as numbers, and the bodies of an IntentBuilder."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from tests.core.flow_headers import ICMP_TYPES
from tests.core.sample_networks import IntentBuilder

WELL_KNOWN = {
    "dns": {("tcp", 53), ("udp", 53)},
    "http": {("tcp", 80)},
    "https": {("tcp", 443)},
    "mysql": {("tcp", 3306)},
    "ssh": {("tcp", 22)},
    "telnet": {("tcp", 23)},
}
PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last address of a prefix as numbers, and its length."""

    low: int
    high: int
    length: int

    def __contains__(self, address: int) -> bool:
        return self.low <= address <= self.high


class ObjectRow(NamedTuple):
    uid: str
    number: int
    key: str
    body: dict[str, Any]


@lru_cache(maxsize=100_000)
def prefix_span(prefix: str) -> Span:
    network = ipaddress.ip_network(prefix)
    base = 1 << 128 if network.version == 6 else 0
    return Span(base + int(network.network_address), base + int(network.broadcast_address), network.prefixlen)


@lru_cache(maxsize=100_000)
def parse_address(address: str) -> int:
    """Return an address as a number: IPv4 as it is, IPv6 plus 2¹²⁸."""
    parsed = ipaddress.ip_address(address)
    return int(parsed) + (1 << 128 if parsed.version == 6 else 0)


@lru_cache(maxsize=10_000)
def _ports(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)


class ObjectRows:
    """The bodies of an IntentBuilder by kind and number."""

    def __init__(self, draw: IntentBuilder) -> None:
        self._by_kind: dict[str, list[ObjectRow]] = defaultdict(list)
        self._by_uid: dict[str, ObjectRow] = {}
        self._nat: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
        for kind, uid, nth, key, body in sorted(draw.rows.values(), key=lambda row: row[2]):
            row = self._by_uid[uid] = ObjectRow(uid, nth, key, body)
            self._by_kind[kind].append(row)
        for row in sorted(self.of("nat-rules"), key=lambda row: row.body["position"]):
            if row.body["enabled"]:
                self._nat[row.body["segment"], row.body["connector"], row.body["direction"]].append(row.body)

    def __contains__(self, uid: str) -> bool:
        return uid in self._by_uid

    def __getitem__(self, uid: str) -> ObjectRow:
        return self._by_uid[uid]

    def get(self, uid: str) -> ObjectRow | None:
        return self._by_uid.get(uid)

    def body(self, uid: str) -> dict[str, Any]:
        return self._by_uid[uid].body

    def labels_of(self, connector: str, index: int) -> dict[str, str]:
        """Return the labels of an attachment, by its place in the connector, with those of the connector."""
        body = self.body(connector)
        labels: dict[str, str] = body["labels"] | body["attachments"][index]["labels"]
        return labels

    def groups_of(self, connector: dict[str, Any], attachment: dict[str, Any]) -> set[str]:
        """Return the groups of an attachment: named, selected by labels, and those that contain one of them."""
        labels = connector["labels"] | attachment["labels"]
        groups = set(attachment["groups"])
        while True:
            more = {
                row.uid
                for row in self.of("groups")
                if (row.body["selector"] and is_selected(row.body["selector"], labels))
                or groups.intersection(row.body["contains"])
            }
            if more <= groups:
                return groups
            groups |= more

    def of(self, kind: str) -> list[ObjectRow]:
        return self._by_kind[kind]

    def nat(self, segment: str, connector: str, direction: str) -> list[dict[str, Any]]:
        """Return the enabled NAT rules in the order they are tried."""
        return self._nat[segment, connector, direction]

    # Matching

    def spelled(self, names: list[str]) -> list[str]:
        """Return prefixes, with the names of prefix lists replaced by their entries."""
        return [
            prefix
            for name in names
            for prefix in (
                [name] if "/" in name or name == "any" else [entry["prefix"] for entry in self.body(name)["entries"]]
            )
        ]

    def within(self, names: list[str], address: int) -> bool:
        """Return whether an address is in one of the names, where any is not left out, and in none that is."""
        meant = [name for name in names if not name.startswith("!")]
        left_out = [name.removeprefix("!") for name in names if name.startswith("!")]
        is_meant = not meant or any(self._holds(name, address) for name in meant)
        return is_meant and not any(self._holds(name, address) for name in left_out)

    def _holds(self, name: str, address: int) -> bool:
        if name == "any":
            return True
        if name in self._by_uid:
            body = self.body(name)
            names = [*(entry["prefix"] for entry in body["entries"]), *body["contains"]]
            return bool(names) and self.within(names, address)
        first, dash, last = name.partition("-")
        if dash:
            return parse_address(first) <= address <= parse_address(last)
        return address in prefix_span(name)

    def matches(self, rule: dict[str, Any], packet: Any) -> bool:
        """Return whether a rule of a policy, a firewall or NAT matches the packet."""
        listed = rule["protocol"] if isinstance(rule["protocol"], list) else [rule["protocol"]]
        protocols = {PROTOCOLS.get(str(protocol), str(protocol)) for protocol in listed}
        if protocols.isdisjoint(("any", packet.protocol)):
            return False
        if rule["ports"] != ["any"] and not any(self._is_port(name, packet) for name in rule["ports"]):
            return False
        if not self._is_narrowed_to(rule, packet):
            return False
        return self.within(rule["source"], packet.source) and self.within(rule["destination"], packet.destination)

    @staticmethod
    def _is_narrowed_to(rule: dict[str, Any], packet: Any) -> bool:
        """Return whether source port, ICMP type and DSCP are those of a rule; NAT and port lists have none."""
        source_ports, types = rule.get("source_ports", ["any"]), rule.get("icmp_types", ["any"])
        spans = [_ports(text) for text in source_ports if text != "any"]
        if spans and not any(low <= packet.source_port <= high for low, high in spans):
            return False
        numbers = [ICMP_TYPES.get((packet.protocol, text), text) for text in types if text != "any"]
        return (not numbers or packet.port in numbers) and rule.get("dscp") in (None, packet.dscp)

    def _is_port(self, name: str, packet: Any) -> bool:
        if name in WELL_KNOWN:
            return (packet.protocol, packet.port) in WELL_KNOWN[name]
        if name not in self._by_uid:
            low, high = _ports(name)
            return packet.protocol in ("tcp", "udp") and low <= packet.port <= high
        body = self.body(name)
        entries = ({**entry, "source": ["any"], "destination": ["any"]} for entry in body["entries"])
        return any(self.matches(entry, packet) for entry in entries) or any(
            self._is_port(inner, packet) for inner in body["contains"]
        )

    def mapped(self, address: int, before: list[str], after: list[str]) -> int:
        """Return the address at the same offset in the paired prefix (1:1 NAT)."""
        for before_prefix, after_prefix in zip(self.spelled(before), after, strict=False):
            if address in prefix_span(before_prefix):
                return prefix_span(after_prefix).low + address - prefix_span(before_prefix).low
        return address


def is_selected(selector: str, labels: dict[str, str]) -> bool:
    """Return whether labels meet every requirement of a selector, which is in its one spelling."""
    for requirement in re.findall(r"[^,(]+(?:\([^)]*\))?", selector):
        text = requirement.strip()
        if listed := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", text):
            is_met = (labels.get(listed[1]) in listed[3].split(", ")) is (listed[2] == "in")
        elif "!=" in text:
            key, _, value = text.partition("!=")
            is_met = labels.get(key) != value
        elif "=" in text:
            key, _, value = text.partition("=")
            is_met = labels.get(key) == value
        else:
            is_met = (text.lstrip("!") in labels) is not text.startswith("!")
        if not is_met:
            return False
    return True
