"""Prefixes as ranges of integers: union, intersection, and who owns an address that several claim.

An IPv4 address is its own integer; an IPv6 address is its integer plus ``V6_OFFSET``. So both families share one line,
and a range never holds addresses of two families.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from itertools import pairwise
from typing import TypeVar

from provisioning.core.values.address_forms import LOOKS_LIKE_ADDRESS

Range = tuple[int, int]
"""First and last address, both included."""

V6_OFFSET = 1 << 128
ALL_V4: Range = (0, (1 << 32) - 1)
ALL_V6: Range = (V6_OFFSET, V6_OFFSET + (1 << 128) - 1)
ALL_ADDRESSES: tuple[Range, ...] = (ALL_V4, ALL_V6)

Owner = TypeVar("Owner", bound=Hashable)
Rank = tuple[int, ...]


@lru_cache(maxsize=1 << 18)
def prefix_range(prefix: str) -> Range:
    """Return the range that a canonical prefix covers."""
    if ":" in prefix:
        network = ipaddress.IPv6Network(prefix)
        return V6_OFFSET + int(network.network_address), V6_OFFSET + int(network.broadcast_address)
    # A network has tens of thousands of prefixes, and ipaddress takes ten times as long.
    address, _, length = prefix.partition("/")
    a, b, c, d = address.split(".")
    low = int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)
    return low, low | (1 << 32 - int(length or 32)) - 1


def address_range(text: str) -> Range:
    """Return the range that a canonical prefix or range (10.1.0.5-10.1.0.9) covers."""
    return prefix_range(text) if "/" in text else parse_range(text)


def prefix_order(text: str) -> tuple[int, int, int, str]:
    """Return what sorts canonical prefixes and ranges by their numbers, the larger one first; then those that are left
    out (``!``), then other texts: uids and names of lists, which may hold dots and slashes."""
    plain = text.removeprefix("!")
    if not LOOKS_LIKE_ADDRESS.fullmatch(plain):
        return 2, 0, 0, text
    low, high = address_range(plain)
    return int(plain != text), low, -high, ""


def address_number(text: str) -> int:
    """Return the number of an address on the line. Raise ValueError when the text is no address."""
    address = ipaddress.ip_address(text)
    return (V6_OFFSET if address.version == 6 else 0) + int(address)


def address_text(number: int) -> str:
    if number >= V6_OFFSET:
        return _v6_text(number)
    # Sections spell tens of thousands of addresses, and ipaddress is slow.
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@lru_cache(maxsize=65536)
def _v6_text(number: int) -> str:
    return str(ipaddress.IPv6Address(number - V6_OFFSET))


def range_text(pair: Range) -> str:
    """Return ``10.1.0.0-10.1.255.255``: the spelling of sections, which nftables reads."""
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


def summarise_range(pair: Range) -> Iterator[str]:
    """Yield the fewest prefixes that cover exactly this range, in rising order (CIDR aggregation, RFC 4632)."""
    low, high = pair
    bits = 128 if low >= V6_OFFSET else 32
    while low <= high:
        # The shortest prefix that the first address is aligned to and that does not go beyond the last.
        free = min((low & -low).bit_length() - 1 if low else bits, (high - low + 1).bit_length() - 1)
        yield f"{address_text(low)}/{bits - free}"
        low += 1 << free


def merge_ranges(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Return the union as sorted ranges that neither overlap nor touch."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1 and (low >= V6_OFFSET) == (merged[-1][0] >= V6_OFFSET):
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def intersect(left: Sequence[Range], right: Sequence[Range]) -> tuple[Range, ...]:
    """Return what two merged lists of ranges have in common."""
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
    """Return the part of ``within`` that a merged list of ranges leaves out."""
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
"""Addresses that no host on the internet has: "this network", private, shared, loopback, link-local, multicast and
reserved ones (RFC 6890, RFC 5771). Addresses for documentation (RFC 5737) count as public: they stand for real ones."""

NOT_PUBLIC_RANGES = (*BOGON_RANGES, *complement([prefix_range("2000::/3")], ALL_V6))
"""The same, and all of IPv6 but global unicast addresses (RFC 4291, section 2.4)."""

DEFAULT_ROUTES = ("0.0.0.0/0", "::/0")

EXAMPLE_INTERNET_ADDRESS = address_number("198.51.100.10")
"""Stands for the internet in examples and traces (TEST-NET-2, RFC 5737)."""
EXAMPLE_INTERNET_V6_ADDRESS = address_number("2001:db8::10")
"""The same in IPv6 (RFC 3849)."""


def is_public(address: int) -> bool:
    """Whether an address can be a host on the internet; only IPv4, since exits carry nothing else."""
    return address < V6_OFFSET and not contains(BOGON_RANGES, address)


def contains(ranges: Sequence[Range], number: int) -> bool:
    """Whether a merged list of ranges holds an address."""
    index = bisect_right(ranges, (number, 1 << 130)) - 1
    return index >= 0 and ranges[index][0] <= number <= ranges[index][1]


def example_host(ranges: Sequence[Range]) -> int:
    """Return an address that a host could have: the second one of the first range that has two."""
    low, high = next((pair for pair in ranges if pair[0] < pair[1]), ranges[0])
    return min(low + 1, high)


def covers(outer: Sequence[Range], inner: Sequence[Range]) -> bool:
    """Whether every address of ``inner`` is in ``outer``; both merged."""
    for low, high in inner:
        index = bisect_right(outer, (low, 1 << 130)) - 1
        if index < 0 or outer[index][1] < high:
            return False
    return True


def subtract(ranges: Sequence[Range], taken: Sequence[Range]) -> tuple[Range, ...]:
    """Return the part of a merged list of ranges that another one leaves."""
    left: list[Range] = []
    for low, high in ranges:
        # A list may have thousands of ranges: start at the first that can touch this one.
        index = max(0, bisect_right(taken, (low,)) - 1)
        while index < len(taken) and taken[index][0] <= high:
            first, last = taken[index]
            if first > low:
                left.append((low, first - 1))
            low, index = max(low, last + 1), index + 1
        if low <= high:
            left.append((low, high))
    return tuple(left)


def assign_owners(claims: Iterable[tuple[Range, Rank, Owner]]) -> dict[Owner, tuple[Range, ...]]:
    """Return the addresses of each owner, when of all claims on an address the one with the lowest rank wins.

    With the negative prefix length as the first part of the rank this is longest prefix match (RFC 4632, section 5.1).
    A sweep over the sorted edges of all claims, with a heap of those that are open.
    """
    order = sorted(claims, key=lambda claim: claim[0])
    won: dict[Owner, list[Range]] = {}
    if all(claim[0][1] < following[0][0] for claim, following in pairwise(order)):
        for pair, _, owner in order:
            won.setdefault(owner, []).append(pair)
        return {owner: merge_ranges(ranges) for owner, ranges in won.items()}
    edges = sorted({edge for (low, high), _, _ in order for edge in (low, high + 1)})
    open_: list[tuple[Rank, int]] = []
    index = 0
    for edge, following in pairwise(edges):
        while index < len(order) and order[index][0][0] == edge:
            heappush(open_, (order[index][1], index))
            index += 1
        while open_ and order[open_[0][1]][0][1] < edge:
            heappop(open_)
        if open_:
            won.setdefault(order[open_[0][1]][2], []).append((edge, following - 1))
    return {owner: merge_ranges(ranges) for owner, ranges in won.items()}
