"""Ranges as the document writes them ("10.1.0.0-10.1.255.255"): union, intersection, and as prefixes.

IPv4 addresses are their own integer; IPv6 addresses lie above ``V6``, so both families share one line and what is
computed here needs not know of them. What the kernel is told it is told by family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range

Range = tuple[int, int]
Ranges = tuple[Range, ...]
V6 = 1 << 128


@dataclass(frozen=True, slots=True)
class Family:
    """As nft names it. suffix: of sets that hold this family's addresses; everything: the default route."""

    ip: str
    address: str
    suffix: str
    everything: str
    icmp: str

    def of(self, spans: Iterable[Range]) -> Ranges:
        return tuple(span for span in spans if (span[0] >= V6) == (self is IP6))


IP4 = Family("ip", "ipv4_addr", "", "0.0.0.0/0", "icmp")
IP6 = Family("ip6", "ipv6_addr", "6", "::/0", "icmpv6")


def family(text: str) -> Family:
    """Of an address, a prefix or a range."""
    return IP6 if ":" in text else IP4


def number(address: str) -> int:
    parsed = ip_address(address)
    return int(parsed) + (V6 if parsed.version == 6 else 0)


def address(number: int) -> str:
    return str(IPv6Address(number - V6) if number >= V6 else IPv4Address(number))


def parse(text: str) -> Range:
    """A range, a prefix or an address."""
    if "-" in text:
        low, high = text.split("-")
        return number(low), number(high)
    network = ip_network(text)
    base = V6 if network.version == 6 else 0
    return base + int(network.network_address), base + int(network.broadcast_address)


def union(texts: Iterable[str]) -> Ranges:
    """Sorted, disjoint, neighbours joined."""
    return joined(map(parse, texts))


def joined(spans: Iterable[Range]) -> Ranges:
    """The same of ranges that are parsed already."""
    found: list[Range] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1 and (low >= V6) == (found[-1][0] >= V6):
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def intersection(left: Ranges, right: Ranges) -> Ranges:
    found: list[Range] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            found.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def without(left: Ranges, right: Ranges) -> Ranges:
    """What of ``left`` is not in ``right``."""
    found: list[Range] = []
    for low, high in left:
        for first, last in intersection(((low, high),), right):
            if low < first:
                found.append((low, first - 1))
            low = last + 1
        if low <= high:
            found.append((low, high))
    return tuple(found)


def text(span: Range) -> str:
    """As nft writes an interval."""
    low, high = span
    return address(low) if low == high else f"{address(low)}-{address(high)}"


def prefixes(spans: Iterable[Range]) -> list[str]:
    """The same addresses as routes need them."""
    return [
        str(network)
        for low, high in spans
        for network in summarize_address_range(ip_address(address(low)), ip_address(address(high)))
    ]
