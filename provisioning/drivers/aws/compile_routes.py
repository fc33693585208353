"""Which ways lead from AWS to the exchange: in a segment's spoke table, and in each VPC's own route tables.

VPN connections carry IPv4 only, so IPv6 prefixes are left out here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from provisioning.core.intent import INTERNET, Connector
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.segment import APP_SOURCE_NAT_PREFIX, ResolvedSegment
from provisioning.core.values.addresses import Range, prefix_range

DEFAULT_ROUTE = "0.0.0.0/0"
SOURCE_NAT_PREFIX = f"{APP_SOURCE_NAT_PREFIX}0/24"
"""What clients of internet applications look like inside."""


_SEGMENT_ROUTES = DerivedKey[tuple[list[str], list[Range]]]("routes of a segment's VPCs")


def spoke_routes(resolved: ResolvedSegment) -> list[str]:
    """What a segment's spoke table sends to the exchange: the segment's prefixes, what shares and applications bring
    besides; everything where the segment names no prefixes or has a way to the internet."""
    if not resolved.segment.prefixes or resolved.exits:
        return [DEFAULT_ROUTE]
    return _sorted_ipv4(
        [*resolved.segment.prefixes, *_imported_prefixes(resolved), *([SOURCE_NAT_PREFIX] if resolved.apps else [])]
    )


def vpc_routes(resolved: ResolvedSegment, connector: Connector) -> list[str]:
    """What a VPC sends to the exchange: the segment's prefixes, or those of all its members where it names none, and
    what shares bring; never what lies inside its own.

    The default route only when a policy lets the VPC out through an internet exit of the segment; the addresses of
    clients only when an internet application leads to the VPC.
    """
    routes, spans = _segment_routes(resolved)
    left: list[str] = []
    place = 0
    for low, high in sorted(prefix_range(prefix) for one in connector.attachments for prefix in one.prefixes):
        for inside in range(bisect_left(spans, (low, -1)), bisect_right(spans, (high, 1 << 130))):
            if inside >= place and spans[inside][1] <= high:
                left += routes[place:inside]
                place = inside + 1
    left += routes[place:]
    if any(app.target.connector.uid == connector.uid and app.source_nat for app in resolved.apps):
        left.append(SOURCE_NAT_PREFIX)
    if resolved.exits and DEFAULT_ROUTE not in left and _has_egress(resolved, connector):
        left.insert(0, DEFAULT_ROUTE)
    return left


def _segment_routes(resolved: ResolvedSegment) -> tuple[list[str], list[Range]]:
    """Sorted, with their ranges; made once for all VPCs of a segment."""

    def make() -> tuple[list[str], list[Range]]:
        own = resolved.segment.prefixes or [prefix for member in resolved.members for prefix, _ in member.routes]
        routes = _sorted_ipv4([*own, *_imported_prefixes(resolved)])
        return routes, [prefix_range(prefix) for prefix in routes]

    return resolved.derived.get(_SEGMENT_ROUTES, (), make)


def _imported_prefixes(resolved: ResolvedSegment) -> list[str]:
    return [prefix for imported_member in resolved.imported_members for prefix, _ in imported_member.routes]


def _sorted_ipv4(prefixes: Iterable[str]) -> list[str]:
    return sorted({prefix for prefix in prefixes if ":" not in prefix}, key=prefix_range)


def _has_egress(resolved: ResolvedSegment, connector: Connector) -> bool:
    _, outward = resolved.local_segment.policy_masks((INTERNET,))
    return any(member.from_mask & outward for member in resolved.members_of(connector))
