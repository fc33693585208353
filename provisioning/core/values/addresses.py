"""Prefixes as ranges of integers: parsing, union, intersection, and who owns an address that several claim.

IPv4 addresses are their own integer; IPv6 addresses lie above ``V6``, so that both families share one line and a range
never holds addresses of two families.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from itertools import pairwise
from typing import TypeVar

Range = tuple[int, int]
"""First and last address, both included."""

V6_OFFSET = 1 << 128
ALL_V4: Range = (0, (1 << 32) - 1)

Owner = TypeVar("Owner", bound=Hashable)
Rank = tuple[int, ...]


class BadPrefix(ValueError):
    """Not a prefix; ``code`` is ``bad_prefix`` or ``host_bits``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def canonical_prefix(text: str) -> str:
    """The prefix in its one spelling; a bare address becomes a /32 or /128. Raises BadPrefix."""
    try:
        interface = ipaddress.ip_interface(text.strip())
    except ValueError:
        raise BadPrefix("bad_prefix", f"“{text}” is not a prefix. Write it like 10.1.0.0/16.") from None
    network = interface.network
    if interface.ip != network.network_address:
        raise BadPrefix("host_bits", f"{text} has host bits set. The network is {network}.")
    return str(network)


@lru_cache(maxsize=1 << 18)
def prefix_range(prefix: str) -> Range:
    """The range a canonical prefix covers."""
    if ":" in prefix:
        network = ipaddress.IPv6Network(prefix)
        return V6_OFFSET + int(network.network_address), V6_OFFSET + int(network.broadcast_address)
    # Networks have tens of thousands of these; the library's parser takes ten times as long.
    address, _, length = prefix.partition("/")
    a, b, c, d = address.split(".")
    low = int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)
    return low, low | (1 << 32 - int(length or 32)) - 1


def address_number(text: str) -> int:
    """The place of an address on the line; raises ValueError when the text is no address."""
    address = ipaddress.ip_address(text.strip())
    return (V6_OFFSET if address.version == 6 else 0) + int(address)


def address_text(number: int) -> str:
    if number >= V6_OFFSET:
        return _v6_text(number)
    # By hand: sections spell tens of thousands of these.
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@lru_cache(maxsize=65536)
def _v6_text(number: int) -> str:
    return str(ipaddress.IPv6Address(number - V6_OFFSET))


def range_text(pair: Range) -> str:
    """``10.1.0.0-10.1.255.255``, the spelling of sections; nftables reads it as it is."""
    return f"{address_text(pair[0])}-{address_text(pair[1])}"


@lru_cache(maxsize=65536)
def parse_range(text: str) -> Range:
    """Return the range that a section writes: a range, a prefix or an address. Raises ValueError for anything else."""
    low, dash, high = text.partition("-")
    if dash or "/" not in text:
        return address_number(low), address_number(high or low)
    network = ipaddress.ip_network(text)
    offset = V6_OFFSET if network.version == 6 else 0
    return offset + int(network.network_address), offset + int(network.broadcast_address)


def parse_ranges(texts: Iterable[str]) -> tuple[Range, ...]:
    """Return the union of what these texts write, merged."""
    return merge_ranges(map(parse_range, texts))


def summarise_range(held: Range) -> Iterator[str]:
    """The fewest prefixes that cover a range, in rising order."""
    low, high = held
    bits = 128 if low >= V6_OFFSET else 32
    while low <= high:
        # As broad as the first address is aligned and the last one allows.
        free = min((low & -low).bit_length() - 1 if low else bits, (high - low + 1).bit_length() - 1)
        yield f"{address_text(low)}/{bits - free}"
        low += 1 << free


def merge_ranges(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The union as sorted ranges that neither overlap nor touch."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1 and (low >= V6_OFFSET) == (merged[-1][0] >= V6_OFFSET):
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def intersect(left: Sequence[Range], right: Sequence[Range]) -> tuple[Range, ...]:
    """What two merged lists of ranges have in common."""
    common: list[Range] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            common.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def complement(ranges: Sequence[Range], within: Range = ALL_V4) -> tuple[Range, ...]:
    """What of ``within`` a merged list of ranges leaves out."""
    left: list[Range] = []
    cursor = within[0]
    for low, high in intersect(ranges, (within,)):
        if low > cursor:
            left.append((cursor, low - 1))
        cursor = high + 1
    if cursor <= within[1]:
        left.append((cursor, within[1]))
    return tuple(left)


BOGON_RANGES = merge_ranges(
    prefix_range(prefix)
    for prefix in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/3",
    )
)  # fmt: skip
"""What no host on the internet has: private and shared addresses, one's own, link-local, multicast and reserved ones
(RFC 6890). Those of documentation count as public, they stand for real ones."""


def is_public(address: int) -> bool:
    """Whether it can be a host on the internet, which is IPv4's here: exits carry nothing else."""
    return address < V6_OFFSET and not contains(BOGON_RANGES, address)


def contains(ranges: Sequence[Range], number: int) -> bool:
    place = bisect_right(ranges, (number, 1 << 130)) - 1
    return place >= 0 and ranges[place][0] <= number <= ranges[place][1]


def covers(outer: Sequence[Range], inner: Sequence[Range]) -> bool:
    """Whether every address of ``inner`` is in ``outer``; both merged."""
    for low, high in inner:
        place = bisect_right(outer, (low, 1 << 130)) - 1
        if place < 0 or outer[place][1] < high:
            return False
    return True


def subtract(ranges: Sequence[Range], taken: Sequence[Range]) -> tuple[Range, ...]:
    """What of a merged list of ranges another one leaves."""
    left: list[Range] = []
    for low, high in ranges:
        # Rules may have thousands of ports: only what can touch this range is looked at.
        place = max(0, bisect_right(taken, (low,)) - 1)
        while place < len(taken) and taken[place][0] <= high:
            first, last = taken[place]
            if first > low:
                left.append((low, first - 1))
            low, place = max(low, last + 1), place + 1
        if low <= high:
            left.append((low, high))
    return tuple(left)


def assign_owners(claims: Iterable[tuple[Range, Rank, Owner]]) -> dict[Owner, tuple[Range, ...]]:
    """Who owns which addresses when of all claims on an address the lowest rank wins."""
    order = sorted(claims, key=lambda claim: claim[0])
    won: dict[Owner, list[Range]] = {}
    if all(order[place][0][1] < order[place + 1][0][0] for place in range(len(order) - 1)):
        for held, _, owner in order:
            won.setdefault(owner, []).append(held)
        return {owner: merge_ranges(ranges) for owner, ranges in won.items()}
    edges = sorted({edge for (low, high), _, _ in order for edge in (low, high + 1)})
    open_: list[tuple[Rank, int]] = []
    place = 0
    for edge, following in pairwise(edges):
        while place < len(order) and order[place][0][0] == edge:
            heappush(open_, (order[place][1], place))
            place += 1
        while open_ and order[open_[0][1]][0][1] < edge:
            heappop(open_)
        if open_:
            won.setdefault(order[open_[0][1]][2], []).append((edge, following - 1))
    return {owner: merge_ranges(ranges) for owner, ranges in won.items()}


def example_host(ranges: Sequence[Range]) -> int:
    """Return a host's address of some ranges: the second one of the first range that has two."""
    low, high = next((bounds for bounds in ranges if bounds[0] < bounds[1]), ranges[0])
    return min(low + 1, high)
