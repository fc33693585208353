"""What the sides of shares stand for, and what the segment at the other end sees of them.

The longest prefix wins across a share as it does inside a segment: what a member has by a default route goes to whoever
has a longer prefix, in the segment that imports the route and in the member's own. Between two default routes the
segment's own goes first, then that of the oldest segment. Internet exits come last, the segment's own first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
    it reaches the internet; None: by its own, or not at all. chosen: ``via`` of its policies → uid of the other segment
    by whose exits they send flows; those that lead to none are not in it."""

    longer: tuple[Range, ...] = ()
    by_default: tuple[tuple[str, tuple[Range, ...]], ...] = ()
    egress: str | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def egresses(self) -> tuple[str, ...]:
        """The segments by whose exits flows leave."""
        return tuple(dict.fromkeys((*((self.egress,) if self.egress else ()), *self.chosen.values())))

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
    segment: str, routing_tables: Mapping[str, RoutingTable], shares: Sequence[Share], vias: Sequence[str]
) -> ImportedRoutes:
    """Return what shares bring into a segment, before it is compared with what the segment has. routing_tables: by uid,
    those of all segments that it shares with. vias: those of its policies."""
    longer: list[Range] = []
    by_default: dict[str, list[Range]] = {}
    for share in shares:
        for _, far, _ in share_ends(segment, share):
            if (table := routing_tables.get(far.segment)) is not None:
                ranges = share_side_ranges(table, far)
                longer += subtract(ranges, table.default_ranges)
                if shown := intersect(ranges, table.default_ranges):
                    by_default.setdefault(far.segment, []).extend(shown)

    def age(uid: str) -> tuple[int, str]:
        return routing_tables[uid].segment.number, uid

    own = routing_tables[segment]
    ways_out = sorted(_ways_out(segment, routing_tables, shares), key=age)
    serves = _segments_served(segment, routing_tables, shares) if own.has_exits else set()
    # Of two segments that would leave by each other's exits, the older one keeps to its own.
    ways_out = [uid for uid in ways_out if uid not in serves or age(uid) < age(segment)]
    chosen = {
        via: next((uid for uid in ways_out if routing_tables[uid].has_way(via)), "")
        for via in vias
        if not own.has_way(via)
    }
    return ImportedRoutes(
        merge_ranges(longer),
        tuple((uid, merge_ranges(by_default[uid])) for uid in sorted(by_default, key=age)),
        ways_out[0] if ways_out and not own.has_exits else None,
        {via: uid for via, uid in chosen.items() if uid},
    )


def _ways_out(segment: str, routing_tables: Mapping[str, RoutingTable], shares: Sequence[Share]) -> set[str]:
    """Return uids of the segments whose exits shares bring into a segment."""
    return {
        far.segment
        for share in shares
        for _, far, can_initiate in share_ends(segment, share)
        if far.internet and can_initiate and far.segment in routing_tables and routing_tables[far.segment].has_exits
    }


def _segments_served(segment: str, routing_tables: Mapping[str, RoutingTable], shares: Sequence[Share]) -> set[str]:
    """Return uids of the segments into which shares bring the exits of a segment."""
    return {
        other
        for other in routing_tables
        for _, far, can_initiate in (end for share in shares for end in share_ends(other, share))
        if far.segment == segment and far.internet and can_initiate
    }


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
    if side.internet and uid in imported[viewer_uid].egresses:
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
