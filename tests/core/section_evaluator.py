"""An agent on paper: what becomes of a packet, read from nothing but the sections that nodes get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, NamedTuple

from provisioning.core.values.addresses import V6_OFFSET, address_number
from provisioning.core.values.resource import Resource

Section = Mapping[str, Any]


class SectionPacket(NamedTuple):
    source: int
    destination: int
    protocol: str
    port: int | None


class SectionOutcome(NamedTuple):
    """``word``: delivered, denied, local, spoofed, isolated or no_route."""

    word: str
    rule: str | None = None
    chain: tuple[str, ...] = ()


class SectionEvaluator:
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

    def sent(self, segment: str, connector: str, packet: SectionPacket) -> SectionOutcome:
        """A flow that begins behind a connector."""
        section, link = self.segments[segment], self.links[segment, connector]
        packet = _translate_outbound(link["nat_rules"], packet)
        members = [one for one in section["members"] if one["connector"] == connector]
        start = next((one for one in members if is_within(one["sources"], packet.source)), None)
        if start is None:
            return SectionOutcome("spoofed")
        if (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
            return SectionOutcome("no_route")
        if packet.protocol == ("icmp" if packet.source >= V6_OFFSET else "icmpv6"):
            return SectionOutcome("no_route")
        end = next((one for one in section["members"] if is_within(one["ranges"], packet.destination)), None)
        if end is not None:
            if end["connector"] == connector:
                return SectionOutcome("local")
            return self._inside(section, start, end, packet)
        for other, host, ranges in self._others(section):
            if is_within(ranges, packet.destination):
                return self._across(section, self.segments[other], host, start, packet)
        if packet.destination >= V6_OFFSET or not section["exits"] or is_within(section["bogons"], packet.destination):
            return SectionOutcome("no_route")
        return self._ruled(section, [_first_match(section["rules"], names(start), {"internet"}, packet)], [], packet)

    def from_internet(self, packet: SectionPacket) -> SectionOutcome:
        for section in sorted(self.segments.values(), key=lambda one: int(one["number"])):
            for app in section["apps"]:
                if (address_number(app["public"]), app["protocol"], app["port"]) == packet[1:]:
                    matched = _first_match(section["rules"], {"internet"}, {app["id"]}, packet)
                    return self._ruled(section, [matched], [], packet)
        return SectionOutcome("no_route")

    def _inside(self, section: Section, start: Section, end: Section, packet: SectionPacket) -> SectionOutcome:
        if self._closed(section, section, start["connector"], end["connector"], packet):
            return SectionOutcome("no_route")
        matched = _first_match(
            section["rules"], names(start), _names_of_address(section["address_sets"], packet.destination), packet
        )
        if matched is None and section["default_action"] == "allow":
            return SectionOutcome("delivered")
        return self._ruled(section, [matched], [], packet)

    def _others(self, section: Section) -> Iterator[tuple[str, Section, list[str]]]:
        """(segment, host, addresses of it that are seen here)."""
        for guest in section["imported_members"]:
            yield guest["segment"], section, guest["ranges"]
        for one in section["deciding_peers"]:
            yield one["segment"], self.segments[one["segment"]], one["ranges"]

    def _across(
        self, section: Section, other: Section, host: Section, start: Section, packet: SectionPacket
    ) -> SectionOutcome:
        """Between two segments; one of them is the host, whose section alone decides."""
        end = next(one for one in other["members"] if is_within(one["ranges"], packet.destination))
        if end["connector"] == start["connector"]:
            return SectionOutcome("local")
        passage = next((one for one in host["shares"] if _is_carried_by_share(one, section, other, packet)), None)
        if passage is None:
            return SectionOutcome("isolated")
        if self._closed(section, other, start["connector"], end["connector"], packet):
            return SectionOutcome("no_route")
        matched: list[Section | None] = []
        for one in (section, other):
            mine = host if one is host else host["peer_rules"][one["segment"]]
            called = _names_of_address(mine["address_sets"], packet.destination)
            matched.append(_first_match(mine["rules"], names(start), called, packet))
        chains = [
            matched[0]["chain"] if matched[0] else [],
            passage["chain"],
            matched[1]["chain"] if matched[1] else [],
        ]
        chain = list(dict.fromkeys(key for some in chains for key in some))
        return self._ruled(host, matched, chain, packet, passage["id"])

    def _closed(self, section: Section, other: Section, one: str, two: str, packet: SectionPacket) -> bool:
        """Whether a route is kept from either end or from who gets replies, or no translation takes the packet in."""
        near, far = self.links[section["segment"], one], self.links[other["segment"], two]
        if is_within(near["filtered_routes"], packet.destination) or is_within(far["filtered_routes"], packet.source):
            return True
        owner = next((m["connector"] for m in section["members"] if is_within(m["ranges"], packet.source)), one)
        if is_within(self.links[section["segment"], owner]["filtered_routes"], packet.destination):
            return True
        inbound = [rule for rule in far["nat_rules"] if rule["direction"] == "inbound"]
        return not _is_plain(far, packet.destination) and not any(_is_match(rule, packet) for rule in inbound)

    def _ruled(
        self,
        section: Section,
        matched: Sequence[Section | None],
        chain: Sequence[str],
        packet: SectionPacket,
        otherwise: str | None = None,
    ) -> SectionOutcome:
        found = [rule for rule in matched if rule]
        if not found and otherwise is None:
            return SectionOutcome("denied")
        for rule in found:
            if rule["action"] == "deny":
                return SectionOutcome("denied", rule["id"])
        alive = []
        for key in chain or (found[0]["chain"] if found else ()):
            service = self.services[section["segment"]][key]
            if service["instances"]:
                alive.append(key)
            elif service["on_failure"] == "closed":
                return SectionOutcome("denied")
        for key in alive:
            instance = self.instances[key]
            first = next(
                (one["action"] for one in instance["rules"] if _is_match(one, packet)), instance["default_action"]
            )
            if first == "deny":
                return SectionOutcome("denied")
        return SectionOutcome("delivered", found[0]["id"] if found else otherwise, tuple(alive))


def is_within(ranges: Iterable[str], address: int) -> bool:
    spans = (tuple(map(address_number, text.split("-"))) for text in ranges)
    return any(low <= address <= high for low, high in spans)


def names(member: Section) -> set[str]:
    """What rules may call a sender; the circuit it came in by tells who it is."""
    return {"any", f"c:{member['connector']}", f"g:{member['group']}"}


def _names_of_address(sets: Mapping[str, Sequence[str]], address: int) -> set[str]:
    return {name for name, ranges in sets.items() if is_within(ranges, address)}


def _first_match(rules: Sequence[Section], from_: set[str], to: set[str], packet: SectionPacket) -> Section | None:
    for rule in rules:
        named = not from_.isdisjoint(rule["from"]) and not to.isdisjoint(rule["to"])
        if rule["action"] != "watch" and named and _is_match(rule, packet):
            return rule
    return None


def _is_match(rule: Section, packet: SectionPacket) -> bool:
    spans = [tuple(map(int, (text.split("-") * 2)[:2])) for text in rule["ports"]]
    return (
        rule["protocol"] in ("any", packet.protocol)
        and (not spans or any(low <= (packet.port or 0) <= high for low, high in spans))
        and (rule["source"] is None or is_within(rule["source"], packet.source))
        and (rule["destination"] is None or is_within(rule["destination"], packet.destination))
    )


def _is_carried_by_share(passage: Section, section: Section, other: Section, packet: SectionPacket) -> bool:
    for near, far in (("a", "b"), ("b", "a")):
        if (passage[near]["segment"], passage[far]["segment"]) == (section["segment"], other["segment"]):
            held = is_within(passage[near]["ranges"], packet.source) and is_within(
                passage[far]["ranges"], packet.destination
            )
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
    return is_within(map(_span, link["inside"]), address) and not any(is_within(ranges, address) for ranges in hidden)


def _span(prefix: str) -> str:
    network = ip_network(prefix)
    return f"{network[0]}-{network[-1]}"


def _translate_outbound(rules: Sequence[Section], packet: SectionPacket) -> SectionPacket:
    rule = next((one for one in rules if one["direction"] == "outbound" and _is_match(one, packet)), None)
    if rule is None:
        return packet
    source, destination = rule["to_source"], rule["to_destination"]
    if source["type"] == "static":
        packet = packet._replace(source=_map_address(source, packet.source))
    elif source["type"] == "pool":
        packet = packet._replace(source=address_number(source["to"][0].partition("/")[0]))
    if destination["type"] == "static":
        packet = packet._replace(destination=_map_address(destination, packet.destination))
        packet = packet._replace(port=destination["port"] or packet.port)
    return packet


def _map_address(translation: Section, address: int) -> int:
    for before, after in zip(translation["from"], translation["to"], strict=True):
        if is_within([_span(before)], address):
            low = address_number(before.partition("/")[0])
            return address_number(after.partition("/")[0]) + address - low
    return address
