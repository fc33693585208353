"""Address ranges and their owners, compared with a look-up of every single address."""

from __future__ import annotations

import ipaddress
import time

import pytest
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
    prefix_order,
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
def test_the_claim_with_the_lowest_rank_owns_an_address(claims: list[tuple[str, int]]) -> None:
    ranked = [
        (prefix_range(prefix), (-ipaddress.ip_network(prefix).prefixlen, -index), owner)
        for index, (prefix, owner) in enumerate(claims)
    ]
    owned = assign_owners(ranked)
    for address in range(BASE, BASE + 256):
        # Of equal prefixes the last claim wins.
        claims_on_address = [
            (ipaddress.ip_network(prefix).prefixlen, index, owner)
            for index, (prefix, owner) in enumerate(claims)
            if prefix_range(prefix)[0] <= address <= prefix_range(prefix)[1]
        ]
        owners = [owner for owner, ranges in owned.items() if contains(ranges, address)]
        assert owners == ([max(claims_on_address)[2]] if claims_on_address else [])


@given(st.lists(PREFIX, max_size=10), st.lists(PREFIX, max_size=10))
def test_union_intersection_and_complement_of_ranges_equal_those_of_sets(left: list[str], right: list[str]) -> None:
    def members(prefixes: list[str]) -> set[int]:
        return {
            address for prefix in prefixes for address in range(prefix_range(prefix)[0], prefix_range(prefix)[1] + 1)
        }

    left_ranges, right_ranges = merge_ranges(map(prefix_range, left)), merge_ranges(map(prefix_range, right))
    everything = set(range(BASE, BASE + 256))
    assert {a for a in everything if contains(intersect(left_ranges, right_ranges), a)} == members(left) & members(
        right
    )
    assert subtract(left_ranges, right_ranges) == merge_ranges((a, a) for a in members(left) - members(right))
    outside = complement(left_ranges, (BASE, BASE + 255))
    assert {a for a in everything if contains(outside, a)} == everything - members(left)


@given(st.lists(PREFIX, max_size=2), st.lists(PREFIX, max_size=40))
def test_overlap_and_cover_of_a_short_and_a_long_list_equal_those_of_sets(left: list[str], right: list[str]) -> None:
    left_ranges, right_ranges = merge_ranges(map(prefix_range, left)), merge_ranges(map(prefix_range, right))
    assert (
        ranges_overlap(left_ranges, right_ranges)
        == ranges_overlap(right_ranges, left_ranges)
        == bool(intersect(left_ranges, right_ranges))
    )
    assert covers(right_ranges, left_ranges) == (subtract(left_ranges, right_ranges) == ())
    assert covers(left_ranges, right_ranges) == (subtract(right_ranges, left_ranges) == ())


def test_subtracting_thousands_of_ranges_from_thousands_is_quick() -> None:
    even, odd = (tuple((number, number) for number in range(start, 65536, 4)) for start in (0, 2))
    began = time.monotonic()
    assert subtract(even, odd) == even and subtract(even, even) == ()
    assert time.monotonic() - began < 1


def test_a_range_is_formatted_as_nftables_formats_it() -> None:
    assert range_text(prefix_range("10.1.0.0/16")) == "10.1.0.0-10.1.255.255"
    assert range_text(prefix_range("2001:db8::/127")) == "2001:db8::-2001:db8::1"


@pytest.mark.parametrize("name", ["com.amazonaws.eu-west-1.s3", "team/offices", "lists: all", "!com.example", "10.x"])
def test_names_of_lists_are_sorted_behind_addresses_whatever_signs_they_hold(name: str) -> None:
    assert sorted([name, "!10.1.0.5/32", "10.2.0.0/16", "10.1.0.0/16"], key=prefix_order) == [
        "10.1.0.0/16",
        "10.2.0.0/16",
        "!10.1.0.5/32",
        name,
    ]
