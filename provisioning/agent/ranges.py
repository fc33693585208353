"""Ranges as the document writes them ("10.1.0.0-10.1.255.255"): union, intersection, and as prefixes.

IPv4 addresses are their own integer; IPv6 addresses lie above ``V6``, so both families share one line and what is
computed here needs not know of them. What the kernel is told it is told by family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range

AddressRange = tuple[int, int]
AddressRanges = tuple[AddressRange, ...]
IPV6_OFFSET = 1 << 128


@dataclass(frozen=True, slots=True)
class AddressFamily:
    """As nft names it. suffix: of sets that hold this family's addresses; everything: the default route."""

    ip: str
    address: str
    suffix: str
    default_route: str
    icmp: str

    def select(self, spans: Iterable[AddressRange]) -> AddressRanges:
        return tuple(span for span in spans if (span[0] >= IPV6_OFFSET) == (self is IPV6))


IPV4 = AddressFamily("ip", "ipv4_addr", "", "0.0.0.0/0", "icmp")
IPV6 = AddressFamily("ip6", "ipv6_addr", "6", "::/0", "icmpv6")


def family_of(text: str) -> AddressFamily:
    """Of an address, a prefix or a range."""
    return IPV6 if ":" in text else IPV4


def address_number(address: str) -> int:
    parsed = ip_address(address)
    return int(parsed) + (IPV6_OFFSET if parsed.version == 6 else 0)


def address_text(number: int) -> str:
    return str(IPv6Address(number - IPV6_OFFSET) if number >= IPV6_OFFSET else IPv4Address(number))


def parse_range(text: str) -> AddressRange:
    """A range, a prefix or an address."""
    if "-" in text:
        low, high = text.split("-")
        return address_number(low), address_number(high)
    network = ip_network(text)
    base = IPV6_OFFSET if network.version == 6 else 0
    return base + int(network.network_address), base + int(network.broadcast_address)


def parse_union(texts: Iterable[str]) -> AddressRanges:
    """Sorted, disjoint, neighbours joined."""
    return merge(map(parse_range, texts))


def merge(spans: Iterable[AddressRange]) -> AddressRanges:
    """The same of ranges that are parsed already."""
    found: list[AddressRange] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1 and (low >= IPV6_OFFSET) == (found[-1][0] >= IPV6_OFFSET):
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def intersect(left: AddressRanges, right: AddressRanges) -> AddressRanges:
    found: list[AddressRange] = []
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


def subtract(left: AddressRanges, right: AddressRanges) -> AddressRanges:
    """What of ``left`` is not in ``right``."""
    found: list[AddressRange] = []
    for low, high in left:
        for first, last in intersect(((low, high),), right):
            if low < first:
                found.append((low, first - 1))
            low = last + 1
        if low <= high:
            found.append((low, high))
    return tuple(found)


def range_text(span: AddressRange) -> str:
    """As nft writes an interval."""
    low, high = span
    return address_text(low) if low == high else f"{address_text(low)}-{address_text(high)}"


def to_prefixes(spans: Iterable[AddressRange]) -> list[str]:
    """The same addresses as routes need them."""
    return [
        str(network)
        for low, high in spans
        for network in summarize_address_range(ip_address(address_text(low)), ip_address(address_text(high)))
    ]
