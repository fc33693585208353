"""What rules match besides addresses: protocols and destination ports, laid out on one line of cells.

tcp ports, then udp ports, then every protocol by its number. A rule is a few intervals of that line, so “covers”,
“first match” and “what is left” are arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from provisioning.core.intent.reading import PROTOCOL_NUMBERS

Cells = tuple[tuple[int, int], ...]
"""Intervals of the line, both ends included."""

_PORTS = 65536
_START = {"tcp": 0, "udp": _PORTS}
_NUMBERS = 2 * _PORTS
# tcp and udp have their ports, so their own numbers have no cell.
_OTHERS: Cells = (
    (_NUMBERS, _NUMBERS + 5),
    (_NUMBERS + 7, _NUMBERS + 16),
    (_NUMBERS + 18, _NUMBERS + 255),
)
EVERYTHING: Cells = ((0, _NUMBERS + 5), *_OTHERS[1:])
_ICMP, _ICMPV6 = _NUMBERS + PROTOCOL_NUMBERS["icmp"], _NUMBERS + PROTOCOL_NUMBERS["icmpv6"]
_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}


def _without(cell: int) -> Cells:
    """Everything but one cell."""
    return tuple(
        part
        for low, high in EVERYTHING
        for part in (((low, cell - 1), (cell + 1, high)) if low <= cell <= high else ((low, high),))
        if part[0] <= part[1]
    )


IPV4_CELLS, IPV6_CELLS = _without(_ICMPV6), _without(_ICMP)
"""What each family carries: ICMP is IPv4's, ICMPv6 is IPv6's, everything else is either's."""
_WHOLE = (EVERYTHING, IPV4_CELLS, IPV6_CELLS)


@lru_cache(maxsize=16384)
def cells(protocol: str | int, ports: tuple[str, ...] = ()) -> Cells:
    """The cells of a protocol and its ports; no ports means all of them."""
    if protocol == "any":
        return EVERYTHING
    if protocol in _START:
        start = _START[str(protocol)]
        if not ports:
            return ((start, start + _PORTS - 1),)
        spans = (port.partition("-") for port in ports)
        return tuple(sorted((start + int(low), start + int(high or low)) for low, _, high in spans))
    number = _NUMBERS + int(PROTOCOL_NUMBERS.get(str(protocol), protocol))
    return ((number, number),)


def carried(cell: int, v6: bool) -> bool:
    """Whether packets of this family are ever in this cell."""
    return cell != (_ICMP if v6 else _ICMPV6)


def cell_of(protocol: str | int, port: int | None = None) -> int:
    """The cell of one packet; a port is looked at for tcp and udp only."""
    if protocol in _START:
        return _START[str(protocol)] + (port or 0)
    return _NUMBERS + int(PROTOCOL_NUMBERS.get(str(protocol), protocol))


def example(cell: int) -> tuple[str, int | None]:
    """A packet in this cell: (protocol, port)."""
    if cell < _NUMBERS:
        return ("tcp", cell) if cell < _PORTS else ("udp", cell - _PORTS)
    number = cell - _NUMBERS
    return _NAMES.get(number, str(number)), None


class Told(NamedTuple):
    """Cells as people write them; no ports means all of them. ``cell`` is one of them, a well-known one if there is."""

    protocol: str
    ports: tuple[str, ...]
    cell: int


def describe(intervals: Iterable[tuple[int, int]]) -> list[Told]:
    """Sorted intervals protocol by protocol; ``other`` is what is left when single numbers would be too many.

    All that one family carries is ``any``: nobody misses the ICMP of the other one.
    """
    held = tuple(intervals)
    if held in _WHOLE:
        return [Told("any", (), typical(held))]
    found: list[Told] = []
    for name, start in _START.items():
        clipped = _clip(held, start, start + _PORTS - 1)
        if clipped:
            ports = tuple(_port_text(low - start, high - start) for low, high in clipped)
            found.append(Told(name, () if ports == (f"0-{_PORTS - 1}",) else ports, typical(clipped)))
    others = [cell for low, high in _clip(held, _NUMBERS, _NUMBERS + 255) for cell in range(low, high + 1)]
    every = _clip(held, _NUMBERS, _NUMBERS + 255) in (_clip(whole, _NUMBERS, _NUMBERS + 255) for whole in _WHOLE)
    # Nobody reads two hundred protocol numbers.
    named = [] if every else [cell for cell in others if len(others) <= 12 or cell - _NUMBERS in _NAMES]
    found.extend(Told(example(cell)[0], (), cell) for cell in named)
    if len(named) < len(others):
        rest = [(cell, cell) for cell in others if cell not in named]
        found.append(Told("other", (), typical(rest)))
    return found


def typical(intervals: Sequence[tuple[int, int]]) -> int:
    """https, ssh, dns or ping where they are among the cells; people know them. Else the first one that programs use:
    port 0 only where there is no other."""
    known = (cell_of("tcp", 443), cell_of("tcp", 22), cell_of("udp", 53), _ICMP, _ICMPV6)
    found = next((cell for cell in known if any(low <= cell <= high for low, high in intervals)), None)
    if found is not None:
        return found
    used = (low + (low in _START.values()) for low, high in intervals if low < high or low not in _START.values())
    return next(used, intervals[0][0])


def _clip(intervals: Sequence[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    return [(max(low, first), min(high, last)) for first, last in intervals if first <= high and last >= low]


def _port_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
