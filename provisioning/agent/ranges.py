"""IPv4 ranges as the document writes them ("10.1.0.0-10.1.255.255"): union, intersection, and as prefixes."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, summarize_address_range

Range = tuple[int, int]


def parse(text: str) -> Range:
    """A range, a prefix or an address."""
    if "-" in text:
        low, high = text.split("-")
        return int(IPv4Address(low)), int(IPv4Address(high))
    network = IPv4Network(text)
    return int(network.network_address), int(network.broadcast_address)


def union(texts: Iterable[str]) -> tuple[Range, ...]:
    """Sorted, disjoint, neighbours joined."""
    joined: list[Range] = []
    for low, high in sorted(map(parse, texts)):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def intersection(left: tuple[Range, ...], right: tuple[Range, ...]) -> tuple[Range, ...]:
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


def text(span: Range) -> str:
    """As nft writes an interval."""
    low, high = span
    return str(IPv4Address(low)) if low == high else f"{IPv4Address(low)}-{IPv4Address(high)}"


def prefixes(spans: Iterable[Range]) -> list[str]:
    """The same addresses as routes need them."""
    return [
        str(network) for low, high in spans for network in summarize_address_range(IPv4Address(low), IPv4Address(high))
    ]
