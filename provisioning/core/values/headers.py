"""What rules match of a packet's headers besides addresses: protocol with ports or ICMP types, source ports, DSCP."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from provisioning.core.values.addresses import Range, contains, merge_ranges, subtract
from provisioning.core.values.dscp import MAX_DSCP, dscp_text
from provisioning.core.values.icmp_types import FLOW_ICMP_TYPES, icmp_type_text
from provisioning.core.values.l4 import (
    ALL_L4,
    FLOW_L4,
    IPV4_L4,
    IPV6_L4,
    L4Ranges,
    each_number,
    icmp_parts,
    icmp_type,
    l4_index,
    other_protocols,
    port_parts,
    protocol_and_port,
    span_text,
    span_texts,
)

Ranges = tuple[Range, ...]

EVERY_SOURCE_PORT: Ranges = ((0, 65535),)
EVERY_DSCP: Ranges = ((0, MAX_DSCP),)

EPHEMERAL_PORT = 49152
"""The first of the ports that clients send from (RFC 6335, section 6)."""

MAX_LISTED_PROTOCOLS = 12
"""Protocols without a name that a description lists; more are called ``other``."""


class Headers(NamedTuple):
    """Of the first packet of a flow. l4: its protocol with port or ICMP type (see l4.py); source_port: without meaning
    where the protocol has none."""

    l4: int
    source_port: int = EPHEMERAL_PORT
    dscp: int = 0


@dataclass(frozen=True, slots=True)
class PacketHeaders:
    """Headers of one packet as people read them; None where the protocol has no such field."""

    protocol: str
    port: int | None
    source_port: int | None
    icmp_type: str | None
    dscp: int


def header_fields(headers: Headers) -> dict[str, Any]:
    """Return the fields of ``PacketHeaders``."""
    protocol, port = protocol_and_port(headers.l4)
    number = icmp_type(headers.l4)
    return {
        "protocol": protocol,
        "port": port,
        "source_port": None if port is None else headers.source_port,
        "icmp_type": None if number is None else icmp_type_text(protocol, number),
        "dscp": headers.dscp,
    }


class HeaderMatch(NamedTuple):
    """Three lists of ranges, each sorted and disjoint. One that narrows source ports is about tcp and udp only."""

    l4: L4Ranges
    source_ports: Ranges = EVERY_SOURCE_PORT
    dscp: Ranges = EVERY_DSCP

    def has(self, l4: int, source_port: int, dscp: int) -> bool:
        return (
            contains(self.l4, l4)
            and (self.source_ports is EVERY_SOURCE_PORT or contains(self.source_ports, source_port))
            and (self.dscp is EVERY_DSCP or contains(self.dscp, dscp))
        )

    def covers(self, other: HeaderMatch) -> bool:
        return not any(map(subtract, other, self))


def partition(whole: Ranges, parts: Collection[Ranges]) -> list[Ranges]:
    """Return the classes of a line of numbers that some lists of ranges do not tell apart, in the order of their first
    numbers."""
    cuts = sorted({edge for ranges in (whole, *parts) for low, high in ranges for edge in (low, high + 1)})
    classes: dict[tuple[bool, ...], list[Range]] = {}
    for low, after in pairwise(cuts):
        within = tuple(contains(ranges, low) for ranges in parts)
        classes.setdefault(within, []).append((low, after - 1))
    return [merge_ranges(ranges) for ranges in classes.values()]


class HeaderDescription(NamedTuple):
    """A protocol with what is matched of it, as people write it; an empty list means all. example: one of them."""

    protocol: str
    ports: tuple[str, ...]
    icmp_types: tuple[str, ...]
    source_ports: tuple[str, ...]
    dscp: tuple[str, ...]
    example: Headers


def narrowing_text(source_ports: Sequence[str], dscp: Sequence[str | int]) -> str:
    """Return what is said of source ports and DSCP behind a protocol and its ports: `` from source port 123``."""
    code_points = (dscp_text(point, point) if isinstance(point, int) else point for point in dscp)
    parts = (
        f" from source port {', '.join(source_ports)}" if source_ports else "",
        f" with DSCP {', '.join(code_points)}" if dscp else "",
    )
    return "".join(parts)


def describe_headers(match: HeaderMatch) -> list[HeaderDescription]:
    """Describe a match protocol by protocol.

    All that one family carries is ``any``, though the other family's ICMP is missing. Protocols beyond those listed
    are ``other``.
    """
    source_ports = () if match.source_ports == EVERY_SOURCE_PORT else tuple(_span_texts(match.source_ports))
    dscp = () if match.dscp == EVERY_DSCP else tuple(dscp_text(low, high) for low, high in match.dscp)
    return [
        HeaderDescription(
            protocol,
            ports,
            icmp_types,
            source_ports,
            dscp,
            representative_headers(match._replace(l4=ranges)),
        )
        for protocol, ports, icmp_types, ranges in _describe_l4(match.l4)
    ]


_WITHOUT_PORTS = [([*icmp_parts(full)], other_protocols(full)) for full in (FLOW_L4, IPV4_L4, IPV6_L4)]
"""All that flows of either family, or of one, are besides tcp and udp."""

_Described = tuple[str, tuple[str, ...], tuple[str, ...], L4Ranges]
"""Protocol, ports, ICMP types, and the intervals that they are."""


def _describe_l4(ranges: L4Ranges) -> list[_Described]:
    if ranges in (ALL_L4, FLOW_L4, IPV4_L4, IPV6_L4):
        return [("any", (), (), ranges)]
    described: list[_Described] = [
        (protocol, span_texts(protocol, clipped), (), clipped) for protocol, clipped in port_parts(ranges)
    ]
    icmp, others = [*icmp_parts(ranges)], other_protocols(ranges)
    if (icmp, others) in _WITHOUT_PORTS:
        pings = ((l4_index(protocol),) * 2 for protocol, _ in icmp)
        return [*described, ("other", (), (), (*others, *pings))]
    for protocol, types in icmp:
        is_whole = set(types).issuperset(FLOW_ICMP_TYPES[protocol])
        names = () if is_whole else tuple(icmp_type_text(protocol, number) for number in types)
        numbers = (l4_index(protocol, number) for number in types)
        described.append((protocol, (), names, tuple((l4, l4) for l4 in numbers)))
    if sum(high - low + 1 for low, high in others) > MAX_LISTED_PROTOCOLS:
        return [*described, ("other", (), (), others)]
    return [*described, *((protocol_and_port(l4)[0], (), (), ((l4, l4),)) for l4 in each_number(others))]


def representative_headers(match: HeaderMatch) -> Headers:
    """Return headers of a match that people know: https, ssh, dns or ping, from an ephemeral port, DSCP 0.

    Otherwise the first numbers that programs use; port 0 only where there is no other.
    """
    return Headers(_representative_l4(match.l4), _one_of(EPHEMERAL_PORT, match.source_ports), _one_of(0, match.dscp))


def _one_of(usual: int, ranges: Ranges) -> int:
    return usual if any(low <= usual <= high for low, high in ranges) else ranges[0][0]


def _representative_l4(ranges: L4Ranges) -> int:
    well_known = (("tcp", 443), ("tcp", 22), ("udp", 53), ("icmp", None), ("icmpv6", None))
    for l4 in (l4_index(protocol, port) for protocol, port in well_known):
        if any(low <= l4 <= high for low, high in ranges):
            return l4
    zeros = (l4_index("tcp", 0), l4_index("udp", 0))
    usable = (low + (low in zeros) for low, high in ranges if low < high or low not in zeros)
    return next(usable, ranges[0][0])


def _span_texts(ranges: Ranges) -> Iterable[str]:
    return (span_text(low, high) for low, high in ranges)
