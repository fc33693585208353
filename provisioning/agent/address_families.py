"""IPv4 and IPv6 as nft and routes tell them apart, and ranges of addresses as the two write them.

Ranges are those of ``core/values/addresses.py``: both families share one line of numbers, and what is computed on it
need not know of families. The kernel is told family by family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisioning.core.values.addresses import V6_OFFSET, Range, address_text, range_text, summarise_range

AddressRanges = tuple[Range, ...]
"""Merged: sorted, disjoint, neighbours joined."""


@dataclass(frozen=True, slots=True)
class AddressFamily:
    """A family in nft's words: ``ip``, ``nfproto`` and ``icmp`` begin matches, ``address`` is the type of set elements,
    ``suffix`` ends the names of sets that hold this family's addresses."""

    ip: str
    nfproto: str
    address: str
    suffix: str
    default_route: str
    icmp: str

    def select(self, ranges: Iterable[Range]) -> AddressRanges:
        """Return the ranges that are of this family."""
        return tuple(pair for pair in ranges if (pair[0] >= V6_OFFSET) == (self is IPV6))


IPV4 = AddressFamily("ip", "ipv4", "ipv4_addr", "", "0.0.0.0/0", "icmp")
IPV6 = AddressFamily("ip6", "ipv6", "ipv6_addr", "6", "::/0", "icmpv6")


def family_of(text: str) -> AddressFamily:
    """Return the family of an address, a prefix or a range."""
    return IPV6 if ":" in text else IPV4


def nft_interval(pair: Range) -> str:
    """Return the range as nft writes an element: a single address without a dash."""
    return address_text(pair[0]) if pair[0] == pair[1] else range_text(pair)


def route_prefixes(ranges: Iterable[Range]) -> list[str]:
    """Return the fewest prefixes that cover the same addresses, as routes need them."""
    return [prefix for pair in ranges for prefix in summarise_range(pair)]
