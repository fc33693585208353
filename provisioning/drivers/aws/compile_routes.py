"""The routes from AWS to the exchange: in a segment's spoke table, and in each VPC's own route tables.

VPN connections to a transit gateway carry one address family each; ours carry IPv4, so IPv6 prefixes are left out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from provisioning.core.intent import INTERNET, Connector
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.segment import APP_SOURCE_NAT_PREFIX, ResolvedSegment
from provisioning.core.values.addresses import Range, address_text, prefix_range

DEFAULT_ROUTE = "0.0.0.0/0"
SOURCE_NAT_PREFIX = f"{APP_SOURCE_NAT_PREFIX}0/24"
"""The addresses that clients of internet applications have for the targets."""

_SEGMENT_ROUTES = DerivedKey[tuple[list[str], list[Range]]]("routes of a segment's VPCs")


def spoke_routes(resolved: ResolvedSegment) -> list[str]:
    """Return what a segment's spoke table routes to the exchange.

    These are the segment's prefixes and what shares and internet applications add; the default route where the segment
    names no prefixes or has a way to the internet: an internet exit, or that of a segment which shares it.
    """
    if not resolved.segment.prefixes or resolved.exits or resolved.routes.egresses:
        return [DEFAULT_ROUTE]
    return _sorted_ipv4(
        [*resolved.segment.prefixes, *_imported_prefixes(resolved), *([SOURCE_NAT_PREFIX] if resolved.apps else [])]
    )


def vpc_routes(resolved: ResolvedSegment, connector: Connector) -> list[str]:
    """Return what a VPC routes to the exchange.

    These are the segment's prefixes, or those of all its members where it names none, and what shares add, but never
    what lies inside the VPC's own prefixes. The default route is among them only where a policy lets the VPC out
    through an internet exit of the segment, or of one that shares it; the addresses of clients only where an internet
    application leads to it; an application's public address where a policy lets the VPC reach it and the default route
    is not there.
    """
    routes, ranges = _segment_routes(resolved)
    outside: list[str] = []
    next_index = 0
    own = sorted(prefix_range(prefix) for attachment in connector.attachments for prefix in attachment.prefixes)
    for low, high in own:
        for index in range(bisect_left(ranges, (low, -1)), bisect_right(ranges, (high, 1 << 130))):
            if index >= next_index and ranges[index][1] <= high:
                outside += routes[next_index:index]
                next_index = index + 1
    outside += routes[next_index:]
    if any(app.target.connector.uid == connector.uid for app in resolved.apps):
        outside.append(SOURCE_NAT_PREFIX)
    if DEFAULT_ROUTE not in outside and _is_let_out(resolved, connector):
        outside.insert(0, DEFAULT_ROUTE)
    if DEFAULT_ROUTE not in outside:
        reached = {app.public for app in resolved.apps if _has_policy_to(resolved, connector, app.app.uid)}
        outside += [f"{address_text(public)}/32" for public in sorted(reached)]
    return outside


def _segment_routes(resolved: ResolvedSegment) -> tuple[list[str], list[Range]]:
    """Return what all VPCs of a segment may route to the exchange, sorted, and the ranges; computed once for all."""

    def make() -> tuple[list[str], list[Range]]:
        own = resolved.segment.prefixes or [prefix for member in resolved.members for prefix, _ in member.routes]
        routes = _sorted_ipv4([*own, *_imported_prefixes(resolved)])
        return routes, [prefix_range(prefix) for prefix in routes]

    return resolved.derived.get(_SEGMENT_ROUTES, (), make)


def _imported_prefixes(resolved: ResolvedSegment) -> list[str]:
    return [prefix for imported_member in resolved.imported_members for prefix, _ in imported_member.routes]


def _sorted_ipv4(prefixes: Iterable[str]) -> list[str]:
    return sorted({prefix for prefix in prefixes if ":" not in prefix}, key=prefix_range)


def _is_let_out(resolved: ResolvedSegment, connector: Connector) -> bool:
    """Return whether a policy is about flows from a connector to the internet behind an exit: one of its segment, or of
    the segment whose exits it leaves by."""
    for member in resolved.members_of(connector):
        segment = resolved.way_out(member).segment
        for uid in {resolved.segment.uid, segment} if segment else ():
            masks = resolved.local_segments[uid].policy_masks
            if masks(member.names)[0] & masks((INTERNET,))[1]:
                return True
    return False


def _has_policy_to(resolved: ResolvedSegment, connector: Connector, name: str) -> bool:
    """Return whether a policy is about flows from a connector to the internet or to an application."""
    _, to_mask = resolved.local_segment.policy_masks((name,))
    return any(member.from_mask & to_mask for member in resolved.members_of(connector))
