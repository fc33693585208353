"""The edge of a connector with NAT rules: a namespace of its own between the circuit and the segment.

Everything beyond it sees presented (outside) addresses only. It has a connection table of its own, like an exit. Its
rules are tried in order, the first that matches a connection's first packet wins, and its number is kept in the
connection's mark; what no rule takes passes only between addresses that are not hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from provisioning.agent import marks, ranges
from provisioning.agent.render_exit import CLAMP
from provisioning.agent.render_links import INSIDE, beyond, circuit_addresses, gateway, wire_neighbours
from provisioning.agent.view import Circuit, Segment, short
from provisioning.agent.wanted import Link, Namespace, Route, Rules

TO_SITE, TO_EXCHANGE = 1, 2
"""Packet marks, and routing tables: what comes from one side leaves by the other."""

MOST_WITH_PORT = 4096
"""Addresses of a rule that translates a port too: nft maps these one by one."""

Rule = Mapping[str, Any]


def namespaces(segment: Segment) -> list[Namespace]:
    return [_namespace(segment, circuit) for circuit in segment.attached if circuit.is_edged]


def _namespace(segment: Segment, circuit: Circuit) -> Namespace:
    site, families = circuit.interface, segment.families
    routes = {
        route
        for family in families
        for route in (
            Route(family.everything, gateway(circuit.peer, family), site, table=TO_SITE),
            Route(family.everything, "", "", table=TO_SITE, metric=1000),
            Route(family.everything, gateway(marks.NEAR, family), INSIDE, table=TO_EXCHANGE),
            Route(family.everything, gateway(marks.NEAR, family), INSIDE),
        )
    }
    return Namespace(
        name=beyond(segment, circuit),
        sections=segment.sections,
        links=(
            Link(
                INSIDE,
                "veth",
                mac=marks.wire_mac(marks.FAR),
                mtu=circuit.mtu,
                peer=(segment.namespace, circuit.wire),
                follows=site,
            ),
            Link(site, "circuit", mtu=circuit.mtu, rate=circuit.rate),
        ),
        addresses=frozenset(circuit_addresses(circuit, families)),
        neighbours=frozenset(wire_neighbours(INSIDE, marks.NEAR, families)),
        routes=frozenset(routes),
        marks=frozenset({(TO_SITE, TO_SITE), (TO_EXCHANGE, TO_EXCHANGE)}),
        rules=_Edge(segment, circuit).rules(),
    )


class _Edge:
    """The nft table of one edge."""

    def __init__(self, segment: Segment, circuit: Circuit) -> None:
        self.segment, self.circuit = segment, circuit
        self.numbered: list[tuple[int, Rule]] = list(enumerate(circuit.link["nat_rules"], start=1))
        self.behind = ranges.union(circuit.inside)
        hidden = ranges.joined(
            span
            for _, rule in self.numbered
            if rule["direction"] == "outbound" and rule["to_source"]["type"] != "none" and _is_for_all(rule)
            for span in (self.behind if rule["source"] is None else ranges.union(rule["source"]))
        )
        self.plain = ranges.without(self.behind, hidden)
        self.sets: dict[str, str] = {}
        self.elements: dict[str, tuple[str, ...]] = {}

    def rules(self) -> Rules:
        site, segment = self.circuit.interface, self.segment
        spoofed = short("n", f"spoof/{self.circuit.connector}|{segment.name}")
        return Rules(
            counters={spoofed: (f"{segment.tenant}|spoof/{self.circuit.connector}|{segment.name}", "packets")},
            chains={
                "arrive": (
                    "type filter hook prerouting priority -310; policy accept;",
                    (
                        f'iifname "{INSIDE}" meta mark set {TO_SITE} accept',
                        f'iifname != "{site}" accept',
                        *neighbour_discovery(segment.families),
                        *self._own(),
                        *self._unless(self.behind, "saddr", f"counter name {spoofed} drop"),
                        f"meta mark set {TO_EXCHANGE}",
                    ),
                ),
                "to": (
                    "type nat hook prerouting priority dstnat; policy accept;",
                    (f'iifname "{site}" goto outbound', f'iifname "{INSIDE}" goto inbound'),
                ),
                "outbound": ("", tuple(self._taking("outbound"))),
                "inbound": ("", tuple(self._taking("inbound"))),
                "from": ("type nat hook postrouting priority srcnat; policy accept;", tuple(self._sources())),
                "leave": (
                    "type filter hook forward priority filter; policy drop;",
                    (
                        "ct state established,related accept",
                        "ct state invalid drop",
                        f'iifname "{INSIDE}" ct mark != 0x0 accept',
                        *self._if(self.plain, "daddr", f'iifname "{INSIDE}" accept'),
                        *(f"ct mark {number} accept" for number, rule in self.numbered if _hides(rule)),
                        *self._if(self.plain, "saddr", f'iifname "{site}" accept'),
                        f'iifname "{site}" counter name {spoofed}',
                    ),
                ),
                "clamp": CLAMP,
                "output": (
                    "type route hook output priority mangle; policy accept;",
                    tuple(self._if(self.behind, "daddr", f"meta mark set {TO_SITE}")),
                ),
                "input": (
                    "type filter hook input priority filter; policy drop;",
                    (
                        'iifname "lo" accept', "ct state established,related accept", "icmp type echo-request accept",
                        *(("icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept",)
                          if ranges.IP6 in segment.families else ()),
                    ),
                ),
            },
            sets=self.sets,
            elements=self.elements,
        )  # fmt: skip

    # -- rules by direction ------------------------------------------------------------------------------------------

    def _taking(self, direction: str) -> Iterator[str]:
        """Marks a connection with the number of the rule that takes it, and translates its destination."""
        for number, rule in self.numbered:
            if rule["direction"] == direction:
                for family in self.segment.families:
                    for match in self._matches(rule, family):
                        mark = f"{match} ct mark set {number}".strip()
                        yield from (f"{mark} {then}" for then in _destination(rule, family))

    def _matches(self, rule: Rule, family: ranges.Family) -> Iterator[str]:
        parts = [f"meta nfproto {'ipv4' if family is ranges.IP4 else 'ipv6'}"]
        for side, which in (("source", "saddr"), ("destination", "daddr")):
            if rule[side] is not None:
                spans = family.of(ranges.union(rule[side]))
                if not spans:
                    return
                parts.append(f"{family.ip} {which} @{self._set(spans, family)}")
        protocol = str(rule.get("protocol") or "any")
        if protocol != "any":
            parts.append(f"meta l4proto {protocol}")
            if rule.get("ports"):
                parts.append(f"th dport {{ {', '.join(map(str, rule['ports']))} }}")
        yield " ".join(parts)

    def _sources(self) -> Iterator[str]:
        for number, rule in self.numbered:
            to = rule["to_source"]
            for family in self.segment.families:
                if to["type"] == "static":
                    if pairs := _pairs(to, family):
                        table = ", ".join(f"{before} : {after}" for before, after in pairs)
                        yield f"ct mark {number} snat {family.ip} prefix to {family.ip} saddr map {{ {table} }}"
                elif to["type"] == "pool":
                    pool = family.of(ranges.union(to["to"]))
                    for place, span in enumerate(pool, start=1):
                        share = f"jhash {family.ip} saddr mod {len(pool)} {place % len(pool)} "
                        only = share if place < len(pool) else f"meta nfproto {_nfproto(family)} "
                        yield f"ct mark {number} {only}snat {family.ip} to {ranges.text(span)} persistent"

    # -- sets --------------------------------------------------------------------------------------------------------

    def _set(self, spans: ranges.Ranges, family: ranges.Family) -> str:
        elements = tuple(map(ranges.text, spans))
        name = short(f"a{family.suffix}", ",".join(elements))
        self.sets[name] = f"set {{ type {family.address}; flags interval; }}"
        self.elements[name] = elements
        return name

    def _if(self, spans: ranges.Ranges, which: str, then: str) -> Iterator[str]:
        for family in self.segment.families:
            yield f"{family.ip} {which} @{self._set(family.of(spans), family)} {then}"

    def _unless(self, spans: ranges.Ranges, which: str, then: str) -> Iterator[str]:
        for family in self.segment.families:
            yield f"{family.ip} {which} != @{self._set(family.of(spans), family)} {then}"

    def _own(self) -> Iterator[str]:
        """A site may ask whether the other end of its circuit is there."""
        for family in self.segment.families:
            local = gateway(self.circuit.local, family).partition("/")[0]
            yield f"{family.ip} daddr {local} {family.icmp} type echo-request accept"


def neighbour_discovery(families: Sequence[ranges.Family]) -> tuple[str, ...]:
    """Circuits ask for each other's hardware addresses; nothing of that is ever forwarded."""
    if ranges.IP6 not in families:
        return ()
    return (
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 notrack accept",
        "ip6 daddr ff00::/8 drop",
        "ip6 saddr fe80::/10 drop",
    )


def _is_for_all(rule: Rule) -> bool:
    return rule["destination"] is None and str(rule.get("protocol") or "any") == "any"


def _hides(rule: Rule) -> bool:
    return bool(rule["direction"] == "outbound" and rule["to_source"]["type"] != "none")


def _nfproto(family: ranges.Family) -> str:
    return "ipv4" if family is ranges.IP4 else "ipv6"


def _pairs(translation: Mapping[str, Any], family: ranges.Family) -> list[tuple[str, str]]:
    """Prefixes that become each other, one to one."""
    before, after = ([str(ip_network(text)) for text in translation[side]] for side in ("from", "to"))
    return [(one, other) for one, other in zip(before, after, strict=True) if ranges.family(one) is family]


def _destination(rule: Rule, family: ranges.Family) -> Iterator[str]:
    to = rule["to_destination"]
    pairs = _pairs(to, family) if to["type"] == "static" else []
    if not pairs:
        yield "accept"
    elif to.get("port"):
        table = ", ".join(f"{one} : {other} . {to['port']}" for one, other in _each(pairs))
        yield f"dnat {family.ip} to {family.ip} daddr map {{ {table} }}"
    else:
        table = ", ".join(f"{before} : {after}" for before, after in pairs)
        yield f"dnat {family.ip} prefix to {family.ip} daddr map {{ {table} }}"


def _each(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for before, after in pairs:
        (low, high), (start, _) = ranges.parse(before), ranges.parse(after)
        if high - low >= MOST_WITH_PORT:
            raise ValueError(f"{before} is more than {MOST_WITH_PORT} addresses to translate with a port")
        for step in range(high - low + 1):
            yield ranges.address(low + step), ranges.address(start + step)
