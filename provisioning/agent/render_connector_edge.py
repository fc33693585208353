"""The edge of a connector with NAT rules: a namespace of its own between the circuit and the segment.

The segment sees presented (outside) addresses only. The edge has a connection table of its own, like an exit. Its rules
are tried in order, the first that matches a connection's first packet wins, and its number is kept in the connection's
mark; what no rule matches passes only between addresses that are not translated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV6, AddressFamily, AddressRanges, family_of, nft_interval
from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace, NftCounter, NftTable
from provisioning.agent.nft_matches import packet_matches
from provisioning.agent.nft_names import content_named_set
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment
from provisioning.agent.render_internet_exit import MSS_CLAMP
from provisioning.agent.render_namespace import (
    SEGMENT_VETH,
    circuit_addresses,
    circuit_namespace,
    in_family,
    veth_neighbours,
)
from provisioning.core.node_document_rules import NatRuleEntry, SourceTranslationEntry
from provisioning.core.values.addresses import address_text, merge_ranges, parse_range, parse_ranges, subtract
from provisioning.core.values.counter_key import CounterKey

TO_SITE, TO_EXCHANGE = 1, 2
"""Packet marks and routing tables: a packet that comes from one side leaves by the other."""

MAX_PORT_TRANSLATED_ADDRESSES = 4096
"""Addresses in one prefix of a rule that translates a port too: nft maps these one by one."""


def namespaces(segment: ParsedSegment) -> list[NetworkNamespace]:
    return [_namespace(segment, circuit) for circuit in segment.site_circuits if circuit.has_edge]


def _namespace(segment: ParsedSegment, circuit: ParsedCircuit) -> NetworkNamespace:
    site, families = circuit.interface, segment.families
    routes = {
        route
        for family in families
        for route in (
            KernelRoute(family.default_route, in_family(circuit.peer, family), site, table=TO_SITE),
            KernelRoute(family.default_route, "", "", table=TO_SITE, metric=1000),
            KernelRoute(family.default_route, in_family(fwmarks.NEAR_GATEWAY, family), SEGMENT_VETH, table=TO_EXCHANGE),
            KernelRoute(family.default_route, in_family(fwmarks.NEAR_GATEWAY, family), SEGMENT_VETH),
        )
    }
    return NetworkNamespace(
        name=circuit_namespace(segment, circuit),
        sections=segment.sections,
        links=(
            KernelLink(
                SEGMENT_VETH,
                "veth",
                mac=fwmarks.veth_mac(fwmarks.FAR_GATEWAY),
                mtu=circuit.mtu,
                peer=(segment.namespace, circuit.segment_interface),
                follows=site,
            ),
            KernelLink(site, "circuit", mtu=circuit.mtu, rate=circuit.rate),
        ),
        addresses=frozenset(circuit_addresses(circuit, families)),
        neighbours=frozenset(veth_neighbours(SEGMENT_VETH, fwmarks.NEAR_GATEWAY, families)),
        routes=frozenset(routes),
        fwmark_rules=frozenset({(TO_SITE, TO_SITE), (TO_EXCHANGE, TO_EXCHANGE)}),
        rules=_EdgeTable(segment, circuit).rules(),
    )


class _EdgeTable:
    """The nft table of one edge."""

    def __init__(self, segment: ParsedSegment, circuit: ParsedCircuit) -> None:
        self.segment, self.circuit = segment, circuit
        self.numbered: list[tuple[int, NatRuleEntry]] = list(enumerate(circuit.link["nat_rules"], start=1))
        self.site_ranges = parse_ranges(circuit.site_prefixes)
        hidden = merge_ranges(
            pair
            for _, rule in self.numbered
            if rule["direction"] == "outbound" and rule["to_source"]["type"] != "none" and _is_unconditional(rule)
            for pair in (self.site_ranges if rule["source"] is None else parse_ranges(rule["source"]))
        )
        self.untranslated = subtract(self.site_ranges, hidden)
        self.sets: dict[str, str] = {}
        self.elements: dict[str, tuple[str, ...]] = {}

    def rules(self) -> NftTable:
        site, segment = self.circuit.interface, self.segment
        key = CounterKey(f"spoof/{self.circuit.connector}", segment.name)
        counter = NftCounter(segment.tenant, key, packets_only=True)
        spoofed = counter.name
        return NftTable(
            counters={spoofed: counter},
            chains={
                "arrive": (
                    "type filter hook prerouting priority -310; policy accept;",
                    (
                        f'iifname "{SEGMENT_VETH}" meta mark set {TO_SITE} accept',
                        f'iifname != "{site}" accept',
                        *neighbour_discovery_rules(segment.families),
                        *self._echo_rules(),
                        *self._rules_not_matching(self.site_ranges, "saddr", f"counter name {spoofed} drop"),
                        f"meta mark set {TO_EXCHANGE}",
                    ),
                ),
                "to": (
                    "type nat hook prerouting priority dstnat; policy accept;",
                    (f'iifname "{site}" goto outbound', f'iifname "{SEGMENT_VETH}" goto inbound'),
                ),
                "outbound": ("", tuple(self._dnat_rules("outbound"))),
                "inbound": ("", tuple(self._dnat_rules("inbound"))),
                "from": ("type nat hook postrouting priority srcnat; policy accept;", tuple(self._snat_rules())),
                "leave": (
                    "type filter hook forward priority filter; policy drop;",
                    (
                        "ct state established,related accept",
                        "ct state invalid drop",
                        f'iifname "{SEGMENT_VETH}" ct mark != 0x0 accept',
                        *self._rules_matching(self.untranslated, "daddr", f'iifname "{SEGMENT_VETH}" accept'),
                        *(f"ct mark {number} accept" for number, rule in self.numbered if _is_source_nat(rule)),
                        *self._rules_matching(self.untranslated, "saddr", f'iifname "{site}" accept'),
                        f'iifname "{site}" counter name {spoofed}',
                    ),
                ),
                "clamp": MSS_CLAMP,
                "output": (
                    "type route hook output priority mangle; policy accept;",
                    tuple(self._rules_matching(self.site_ranges, "daddr", f"meta mark set {TO_SITE}")),
                ),
                "input": (
                    "type filter hook input priority filter; policy drop;",
                    (
                        'iifname "lo" accept', "ct state established,related accept", "icmp type echo-request accept",
                        *(("icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept",)
                          if IPV6 in segment.families else ()),
                    ),
                ),
            },
            sets=self.sets,
            elements=self.elements,
        )  # fmt: skip

    # -- rules by direction ------------------------------------------------------------------------------------------

    def _dnat_rules(self, direction: str) -> Iterator[str]:
        """Yield rules that mark a connection with the NAT rule that matches, and translate its destination."""
        for number, rule in self.numbered:
            if rule["direction"] == direction:
                for family in self.segment.families:
                    for match in self._matches(rule, family):
                        yield f"{match} ct mark set {number} {_dnat_statement(rule, family)}"

    def _matches(self, rule: NatRuleEntry, family: AddressFamily) -> Iterator[str]:
        """Yield the rule's match in a family of addresses; nothing where it can match none of them."""
        parts = [f"meta nfproto {family.nfproto}"]
        for texts, field in ((rule["source"], "saddr"), (rule["destination"], "daddr")):
            if texts is not None:
                ranges = family.select(parse_ranges(texts))
                if not ranges:
                    return
                parts.append(f"{family.ip} {field} @{self._address_set(ranges, family)}")
        yield from (" ".join(filter(None, (*parts, match))) for match in packet_matches(rule))

    def _snat_rules(self) -> Iterator[str]:
        for number, rule in self.numbered:
            translation = rule["to_source"]
            for family in self.segment.families:
                if translation["type"] == "static":
                    if pairs := _static_prefix_pairs(translation, family):
                        table = ", ".join(f"{before} : {after}" for before, after in pairs)
                        yield f"ct mark {number} snat {family.ip} prefix to {family.ip} saddr map {{ {table} }}"
                elif translation["type"] == "pool":
                    pool = family.select(parse_ranges(translation["to"]))
                    for position, pair in enumerate(pool, start=1):
                        by_hash = f"jhash {family.ip} saddr mod {len(pool)} {position % len(pool)} "
                        match = by_hash if position < len(pool) else f"meta nfproto {family.nfproto} "
                        yield f"ct mark {number} {match}snat {family.ip} to {nft_interval(pair)} persistent"

    # -- sets --------------------------------------------------------------------------------------------------------

    def _address_set(self, ranges: AddressRanges, family: AddressFamily) -> str:
        """Declare a set named by its content and return its name."""
        name, elements = content_named_set(ranges, family)
        self.sets[name] = f"set {{ type {family.address}; flags interval; }}"
        self.elements[name] = elements
        return name

    def _rules_matching(self, ranges: AddressRanges, field: str, then: str) -> Iterator[str]:
        for family in self.segment.families:
            yield f"{family.ip} {field} @{self._address_set(family.select(ranges), family)} {then}"

    def _rules_not_matching(self, ranges: AddressRanges, field: str, then: str) -> Iterator[str]:
        for family in self.segment.families:
            yield f"{family.ip} {field} != @{self._address_set(family.select(ranges), family)} {then}"

    def _echo_rules(self) -> Iterator[str]:
        """Yield rules by which a site may ping the other end of its circuit."""
        for family in self.segment.families:
            local = in_family(self.circuit.local, family).partition("/")[0]
            yield f"{family.ip} daddr {local} {family.icmp} type echo-request accept"


def neighbour_discovery_rules(families: Sequence[AddressFamily]) -> tuple[str, ...]:
    """Return rules that let circuits ask for each other's hardware addresses (RFC 4861); that is never forwarded."""
    if IPV6 not in families:
        return ()
    return (
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 notrack accept",
        "ip6 daddr ff00::/8 drop",
        "ip6 saddr fe80::/10 drop",
    )


def _is_unconditional(rule: NatRuleEntry) -> bool:
    return rule["destination"] is None and rule["l4"][0]["protocol"] == "any"


def _is_source_nat(rule: NatRuleEntry) -> bool:
    return rule["direction"] == "outbound" and rule["to_source"]["type"] != "none"


def _static_prefix_pairs(translation: SourceTranslationEntry, family: AddressFamily) -> list[tuple[str, str]]:
    """Return (before, after) prefixes that are translated one to one."""
    pairs = zip(translation["from"], translation["to"], strict=True)
    return [(str(ip_network(before)), str(ip_network(after))) for before, after in pairs if family_of(before) is family]


def _dnat_statement(rule: NatRuleEntry, family: AddressFamily) -> str:
    translation = rule["to_destination"]
    pairs = _static_prefix_pairs(translation, family) if translation["type"] == "static" else []
    if not pairs:
        return "accept"
    if port := translation["port"]:
        table = ", ".join(f"{before} : {after} . {port}" for before, after in _address_pairs(pairs))
        return f"dnat {family.ip} to {family.ip} daddr map {{ {table} }}"
    table = ", ".join(f"{before} : {after}" for before, after in pairs)
    return f"dnat {family.ip} prefix to {family.ip} daddr map {{ {table} }}"


def _address_pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (before, after) addresses of prefixes; raises ValueError where a prefix has too many."""
    for before, after in pairs:
        (low, high), (start, _) = parse_range(before), parse_range(after)
        if high - low >= MAX_PORT_TRANSLATED_ADDRESSES:
            raise ValueError(
                f"{before} is more than {MAX_PORT_TRANSLATED_ADDRESSES} addresses to translate with a port"
            )
        for offset in range(high - low + 1):
            yield address_text(low + offset), address_text(start + offset)
