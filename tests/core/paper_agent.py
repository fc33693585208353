"""An agent on paper: what becomes of a packet, read from nothing but the sections that nodes get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, NamedTuple

from provisioning.core.values.addresses import V6_OFFSET, address_number
from provisioning.core.values.resource import Resource

Section = Mapping[str, Any]


class Packet(NamedTuple):
    source: int
    destination: int
    protocol: str
    port: int | None


class Fate(NamedTuple):
    """``word``: delivered, denied, local, spoofed, isolated or no_route."""

    word: str
    rule: str | None = None
    chain: tuple[str, ...] = ()


class PaperAgent:
    def __init__(self, resources: Mapping[str, Resource]) -> None:
        bodies = {address: one.body for address, one in resources.items()}
        self.segments = {one.body["segment"]: one.body for one in resources.values() if one.kind == "exchange.segment"}
        self.services = {
            body["segment"]: body["services"] for body in bodies.values() if set(body) >= {"index", "services"}
        }
        self.instances = {body["service"]: body for body in bodies.values() if "product" in body}
        self.links = {
            (link["segment"], one.address.partition("/")[2]): link
            for one in resources.values()
            for link in one.body.get("links", ())
        }

    def sent(self, segment: str, connector: str, packet: Packet) -> Fate:
        """A flow that begins behind a connector."""
        section, link = self.segments[segment], self.links[segment, connector]
        packet = _outwards(link["nat_rules"], packet)
        members = [one for one in section["members"] if one["connector"] == connector]
        start = next((one for one in members if within(one["sources"], packet.source)), None)
        if start is None:
            return Fate("spoofed")
        if (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
            return Fate("no_route")
        if packet.protocol == ("icmp" if packet.source >= V6_OFFSET else "icmpv6"):
            return Fate("no_route")
        end = next((one for one in section["members"] if within(one["ranges"], packet.destination)), None)
        if end is not None:
            if end["connector"] == connector:
                return Fate("local")
            return self._inside(section, start, end, packet)
        for other, host, ranges in self._others(section):
            if within(ranges, packet.destination):
                return self._across(section, self.segments[other], host, start, packet)
        if packet.destination >= V6_OFFSET or not section["exits"] or within(section["private"], packet.destination):
            return Fate("no_route")
        return self._ruled(section, [_first(section["rules"], names(start), {"internet"}, packet)], [], packet)

    def from_internet(self, packet: Packet) -> Fate:
        for section in sorted(self.segments.values(), key=lambda one: int(one["number"])):
            for app in section["apps"]:
                if (address_number(app["public"]), app["protocol"], app["port"]) == packet[1:]:
                    matched = _first(section["rules"], {"internet"}, {app["id"]}, packet)
                    return self._ruled(section, [matched], [], packet)
        return Fate("no_route")

    def _inside(self, section: Section, start: Section, end: Section, packet: Packet) -> Fate:
        if self._closed(section, section, start["connector"], end["connector"], packet):
            return Fate("no_route")
        matched = _first(section["rules"], names(start), _called(section["sets"], packet.destination), packet)
        if matched is None and section["stance"] == "open":
            return Fate("delivered")
        return self._ruled(section, [matched], [], packet)

    def _others(self, section: Section) -> Iterator[tuple[str, Section, list[str]]]:
        """(segment, host, addresses of it that are seen here)."""
        for guest in section["guests"]:
            yield guest["segment"], section, guest["ranges"]
        for one in section["handover"]:
            yield one["segment"], self.segments[one["segment"]], one["ranges"]

    def _across(self, section: Section, other: Section, host: Section, start: Section, packet: Packet) -> Fate:
        """Between two segments; one of them is the host, whose section alone decides."""
        end = next(one for one in other["members"] if within(one["ranges"], packet.destination))
        if end["connector"] == start["connector"]:
            return Fate("local")
        passage = next((one for one in host["passages"] if _carries(one, section, other, packet)), None)
        if passage is None:
            return Fate("isolated")
        if self._closed(section, other, start["connector"], end["connector"], packet):
            return Fate("no_route")
        matched: list[Section | None] = []
        for one in (section, other):
            mine = host if one is host else host["foreign"][one["segment"]]
            called = _called(mine["sets"], packet.destination)
            matched.append(_first(mine["rules"], names(start), called, packet))
        chains = [
            matched[0]["chain"] if matched[0] else [],
            passage["chain"],
            matched[1]["chain"] if matched[1] else [],
        ]
        chain = list(dict.fromkeys(key for some in chains for key in some))
        return self._ruled(host, matched, chain, packet, passage["id"])

    def _closed(self, section: Section, other: Section, one: str, two: str, packet: Packet) -> bool:
        """Whether a route is kept from either end or from who gets replies, or no translation takes the packet in."""
        near, far = self.links[section["segment"], one], self.links[other["segment"], two]
        if within(near["blind"], packet.destination) or within(far["blind"], packet.source):
            return True
        owner = next((m["connector"] for m in section["members"] if within(m["ranges"], packet.source)), one)
        if within(self.links[section["segment"], owner]["blind"], packet.destination):
            return True
        inbound = [rule for rule in far["nat_rules"] if rule["direction"] == "inbound"]
        return not _is_plain(far, packet.destination) and not any(_fits(rule, packet) for rule in inbound)

    def _ruled(
        self,
        section: Section,
        matched: Sequence[Section | None],
        chain: Sequence[str],
        packet: Packet,
        otherwise: str | None = None,
    ) -> Fate:
        found = [rule for rule in matched if rule]
        if not found and otherwise is None:
            return Fate("denied")
        for rule in found:
            if rule["action"] == "deny":
                return Fate("denied", rule["id"])
        alive = []
        for key in chain or (found[0]["chain"] if found else ()):
            service = self.services[section["segment"]][key]
            if service["instances"]:
                alive.append(key)
            elif service["on_failure"] == "closed":
                return Fate("denied")
        for key in alive:
            instance = self.instances[key]
            first = next((one["action"] for one in instance["rules"] if _fits(one, packet)), instance["default"])
            if first == "deny":
                return Fate("denied")
        return Fate("delivered", found[0]["id"] if found else otherwise, tuple(alive))


def within(ranges: Iterable[str], address: int) -> bool:
    spans = (tuple(map(address_number, text.split("-"))) for text in ranges)
    return any(low <= address <= high for low, high in spans)


def names(member: Section) -> set[str]:
    """What rules may call a sender; the circuit it came in by tells who it is."""
    return {"any", f"c:{member['connector']}", f"g:{member['group']}"}


def _called(sets: Mapping[str, Sequence[str]], address: int) -> set[str]:
    return {name for name, ranges in sets.items() if within(ranges, address)}


def _first(rules: Sequence[Section], from_: set[str], to: set[str], packet: Packet) -> Section | None:
    for rule in rules:
        named = not from_.isdisjoint(rule["from"]) and not to.isdisjoint(rule["to"])
        if rule["action"] != "watch" and named and _fits(rule, packet):
            return rule
    return None


def _fits(rule: Section, packet: Packet) -> bool:
    spans = [tuple(map(int, (text.split("-") * 2)[:2])) for text in rule["ports"]]
    return (
        rule["protocol"] in ("any", packet.protocol)
        and (not spans or any(low <= (packet.port or 0) <= high for low, high in spans))
        and (rule["source"] is None or within(rule["source"], packet.source))
        and (rule["destination"] is None or within(rule["destination"], packet.destination))
    )


def _carries(passage: Section, section: Section, other: Section, packet: Packet) -> bool:
    for near, far in (("a", "b"), ("b", "a")):
        if (passage[near]["segment"], passage[far]["segment"]) == (section["segment"], other["segment"]):
            held = within(passage[near]["ranges"], packet.source) and within(passage[far]["ranges"], packet.destination)
            return held and near in passage["initiate"]
    return False


def _is_plain(link: Section, address: int) -> bool:
    """Whether the address is behind the link under its own name."""
    hidden = [
        rule["source"] if rule["source"] is not None else ["0.0.0.0-255.255.255.255", "::-" + "ffff:" * 7 + "ffff"]
        for rule in link["nat_rules"]
        if rule["direction"] == "outbound" and rule["to_source"]["type"] != "none"
        if rule["destination"] is None and rule["protocol"] == "any"
    ]
    return within(map(_span, link["inside"]), address) and not any(within(ranges, address) for ranges in hidden)


def _span(prefix: str) -> str:
    network = ip_network(prefix)
    return f"{network[0]}-{network[-1]}"


def _outwards(rules: Sequence[Section], packet: Packet) -> Packet:
    rule = next((one for one in rules if one["direction"] == "outbound" and _fits(one, packet)), None)
    if rule is None:
        return packet
    source, destination = rule["to_source"], rule["to_destination"]
    if source["type"] == "static":
        packet = packet._replace(source=_mapped(source, packet.source))
    elif source["type"] == "pool":
        packet = packet._replace(source=address_number(source["to"][0].partition("/")[0]))
    if destination["type"] == "static":
        packet = packet._replace(destination=_mapped(destination, packet.destination))
        packet = packet._replace(port=destination["port"] or packet.port)
    return packet


def _mapped(translation: Section, address: int) -> int:
    for before, after in zip(translation["from"], translation["to"], strict=True):
        if within([_span(before)], address):
            low = address_number(before.partition("/")[0])
            return address_number(after.partition("/")[0]) + address - low
    return address
