"""Ranges, and who owns what several claim, held against looking every address up."""

from __future__ import annotations

import ipaddress
import time

from hypothesis import given
from hypothesis import strategies as st

from provisioning.core.check.match_sets import ranges_overlap
from provisioning.core.values.addresses import (
    assign_owners,
    complement,
    contains,
    covers,
    intersect,
    merge_ranges,
    prefix_range,
    range_text,
    subtract,
)

# Prefixes inside one /24, so that they collide often and every address can be looked up.
PREFIX = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(
    lambda pair: str(ipaddress.ip_network((f"10.0.0.{pair[0]}", pair[1]), strict=False))
)
BASE = int(ipaddress.IPv4Address("10.0.0.0"))


@given(st.lists(st.tuples(PREFIX, st.integers(0, 3)), max_size=12))
def test_of_all_claims_on_an_address_the_lowest_rank_wins(claims: list[tuple[str, int]]) -> None:
    ranked = [
        (prefix_range(prefix), (-ipaddress.ip_network(prefix).prefixlen, -place), owner)
        for place, (prefix, owner) in enumerate(claims)
    ]
    owned = assign_owners(ranked)
    for address in range(BASE, BASE + 256):
        # Of equal prefixes the last claim wins.
        held = [
            (ipaddress.ip_network(prefix).prefixlen, place, owner)
            for place, (prefix, owner) in enumerate(claims)
            if prefix_range(prefix)[0] <= address <= prefix_range(prefix)[1]
        ]
        owners = [owner for owner, ranges in owned.items() if contains(ranges, address)]
        assert owners == ([max(held)[2]] if held else [])


@given(st.lists(PREFIX, max_size=10), st.lists(PREFIX, max_size=10))
def test_union_intersection_and_complement_are_those_of_sets(left: list[str], right: list[str]) -> None:
    def members(prefixes: list[str]) -> set[int]:
        return {
            address for prefix in prefixes for address in range(prefix_range(prefix)[0], prefix_range(prefix)[1] + 1)
        }

    one, other = merge_ranges(map(prefix_range, left)), merge_ranges(map(prefix_range, right))
    everything = set(range(BASE, BASE + 256))
    assert {a for a in everything if contains(intersect(one, other), a)} == members(left) & members(right)
    assert subtract(one, other) == merge_ranges((a, a) for a in members(left) - members(right))
    outside = complement(one, (BASE, BASE + 255))
    assert {a for a in everything if contains(outside, a)} == everything - members(left)


@given(st.lists(PREFIX, max_size=2), st.lists(PREFIX, max_size=40))
def test_a_short_list_and_a_long_one_touch_or_hold_each_other_as_sets_do(left: list[str], right: list[str]) -> None:
    one, other = merge_ranges(map(prefix_range, left)), merge_ranges(map(prefix_range, right))
    assert ranges_overlap(one, other) == ranges_overlap(other, one) == bool(intersect(one, other))
    assert covers(other, one) == (subtract(one, other) == ())
    assert covers(one, other) == (subtract(other, one) == ())


def test_taking_thousands_from_thousands_is_quick() -> None:
    even, odd = (tuple((number, number) for number in range(start, 65536, 4)) for start in (0, 2))
    began = time.monotonic()
    assert subtract(even, odd) == even and subtract(even, even) == ()
    assert time.monotonic() - began < 1


def test_a_range_reads_like_nftables_writes_it() -> None:
    assert range_text(prefix_range("10.1.0.0/16")) == "10.1.0.0-10.1.255.255"
    assert range_text(prefix_range("2001:db8::/127")) == "2001:db8::-2001:db8::1"
