"""Address translation at the edge of a connector, for one packet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from provisioning.core.intent import NatMatch, NatRule
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.connector_edge import prefix_pairs
from provisioning.core.values.addresses import contains, prefix_range
from provisioning.core.values.headers import EPHEMERAL_PORT, Headers
from provisioning.core.values.l4 import l4_index, l4_ranges, protocol_and_port


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a flow; its headers as in ``Headers``."""

    source: int
    destination: int
    l4: int
    source_port: int = EPHEMERAL_PORT
    dscp: int = 0

    @property
    def headers(self) -> Headers:
        return Headers(self.l4, self.source_port, self.dscp)


@dataclass(frozen=True, slots=True)
class TranslatedPacket:
    """A packet after a NAT rule. pool: the source is one of several addresses; the first of them stands here."""

    rule: NatRule
    packet: Packet
    pool: bool = False


def translate_outbound(rules: Sequence[NatRule], prefixes: ListResolver, packet: Packet) -> TranslatedPacket | None:
    """Return what the network sees of a packet that comes from behind the connector; None where no rule matches it."""
    rule = _first_match(rules, "outbound", prefixes, packet)
    if rule is None:
        return None
    source, pool = packet.source, rule.source.type == "pool"
    if rule.source.type == "static":
        source = _map_address(source, prefix_pairs(prefixes.texts(rule.match.source), rule.source.prefixes))
    elif pool:
        source = prefix_range(rule.source.prefixes[0])[0]
    return TranslatedPacket(rule, _translate_destination(rule, replace(packet, source=source), prefixes), pool)


def translate_inbound(rules: Sequence[NatRule], prefixes: ListResolver, packet: Packet) -> TranslatedPacket | None:
    """Return what the inside sees of a packet that comes from elsewhere; None where no rule matches it."""
    rule = _first_match(rules, "inbound", prefixes, packet)
    if rule is None:
        return None
    source = packet.source
    if rule.source.type == "static":
        source = _map_address(source, prefix_pairs(prefixes.texts(rule.match.source), rule.source.prefixes))
    elif rule.source.type == "pool":
        source = prefix_range(rule.source.prefixes[0])[0]
    translated = _translate_destination(rule, replace(packet, source=source), prefixes)
    return TranslatedPacket(rule, translated, rule.source.type == "pool")


def _translate_destination(rule: NatRule, packet: Packet, prefixes: ListResolver) -> Packet:
    if rule.destination.type == "none":
        return packet
    destination = _map_address(
        packet.destination, prefix_pairs(prefixes.texts(rule.match.destination), rule.destination.prefixes)
    )
    port = rule.destination.port
    l4 = packet.l4 if port is None else l4_index(protocol_and_port(packet.l4)[0], port)
    return replace(packet, destination=destination, l4=l4)


def _first_match(rules: Sequence[NatRule], direction: str, prefixes: ListResolver, packet: Packet) -> NatRule | None:
    return next(
        (rule for rule in rules if rule.direction == direction and _matches(rule.match, prefixes, packet)), None
    )


def _matches(match: NatMatch, prefixes: ListResolver, packet: Packet) -> bool:
    source, destination = prefixes.ranges(match.source), prefixes.ranges(match.destination)
    return (
        (source is None or contains(source, packet.source))
        and (destination is None or contains(destination, packet.destination))
        and any(low <= packet.l4 <= high for low, high in l4_ranges(match.protocol, match.ports))
    )


def _map_address(address: int, translations: Sequence[tuple[str, str]]) -> int:
    for before, after in translations:
        low, high = prefix_range(before)
        if low <= address <= high:
            return prefix_range(after)[0] + address - low
    return address
