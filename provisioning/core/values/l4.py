"""What rules match besides addresses: protocols and destination ports, laid out on one line of cells.

tcp ports, then udp ports, then every protocol by its number. A rule is a few intervals of that line, so “covers”,
“first match” and “what is left” are arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from provisioning.core.values.protocols import PROTOCOL_NUMBERS

L4Ranges = tuple[tuple[int, int], ...]
"""Intervals of the line, both ends included."""

_PORT_COUNT = 65536
_PORT_OFFSETS = {"tcp": 0, "udp": _PORT_COUNT}
_PROTOCOL_OFFSET = 2 * _PORT_COUNT
# tcp and udp have their ports, so their own numbers have no cell.
_OTHER_PROTOCOLS: L4Ranges = (
    (_PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 5),
    (_PROTOCOL_OFFSET + 7, _PROTOCOL_OFFSET + 16),
    (_PROTOCOL_OFFSET + 18, _PROTOCOL_OFFSET + 255),
)
ALL_L4: L4Ranges = ((0, _PROTOCOL_OFFSET + 5), *_OTHER_PROTOCOLS[1:])
_ICMP, _ICMPV6 = _PROTOCOL_OFFSET + PROTOCOL_NUMBERS["icmp"], _PROTOCOL_OFFSET + PROTOCOL_NUMBERS["icmpv6"]
_PROTOCOL_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}


def _all_except(cell: int) -> L4Ranges:
    """Everything but one cell."""
    return tuple(
        part
        for low, high in ALL_L4
        for part in (((low, cell - 1), (cell + 1, high)) if low <= cell <= high else ((low, high),))
        if part[0] <= part[1]
    )


IPV4_L4, IPV6_L4 = _all_except(_ICMPV6), _all_except(_ICMP)
"""What each family carries: ICMP is IPv4's, ICMPv6 is IPv6's, everything else is either's."""
_FULL_RANGES = (ALL_L4, IPV4_L4, IPV6_L4)


@lru_cache(maxsize=16384)
def l4_ranges(protocol: str | int, ports: tuple[str, ...] = ()) -> L4Ranges:
    """The cells of a protocol and its ports; no ports means all of them."""
    if protocol == "any":
        return ALL_L4
    if protocol in _PORT_OFFSETS:
        start = _PORT_OFFSETS[str(protocol)]
        if not ports:
            return ((start, start + _PORT_COUNT - 1),)
        spans = (port.partition("-") for port in ports)
        return tuple(sorted((start + int(low), start + int(high or low)) for low, _, high in spans))
    number = _PROTOCOL_OFFSET + int(PROTOCOL_NUMBERS.get(str(protocol), protocol))
    return ((number, number),)


def is_in_family(cell: int, v6: bool) -> bool:
    """Whether packets of this family are ever in this cell."""
    return cell != (_ICMP if v6 else _ICMPV6)


def l4_index(protocol: str | int, port: int | None = None) -> int:
    """The cell of one packet; a port is looked at for tcp and udp only."""
    if protocol in _PORT_OFFSETS:
        return _PORT_OFFSETS[str(protocol)] + (port or 0)
    return _PROTOCOL_OFFSET + int(PROTOCOL_NUMBERS.get(str(protocol), protocol))


def protocol_and_port(cell: int) -> tuple[str, int | None]:
    """A packet in this cell: (protocol, port)."""
    if cell < _PROTOCOL_OFFSET:
        return ("tcp", cell) if cell < _PORT_COUNT else ("udp", cell - _PORT_COUNT)
    number = cell - _PROTOCOL_OFFSET
    return _PROTOCOL_NAMES.get(number, str(number)), None


class L4Description(NamedTuple):
    """Cells as people write them; no ports means all of them. ``cell`` is one of them, a well-known one if there is."""

    protocol: str
    ports: tuple[str, ...]
    example: int


def describe_l4(intervals: Iterable[tuple[int, int]]) -> list[L4Description]:
    """Sorted intervals protocol by protocol; ``other`` is what is left when single numbers would be too many.

    All that one family carries is ``any``: nobody misses the ICMP of the other one.
    """
    held = tuple(intervals)
    if held in _FULL_RANGES:
        return [L4Description("any", (), representative_index(held))]
    found: list[L4Description] = []
    for name, start in _PORT_OFFSETS.items():
        clipped = _clip(held, start, start + _PORT_COUNT - 1)
        if clipped:
            ports = tuple(_port_text(low - start, high - start) for low, high in clipped)
            found.append(
                L4Description(name, () if ports == (f"0-{_PORT_COUNT - 1}",) else ports, representative_index(clipped))
            )
    others = [
        cell for low, high in _clip(held, _PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 255) for cell in range(low, high + 1)
    ]
    every = _clip(held, _PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 255) in (
        _clip(whole, _PROTOCOL_OFFSET, _PROTOCOL_OFFSET + 255) for whole in _FULL_RANGES
    )
    # Nobody reads two hundred protocol numbers.
    named = (
        [] if every else [cell for cell in others if len(others) <= 12 or cell - _PROTOCOL_OFFSET in _PROTOCOL_NAMES]
    )
    found.extend(L4Description(protocol_and_port(cell)[0], (), cell) for cell in named)
    if len(named) < len(others):
        rest = [(cell, cell) for cell in others if cell not in named]
        found.append(L4Description("other", (), representative_index(rest)))
    return found


def representative_index(intervals: Sequence[tuple[int, int]]) -> int:
    """https, ssh, dns or ping where they are among the cells; people know them. Else the first one that programs use:
    port 0 only where there is no other."""
    known = (l4_index("tcp", 443), l4_index("tcp", 22), l4_index("udp", 53), _ICMP, _ICMPV6)
    found = next((cell for cell in known if any(low <= cell <= high for low, high in intervals)), None)
    if found is not None:
        return found
    used = (
        low + (low in _PORT_OFFSETS.values())
        for low, high in intervals
        if low < high or low not in _PORT_OFFSETS.values()
    )
    return next(used, intervals[0][0])


def _clip(intervals: Sequence[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    return [(max(low, first), min(high, last)) for first, last in intervals if first <= high and last >= low]


def _port_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
