"""Protocols with their destination ports or ICMP types, laid out on one line of L4 numbers.

The line holds tcp ports (0 to 65535), then udp ports, then every IP protocol by its number (IANA "Protocol Numbers"),
then the types of ICMP and of ICMPv6. A rule is a few intervals of that line, so "covers", "first match" and "what is
left" are arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from provisioning.core.values.addresses import intersect, merge_ranges, subtract
from provisioning.core.values.icmp_types import FLOW_ICMP_TYPES, icmp_type_number
from provisioning.core.values.protocols import PROTOCOL_NUMBERS

L4Ranges = tuple[tuple[int, int], ...]
"""Intervals of the line, both ends included."""

_PORT_COUNT, _TYPE_COUNT = 65536, 256
_PORT_OFFSETS = {"tcp": 0, "udp": _PORT_COUNT}
_PROTOCOL_OFFSET = 2 * _PORT_COUNT
_TYPE_OFFSETS = {"icmp": _PROTOCOL_OFFSET + 256, "icmpv6": _PROTOCOL_OFFSET + 256 + _TYPE_COUNT}
# Protocols that are matched by port or by type are left out among the numbers.
_OTHER_PROTOCOLS: L4Ranges = tuple(
    (_PROTOCOL_OFFSET + low, _PROTOCOL_OFFSET + high)
    for low, high in subtract(((0, 255),), [(number, number) for number in sorted(PROTOCOL_NUMBERS.values())])
)
_STRETCHES: dict[str, tuple[int, int]] = {
    **{protocol: (offset, offset + _PORT_COUNT - 1) for protocol, offset in _PORT_OFFSETS.items()},
    **{protocol: (offset, offset + _TYPE_COUNT - 1) for protocol, offset in _TYPE_OFFSETS.items()},
}
"""Protocol that is matched by port or by type → its part of the line."""
_PROTOCOL_STRETCHES: L4Ranges = tuple(
    sorted((*_STRETCHES.values(), *((l4, l4) for low, high in _OTHER_PROTOCOLS for l4 in range(low, high + 1))))
)
ALL_L4: L4Ranges = merge_ranges(_PROTOCOL_STRETCHES)
FLOW_L4: L4Ranges = subtract(
    ALL_L4,
    [
        (offset + number, offset + number)
        for protocol, offset in _TYPE_OFFSETS.items()
        for number in range(_TYPE_COUNT)
        if number not in FLOW_ICMP_TYPES[protocol]
    ],
)
"""What flows can begin with: of ICMP only what asks for an answer."""
IPV4_L4: L4Ranges = subtract(FLOW_L4, [_STRETCHES["icmpv6"]])
IPV6_L4: L4Ranges = subtract(FLOW_L4, [_STRETCHES["icmp"]])
"""What each family carries: ICMP is IPv4's (RFC 792), ICMPv6 is IPv6's (RFC 4443), everything else is either's."""


@lru_cache(maxsize=16384)
def l4_ranges(protocol: str | int, ports: tuple[str, ...] = ()) -> L4Ranges:
    """Return the intervals of a protocol and its ports (``443``, ``8000-8080``); no ports means all of them.

    What stands for ports of ICMP are its types, by name or number.
    """
    if protocol == "any":
        return ALL_L4
    stretch = _STRETCHES.get(str(protocol))
    if stretch is None:
        l4 = l4_index(protocol)
        return ((l4, l4),)
    if not ports:
        return (stretch,)
    offset = stretch[0]
    if protocol in _TYPE_OFFSETS:
        types = (icmp_type_number(str(protocol), text) for text in ports)
        return merge_ranges((offset + number, offset + number) for number in types if number is not None)
    return tuple((offset + low, offset + high) for low, high in port_ranges(ports))


def port_ranges(ports: Iterable[str]) -> L4Ranges:
    """Return ports and spans of them as numbers, sorted."""
    bounds = (port.partition("-") for port in ports)
    return tuple(sorted((int(low), int(high or low)) for low, _, high in bounds))


def l4_intersection(one: L4Ranges, other: L4Ranges) -> L4Ranges:
    """Return what both have."""
    if other is ALL_L4 or one is other:
        return one
    return tuple(intersect(one, other))


def l4_union(parts: Iterable[L4Ranges]) -> L4Ranges:
    """Return all of them together."""
    listed = list(parts)
    return listed[0] if len(listed) == 1 else merge_l4(pair for ranges in listed for pair in ranges)


def merge_l4(intervals: Iterable[tuple[int, int]]) -> L4Ranges:
    """Return intervals sorted and merged; protocols stay apart from each other."""
    return tuple(intersect(merge_ranges(intervals), _PROTOCOL_STRETCHES))


class L4Part(NamedTuple):
    """A protocol (``any``, a name or a number as text) with its ports or the numbers of its ICMP types; none: all."""

    protocol: str
    ports: tuple[str, ...] = ()
    icmp_types: tuple[int, ...] = ()


@lru_cache(maxsize=16384)
def l4_parts(ranges: L4Ranges) -> tuple[L4Part, ...]:
    """Return what intervals consist of, protocol by protocol; ``l4_ranges`` of each gives them back."""
    if ranges == ALL_L4:
        return (L4Part("any"),)
    parts = [L4Part(protocol, span_texts(protocol, clipped)) for protocol, clipped in port_parts(ranges)]
    for protocol, types in icmp_parts(ranges):
        parts.append(L4Part(protocol, (), () if len(types) == _TYPE_COUNT else tuple(types)))
    return (*parts, *(L4Part(protocol_and_port(l4)[0]) for l4 in each_number(other_protocols(ranges))))


def port_parts(ranges: L4Ranges) -> Iterator[tuple[str, L4Ranges]]:
    """Yield tcp and udp with the intervals that are theirs, where there are any."""
    for protocol in _PORT_OFFSETS:
        if clipped := intersect(ranges, (_STRETCHES[protocol],)):
            yield protocol, clipped


def icmp_parts(ranges: L4Ranges) -> Iterator[tuple[str, list[int]]]:
    """Yield ICMP and ICMPv6 with the numbers of their types, where there are any."""
    for protocol, offset in _TYPE_OFFSETS.items():
        clipped = intersect(ranges, (_STRETCHES[protocol],))
        if types := [l4 - offset for l4 in each_number(clipped)]:
            yield protocol, types


def other_protocols(ranges: L4Ranges) -> L4Ranges:
    """Return the intervals that are of protocols without ports and types."""
    return intersect(ranges, _OTHER_PROTOCOLS)


def each_number(ranges: L4Ranges) -> Iterator[int]:
    return (number for low, high in ranges for number in range(low, high + 1))


def span_texts(protocol: str, ranges: L4Ranges) -> tuple[str, ...]:
    """Return intervals of a protocol that has ports as people write them; none where they are all."""
    stretch = _STRETCHES[protocol]
    return () if ranges == (stretch,) else tuple(span_text(low - stretch[0], high - stretch[0]) for low, high in ranges)


def is_in_family(l4: int, v6: bool) -> bool:
    """Whether a packet of this family can have this L4 number."""
    low, high = _STRETCHES["icmp" if v6 else "icmpv6"]
    return not low <= l4 <= high


def begins_flow(l4: int) -> bool:
    """Whether a flow can begin with such a packet."""
    return any(low <= l4 <= high for low, high in FLOW_L4)


def l4_index(protocol: str | int, number: int | None = None) -> int:
    """Return the L4 number of one packet. number: port of tcp or udp, or ICMP type, which is a ping's if left out."""
    if protocol in _PORT_OFFSETS:
        return _PORT_OFFSETS[str(protocol)] + (number or 0)
    if protocol in _TYPE_OFFSETS:
        return _TYPE_OFFSETS[str(protocol)] + (FLOW_ICMP_TYPES[str(protocol)][0] if number is None else number)
    return _PROTOCOL_OFFSET + int(protocol)


def protocol_and_port(l4: int) -> tuple[str, int | None]:
    """Return the protocol (name or number as text) and the port of a packet; None where the protocol has no ports."""
    for protocol, (low, high) in _STRETCHES.items():
        if low <= l4 <= high:
            return protocol, l4 - low if protocol in _PORT_OFFSETS else None
    return str(l4 - _PROTOCOL_OFFSET), None


def icmp_type(l4: int) -> int | None:
    """Return the ICMP type of a packet; None where it is of another protocol."""
    protocol = protocol_and_port(l4)[0]
    return l4 - _TYPE_OFFSETS[protocol] if protocol in _TYPE_OFFSETS else None


def is_port_range(text: str) -> bool:
    """Whether a text is a port or a range of ports, as they are stored."""
    return text.replace("-", "", 1).isdigit()


def span_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
