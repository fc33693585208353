"""Decide packets from the sections that nodes get, as an agent's data plane would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, NamedTuple

from provisioning.core.values.addresses import V6_OFFSET, address_number
from provisioning.core.values.resource import Resource
from tests.core.flow_headers import REQUESTS

Section = Mapping[str, Any]


class SectionPacket(NamedTuple):
    """``port`` is the type of ICMP, and 0 for protocols without."""

    source: int
    destination: int
    protocol: str
    port: int
    source_port: int = 49152
    dscp: int = 0


class SectionOutcome(NamedTuple):
    """``word``: delivered, denied, local, spoofed, isolated or no_route."""

    word: str
    rule: str | None = None
    chain: tuple[str, ...] = ()


class SectionEvaluator:
    def __init__(self, resources: Mapping[str, Resource]) -> None:
        bodies = {address: resource.body for address, resource in resources.items()}
        self.segments = {
            resource.body["segment"]: resource.body
            for resource in resources.values()
            if resource.kind == "exchange.segment"
        }
        self.services = {
            body["segment"]: body["services"] for body in bodies.values() if set(body) >= {"index", "services"}
        }
        self.instances = {body["service"]: body for body in bodies.values() if "product" in body}
        self.links = {
            (link["segment"], resource.address.partition("/")[2]): link
            for resource in resources.values()
            for link in resource.body.get("links", ())
        }

    def sent(self, segment: str, connector: str, packet: SectionPacket) -> SectionOutcome:
        """Return the outcome of a flow that starts behind a connector."""
        section, link = self.segments[segment], self.links[segment, connector]
        packet = _translate_outbound(link["nat_rules"], packet)
        members = [member for member in section["members"] if member["connector"] == connector]
        start = next((member for member in members if is_within(member["sources"], packet.source)), None)
        if start is None:
            return SectionOutcome("spoofed")
        if (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
            return SectionOutcome("no_route")
        if packet.protocol == ("icmp" if packet.source >= V6_OFFSET else "icmpv6"):
            return SectionOutcome("no_route")
        if packet.port not in REQUESTS.get(packet.protocol, (packet.port,)):
            return SectionOutcome("no_route")
        end = _owner_of(section, packet.destination)
        if end is not None:
            if self._is_local(section, start, end):
                return SectionOutcome("local")
            return self._inside(section, start, end, packet)
        for other, decider, ranges in self._peers(section):
            if is_within(ranges, packet.destination):
                return self._across(section, self.segments[other], decider, start, packet)
        if (to_application := self._to_application(section, names(start), packet)) is not None:
            return to_application
        for peer in section["deciding_peers"]:
            if start["id"] in peer.get("leaving", ()) and is_within(peer["internet"], packet.destination):
                egress = self.segments[peer["segment"]]
                return self._across(section, egress, egress, start, packet)
        if not start.get("exit", section["exits"]):
            return SectionOutcome("no_route")
        if packet.destination >= V6_OFFSET or is_within(section["bogons"], packet.destination):
            return SectionOutcome("no_route")
        return self._ruled(section, [_first_match(section["rules"], names(start), {"internet"}, packet)], [], packet)

    def _is_local(self, section: Section, start: Section, end: Section) -> bool:
        """Return whether both are behind one connector, whose packets are not those of separate clients."""
        link = self.links[section["segment"], start["connector"]]
        return bool(start["connector"] == end["connector"] and link["transport"] != "clients")

    def from_internet(self, packet: SectionPacket) -> SectionOutcome:
        for section in sorted(self.segments.values(), key=lambda segment: int(segment["number"])):
            if (outcome := self._to_application(section, {"internet"}, packet)) is not None:
                return outcome
        return SectionOutcome("no_route")

    def _to_application(self, section: Section, starts: set[str], packet: SectionPacket) -> SectionOutcome | None:
        """Return the outcome of a flow to an internet application's public address; None where there is none."""
        for app in section["apps"]:
            if (address_number(app["public"]), app["protocol"], app["port"]) == packet[1:4]:
                return self._ruled(section, [_first_match(section["rules"], starts, {app["id"]}, packet)], [], packet)
        return None

    def _inside(self, section: Section, start: Section, end: Section, packet: SectionPacket) -> SectionOutcome:
        if self._closed(section, section, start["connector"], end["connector"], packet):
            return SectionOutcome("no_route")
        matched = _first_match(
            section["rules"], names(start), _names_of_address(section["address_sets"], packet.destination), packet
        )
        if matched is None and section["default_action"] == "allow":
            return SectionOutcome("delivered")
        return self._ruled(section, [matched], [], packet)

    def _peers(self, section: Section) -> Iterator[tuple[str, Section, list[str]]]:
        """Yield (other segment, the deciding segment of the two, the peer's imported addresses)."""
        for member in section["imported_members"]:
            yield member["segment"], section, member["ranges"]
        for peer in section["deciding_peers"]:
            yield peer["segment"], self.segments[peer["segment"]], peer["ranges"]

    def _across(
        self, section: Section, other: Section, decider: Section, start: Section, packet: SectionPacket
    ) -> SectionOutcome:
        """Return the outcome of a flow between two segments; the section of ``decider`` alone decides."""
        end = _owner_of(other, packet.destination)
        if end is not None and self._is_local(section, start, end):
            return SectionOutcome("local")
        carrying = (entry for entry in decider["shares"] if _is_carried_by_share(entry, section, other, packet))
        share = next(carrying, None)
        if share is None:
            return SectionOutcome("isolated")
        if end is not None and self._closed(section, other, start["connector"], end["connector"], packet):
            return SectionOutcome("no_route")
        matched: list[Section | None] = []
        for segment in (section, other):
            rule_set = decider if segment is decider else decider["peer_rules"][segment["segment"]]
            destination_names = {"internet"}
            if end is not None:
                destination_names = _names_of_address(rule_set["address_sets"], packet.destination)
            matched.append(_first_match(rule_set["rules"], names(start), destination_names, packet))
        chains = [
            matched[0]["chain"] if matched[0] else [],
            share["chain"],
            matched[1]["chain"] if matched[1] else [],
        ]
        chain = list(dict.fromkeys(key for services in chains for key in services))
        return self._ruled(decider, matched, chain, packet, share["id"] if end is not None else None)

    def _closed(self, section: Section, other: Section, sender: str, receiver: str, packet: SectionPacket) -> bool:
        """Return whether a route is filtered for an end or the receiver of replies, or no inbound NAT rule matches."""
        near, far = self.links[section["segment"], sender], self.links[other["segment"], receiver]
        if is_within(near["filtered_routes"], packet.destination) or is_within(far["filtered_routes"], packet.source):
            return True
        if any(
            is_within(entry["sources"], packet.source) and is_within(entry["destinations"], packet.destination)
            for entry in section.get("unanswered", ())
        ):
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
        rules = [rule for rule in matched if rule]
        if not rules and otherwise is None:
            return SectionOutcome("denied")
        for rule in rules:
            if rule["action"] == "deny":
                return SectionOutcome("denied", rule["id"])
        alive = []
        for key in chain or (rules[0]["chain"] if rules else ()):
            service = self.services[section["segment"]][key]
            if service["instances"]:
                alive.append(key)
            elif service["on_failure"] == "closed":
                return SectionOutcome("denied")
        for key in alive:
            instance = self.instances[key]
            actions = (rule["action"] for rule in instance["rules"] if _is_match(rule, packet))
            first = next(actions, instance["default_action"])
            if first == "deny":
                return SectionOutcome("denied")
        return SectionOutcome("delivered", rules[0]["id"] if rules else otherwise, tuple(alive))


def is_within(ranges: Iterable[str], address: int) -> bool:
    spans = (tuple(map(address_number, text.split("-"))) for text in ranges)
    return any(low <= address <= high for low, high in spans)


def _owner_of(section: Section, address: int) -> Section | None:
    """Return the member that the address is routed to."""
    return next((member for member in section["members"] if is_within(member["ranges"], address)), None)


def names(member: Section) -> set[str]:
    """Return the names that rules use for a sender, which is known by the circuit its packet came in on."""
    return {"any", f"c:{member['connector']}", *(f"g:{group}" for group in member["groups"])}


def _names_of_address(sets: Mapping[str, Sequence[str]], address: int) -> set[str]:
    return {name for name, ranges in sets.items() if is_within(ranges, address)}


def _first_match(rules: Sequence[Section], from_: set[str], to: set[str], packet: SectionPacket) -> Section | None:
    passed_tier = None
    for rule in rules:
        named = not from_.isdisjoint(rule["from"]) and not to.isdisjoint(rule["to"])
        if rule["mode"] == "enforce" and rule["tier"] != passed_tier and named and _is_match(rule, packet):
            if rule["action"] != "pass":
                return rule
            passed_tier = rule["tier"]
    return None


def _is_match(rule: Section, packet: SectionPacket) -> bool:
    return (
        any(_is_l4_match(part, packet) for part in rule["l4"])
        and _is_narrowed_to(rule, packet)
        and (rule["source"] is None or is_within(rule["source"], packet.source))
        and (rule["destination"] is None or is_within(rule["destination"], packet.destination))
    )


def _is_l4_match(part: Section, packet: SectionPacket) -> bool:
    has_port = _is_in_spans(part["ports"], packet.port) and packet.port in part.get("icmp_types", (packet.port,))
    return part["protocol"] in ("any", packet.protocol) and has_port


def _is_narrowed_to(rule: Section, packet: SectionPacket) -> bool:
    """NAT rules match no source ports and no DSCP."""
    return _is_in_spans(rule.get("source_ports", ()), packet.source_port) and rule.get("dscp") in (None, packet.dscp)


def _is_in_spans(texts: Iterable[str], number: int) -> bool:
    spans = [tuple(map(int, (text.split("-") * 2)[:2])) for text in texts]
    return not spans or any(low <= number <= high for low, high in spans)


def _is_carried_by_share(share: Section, section: Section, other: Section, packet: SectionPacket) -> bool:
    for near, far in (("a", "b"), ("b", "a")):
        if (share[near]["segment"], share[far]["segment"]) == (section["segment"], other["segment"]):
            has_source = is_within(share[near]["ranges"], packet.source)
            has_destination = is_within(share[far]["ranges"], packet.destination)
            return has_source and has_destination and near in share["initiate"]
    return False


def _is_plain(link: Section, address: int) -> bool:
    """Return whether the address is behind the link and not translated."""
    hidden = [
        rule["source"] if rule["source"] is not None else ["0.0.0.0-255.255.255.255", "::-" + "ffff:" * 7 + "ffff"]
        for rule in link["nat_rules"]
        if rule["direction"] == "outbound" and rule["to_source"]["type"] != "none"
        if rule["destination"] is None and rule["l4"][0]["protocol"] == "any"
    ]
    return is_within(map(_span, link["inside"]), address) and not any(is_within(ranges, address) for ranges in hidden)


def _span(prefix: str) -> str:
    network = ip_network(prefix)
    return f"{network[0]}-{network[-1]}"


def _translate_outbound(rules: Sequence[Section], packet: SectionPacket) -> SectionPacket:
    outbound = (rule for rule in rules if rule["direction"] == "outbound")
    rule = next((rule for rule in outbound if _is_match(rule, packet)), None)
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
