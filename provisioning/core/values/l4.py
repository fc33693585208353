"""What rules match besides addresses: protocols and destination ports, laid out on one line of L4 numbers.

The line holds tcp ports (0 to 65535), then udp ports, then every IP protocol by its number (IANA "Protocol Numbers").
A rule is a few intervals of that line, so "covers", "first match" and "what is left" are arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from provisioning.core.values.addresses import intersect, merge_ranges
from provisioning.core.values.protocols import PROTOCOL_NUMBERS

_PROTOCOL_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}

L4Ranges = tuple[tuple[int, int], ...]
"""Intervals of the line, both ends included."""

_PORT_COUNT = 65536
_PORT_OFFSETS = {"tcp": 0, "udp": _PORT_COUNT}
_PROTOCOL_OFFSET = 2 * _PORT_COUNT
# tcp and udp are matched by port, so their protocol numbers are left out.
_OTHER_PROTOCOLS: L4Ranges = (
    (_PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 5),
    (_PROTOCOL_OFFSET + 7, _PROTOCOL_OFFSET + 16),
    (_PROTOCOL_OFFSET + 18, _PROTOCOL_OFFSET + 255),
)
_PROTOCOL_STRETCHES: L4Ranges = (
    (0, _PORT_COUNT - 1),
    (_PORT_COUNT, 2 * _PORT_COUNT - 1),
    *((l4, l4) for low, high in _OTHER_PROTOCOLS for l4 in range(low, high + 1)),
)
ALL_L4: L4Ranges = ((0, _PROTOCOL_OFFSET + 5), *_OTHER_PROTOCOLS[1:])
_ICMP, _ICMPV6 = _PROTOCOL_OFFSET + PROTOCOL_NUMBERS["icmp"], _PROTOCOL_OFFSET + PROTOCOL_NUMBERS["icmpv6"]

MAX_LISTED_PROTOCOLS = 12
"""Protocols without a name that a description lists; more are called ``other``."""


def _all_except(l4: int) -> L4Ranges:
    """The whole line but for one number."""
    return tuple(
        part
        for low, high in ALL_L4
        for part in (((low, l4 - 1), (l4 + 1, high)) if low <= l4 <= high else ((low, high),))
        if part[0] <= part[1]
    )


IPV4_L4, IPV6_L4 = _all_except(_ICMPV6), _all_except(_ICMP)
"""What each family carries: ICMP is IPv4's (RFC 792), ICMPv6 is IPv6's (RFC 4443), everything else is either's."""
_FULL_RANGES = (ALL_L4, IPV4_L4, IPV6_L4)


@lru_cache(maxsize=16384)
def l4_ranges(protocol: str | int, ports: tuple[str, ...] = ()) -> L4Ranges:
    """Return the intervals of a protocol and its ports (``443``, ``8000-8080``); no ports means all of them."""
    if protocol == "any":
        return ALL_L4
    if protocol in _PORT_OFFSETS:
        offset = _PORT_OFFSETS[str(protocol)]
        if not ports:
            return ((offset, offset + _PORT_COUNT - 1),)
        bounds = (port.partition("-") for port in ports)
        return tuple(sorted((offset + int(low), offset + int(high or low)) for low, _, high in bounds))
    l4 = l4_index(protocol)
    return ((l4, l4),)


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
    """A protocol (``any``, a name or a number as text) with its ports; no ports means all."""

    protocol: str
    ports: tuple[str, ...]


@lru_cache(maxsize=16384)
def l4_parts(ranges: L4Ranges) -> tuple[L4Part, ...]:
    """Return what intervals consist of, protocol by protocol; ``l4_ranges`` of each gives them back."""
    if ranges == ALL_L4:
        return (L4Part("any", ()),)
    parts = []
    for name, offset in _PORT_OFFSETS.items():
        if clipped := _clip(ranges, offset, offset + _PORT_COUNT - 1):
            ports = tuple(_port_text(low - offset, high - offset) for low, high in clipped)
            parts.append(L4Part(name, () if ports == (f"0-{_PORT_COUNT - 1}",) else ports))
    protocols = _clip(ranges, _PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 255)
    return (*parts, *(L4Part(protocol_and_port(l4)[0], ()) for low, high in protocols for l4 in range(low, high + 1)))


def is_in_family(l4: int, v6: bool) -> bool:
    """Whether a packet of this family can have this L4 number."""
    return l4 != (_ICMP if v6 else _ICMPV6)


def l4_index(protocol: str | int, port: int | None = None) -> int:
    """Return the L4 number of one packet; the port counts for tcp and udp only."""
    if protocol in _PORT_OFFSETS:
        return _PORT_OFFSETS[str(protocol)] + (port or 0)
    return _PROTOCOL_OFFSET + int(PROTOCOL_NUMBERS.get(str(protocol), protocol))


def protocol_and_port(l4: int) -> tuple[str, int | None]:
    """Return the protocol (name or number as text) and the port of a packet; None where the protocol has no ports."""
    if l4 < _PROTOCOL_OFFSET:
        return ("tcp", l4) if l4 < _PORT_COUNT else ("udp", l4 - _PORT_COUNT)
    number = l4 - _PROTOCOL_OFFSET
    return _PROTOCOL_NAMES.get(number, str(number)), None


class L4Description(NamedTuple):
    """A protocol and its ports as people write them; no ports means all. example: one L4 number of them."""

    protocol: str
    ports: tuple[str, ...]
    example: int


def describe_l4(intervals: Iterable[tuple[int, int]]) -> list[L4Description]:
    """Describe sorted intervals, protocol by protocol.

    All that one family carries is ``any``, though the other family's ICMP is missing. Protocols beyond those listed
    are ``other``.
    """
    ranges = tuple(intervals)
    if ranges in _FULL_RANGES:
        return [L4Description("any", (), representative_index(ranges))]
    descriptions: list[L4Description] = []
    for name, offset in _PORT_OFFSETS.items():
        clipped = _clip(ranges, offset, offset + _PORT_COUNT - 1)
        if clipped:
            ports = tuple(_port_text(low - offset, high - offset) for low, high in clipped)
            all_ports = ports == (f"0-{_PORT_COUNT - 1}",)
            descriptions.append(L4Description(name, () if all_ports else ports, representative_index(clipped)))
    return descriptions + _describe_protocols(_clip(ranges, _PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 255))


def _describe_protocols(ranges: Sequence[tuple[int, int]]) -> list[L4Description]:
    """Describe the part of the line that holds protocols by number."""
    protocols = [l4 for low, high in ranges for l4 in range(low, high + 1)]
    if any(ranges == _clip(full, _PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 255) for full in _FULL_RANGES):
        listed = []
    elif len(protocols) <= MAX_LISTED_PROTOCOLS:
        listed = protocols
    else:
        listed = [l4 for l4 in protocols if l4 - _PROTOCOL_OFFSET in _PROTOCOL_NAMES]
    descriptions = [L4Description(protocol_and_port(l4)[0], (), l4) for l4 in listed]
    if len(listed) < len(protocols):
        rest = [(l4, l4) for l4 in protocols if l4 not in listed]
        descriptions.append(L4Description("other", (), representative_index(rest)))
    return descriptions


def representative_index(intervals: Sequence[tuple[int, int]]) -> int:
    """Return an L4 number of these intervals that people know: https, ssh, dns or ping where they are among them.

    Otherwise the first number that programs use; port 0 only where there is no other.
    """
    well_known = (l4_index("tcp", 443), l4_index("tcp", 22), l4_index("udp", 53), _ICMP, _ICMPV6)
    for l4 in well_known:
        if any(low <= l4 <= high for low, high in intervals):
            return l4
    usable = (
        low + (low in _PORT_OFFSETS.values())
        for low, high in intervals
        if low < high or low not in _PORT_OFFSETS.values()
    )
    return next(usable, intervals[0][0])


def _clip(intervals: Sequence[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    return [(max(low, first), min(high, last)) for first, last in intervals if first <= high and last >= low]


def is_port_range(text: str) -> bool:
    """Whether a text is a port or a range of ports, as they are stored."""
    return text.replace("-", "", 1).isdigit()


def _port_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
