"""Prefixes as ranges of integers: parsing, union, intersection, and longest prefix flattened into disjoint ranges.

IPv4 addresses are their own integer; IPv6 addresses lie above ``V6``, so that both families share one line and a range
never holds addresses of two families.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

Range = tuple[int, int]
"""First and last address, both included."""

V6 = 1 << 128
ALL_V4: Range = (0, (1 << 32) - 1)

Owner = TypeVar("Owner", bound=Hashable)


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


@lru_cache(maxsize=65536)
def span(prefix: str) -> Range:
    """The range a canonical prefix covers."""
    network = ipaddress.ip_network(prefix)
    base = V6 if network.version == 6 else 0
    return base + int(network.network_address), base + int(network.broadcast_address)


def address_number(text: str) -> int:
    """The place of an address on the line; raises ValueError when the text is no address."""
    address = ipaddress.ip_address(text.strip())
    return (V6 if address.version == 6 else 0) + int(address)


def address_text(number: int) -> str:
    return str(ipaddress.IPv6Address(number - V6) if number >= V6 else ipaddress.IPv4Address(number))


def range_text(pair: Range) -> str:
    """``10.1.0.0-10.1.255.255``, the spelling of sections; nftables reads it as it is."""
    return f"{address_text(pair[0])}-{address_text(pair[1])}"


def merge(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The union as sorted ranges that neither overlap nor touch."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1 and (low >= V6) == (merged[-1][0] >= V6):
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


def contains(ranges: Sequence[Range], number: int) -> bool:
    place = bisect_right(ranges, (number, 1 << 130)) - 1
    return place >= 0 and ranges[place][0] <= number <= ranges[place][1]


def covers(outer: Sequence[Range], inner: Sequence[Range]) -> bool:
    """Whether every address of ``inner`` is in ``outer``; both merged."""
    return intersect(outer, inner) == tuple(inner)


def flatten(claims: Iterable[tuple[Range, Owner]]) -> dict[Owner, tuple[Range, ...]]:
    """Who owns which addresses when the longest prefix wins.

    Of equal prefixes the claim that comes last wins. Prefixes are nested or disjoint, so one sweep with a stack of the
    prefixes that are open is enough.
    """
    order = sorted(enumerate(claims), key=lambda item: (item[1][0][0], -item[1][0][1], item[0]))
    won: dict[Owner, list[Range]] = {}
    open_: list[tuple[int, Owner]] = []
    cursor = 0

    def give(owner: Owner, low: int, high: int) -> None:
        if low <= high:
            won.setdefault(owner, []).append((low, high))

    for _, ((low, high), owner) in order:
        while open_ and open_[-1][0] < low:
            end, inner = open_.pop()
            give(inner, cursor, end)
            cursor = end + 1
        if open_:
            give(open_[-1][1], cursor, low - 1)
        open_.append((high, owner))
        cursor = low
    while open_:
        end, inner = open_.pop()
        give(inner, cursor, end)
        cursor = max(cursor, end + 1)
    return {owner: merge(ranges) for owner, ranges in won.items()}
