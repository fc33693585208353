"""What the sides of shares stand for, and what the segment at the other end sees of them.

The longest prefix wins across a share as it does inside a segment: what a member has by a default route goes to whoever
has a longer prefix, in the segment that imports the route and in the member's own. Between two default routes the
segment's own goes first, then that of the oldest segment. Internet exits come last, the segment's own first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.intent import Share, ShareSide
from provisioning.core.resolve.routing_table import RoutingTable
from provisioning.core.values.addresses import (
    BOGON_RANGES,
    NOT_PUBLIC_RANGES,
    Range,
    complement,
    intersect,
    merge_ranges,
    subtract,
)


@dataclass(frozen=True, slots=True)
class ImportedRoutes:
    """What shares bring into a segment. longer: by longer prefixes than a default route. by_default: (uid of the other
    segment, ranges) of what default routes bring, the oldest segment first. egress: uid of the segment by whose exits
    it reaches the internet; None: by its own, or not at all."""

    longer: tuple[Range, ...] = ()
    by_default: tuple[tuple[str, tuple[Range, ...]], ...] = ()
    egress: str | None = None

    def taken_before(self, segment: str) -> Iterator[Range]:
        """Yield what goes before the default route that is imported from a segment."""
        yield from self.longer
        for uid, ranges in self.by_default:
            if uid == segment:
                return
            yield from ranges

    @property
    def every(self) -> Iterator[Range]:
        """Everything that shares bring but by exits."""
        yield from self.longer
        for _, ranges in self.by_default:
            yield from ranges


NO_IMPORTED_ROUTES = ImportedRoutes()


def share_ends(segment: str, share: Share) -> Iterator[tuple[ShareSide, ShareSide, bool]]:
    """Yield (side here, side there, whether flows may be initiated here) of a share, as a segment sees it."""
    if share.a.segment != share.b.segment:
        if share.a.segment == segment:
            yield share.a, share.b, share.direction != "b-to-a"
        elif share.b.segment == segment:
            yield share.b, share.a, share.direction != "a-to-b"


def imported_routes(
    segment: str, routing_tables: Mapping[str, RoutingTable], shares: Sequence[Share]
) -> ImportedRoutes:
    """Return what shares bring into a segment, before it is compared with what the segment has. routing_tables: by uid,
    those of all segments that it shares with."""
    longer: list[Range] = []
    by_default: dict[str, list[Range]] = {}
    ways_out: set[str] = set()
    for share in shares:
        for _, far, can_initiate in share_ends(segment, share):
            if (table := routing_tables.get(far.segment)) is not None:
                if far.internet and can_initiate and table.has_exits:
                    ways_out.add(far.segment)
                ranges = share_side_ranges(table, far)
                longer += subtract(ranges, table.default_ranges)
                if shown := intersect(ranges, table.default_ranges):
                    by_default.setdefault(far.segment, []).extend(shown)

    def age(uid: str) -> tuple[int, str]:
        return routing_tables[uid].segment.number, uid

    return ImportedRoutes(
        merge_ranges(longer),
        tuple((uid, merge_ranges(by_default[uid])) for uid in sorted(by_default, key=age)),
        min(ways_out, key=age) if ways_out and not routing_tables[segment].has_exits else None,
    )


def share_side_ranges(routing_table: RoutingTable, side: ShareSide) -> tuple[Range, ...]:
    """Return the addresses that one side of a share stands for."""
    listed = routing_table.prefixes.ranges(side.prefixes) or ()
    groups = set(side.groups)
    ranges: list[Range] = []
    for member in routing_table.members:
        if not groups.isdisjoint(member.attachment.member_of):
            ranges.extend(member.ranges)
        elif listed:
            ranges.extend(intersect(listed, member.ranges))
        if side.internet:
            ranges.extend(subtract(member.by_default_route(member.ranges), NOT_PUBLIC_RANGES))
    return merge_ranges(ranges)


def visible_ranges(
    routing_table: RoutingTable, side: ShareSide, viewer: RoutingTable, imported: Mapping[str, ImportedRoutes]
) -> tuple[Range, ...]:
    """Return what another segment (viewer) sees of one side of a share. imported: by uid, of both segments."""
    ranges = share_side_ranges(routing_table, side)
    uid, viewer_uid = routing_table.segment.uid, viewer.segment.uid
    if by_default := intersect(ranges, routing_table.default_ranges):
        taken = (*_owned(viewer), *imported[viewer_uid].taken_before(uid), *imported[uid].longer)
        ranges = subtract(ranges, intersect(by_default, merge_ranges(taken)))
    if side.internet and imported[viewer_uid].egress == uid:
        ranges = merge_ranges((*ranges, *egress_ranges(routing_table, viewer, imported)))
    return ranges


def egress_ranges(
    routing_table: RoutingTable, viewer: RoutingTable, imported: Mapping[str, ImportedRoutes]
) -> tuple[Range, ...]:
    """Return the addresses that another segment (viewer) reaches by the exits of this one: those that no host in either
    has, and that may be on the internet. Exits carry IPv4 only."""
    brought = (pair for table in (routing_table, viewer) for pair in imported[table.segment.uid].every)
    return complement(merge_ranges((*_owned(routing_table), *_owned(viewer), *brought, *BOGON_RANGES)))


def _owned(routing_table: RoutingTable) -> Iterator[Range]:
    for member in routing_table.members:
        yield from member.ranges
