"""Shares that import overlapping prefixes, more routes than their limit, or nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from provisioning.core.check.match_sets import ranges_overlap
from provisioning.core.intent import Share, ShareSide
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare
from provisioning.core.values.addresses import Range, intersect, prefix_range
from provisioning.core.values.resource import Problem


def check_share_sides(network: Network) -> Iterator[Problem]:
    for share in network.intent.shares.values():
        if share.a.segment == share.b.segment:
            segment = network.intent.segments.get(share.a.segment)
            yield Problem(
                "share_loop",
                f"shares/{share.key}/b.segment",
                f"Both sides of share “{share.name}” are segment “{segment.name if segment else ''}”. Members of one "
                "segment reach each other without a share; choose another segment for one side.",
            )
        for field, side in share.sides:
            yield from _check_empty_side(network, share, field, side)


def _check_empty_side(network: Network, share: Share, field: str, side: ShareSide) -> Iterator[Problem]:
    """Warn about groups and prefixes of a side that no member of its segment has.

    Imported members do not count, since shares are not transitive, and exits, which have no addresses to share.
    """
    intent = network.intent
    if side.segment not in intent.segments:
        return
    where = f"segment “{intent.segments[side.segment].name}”"
    table = network.resolved(side.segment).routing_table
    if side.internet and not table.leads_to_internet:
        yield Problem(
            "share_of_nothing",
            f"shares/{share.key}/{field}.internet",
            f"Share “{share.name}” is a way to the internet, but {where} has neither an internet exit nor a member "
            "with a default route. Attach one to it.",
            "warning",
        )
    members = [member for member in network.resolved(side.segment).members if not member.is_exit]
    groups = {group for member in members for group in member.attachment.member_of}
    for index, uid in enumerate(side.groups):
        if uid in intent.groups and uid not in groups:
            yield Problem(
                "empty_group",
                f"shares/{share.key}/{field}.groups[{index}]",
                f"Share “{share.name}” names group “{intent.groups[uid].name}”, which has no member in {where}. "
                "It shares nothing until a connector joins it there.",
                "warning",
            )
    shared = [any(intersect((prefix_range(prefix),), member.ranges) for member in members) for prefix in side.prefixes]
    for index, prefix in enumerate(side.prefixes):
        # 0.0.0.0/0 and ::/0 together are everything there is; of one family there may be nothing.
        is_everything = prefix.endswith("/0") and any(shared)
        if not shared[index] and not is_everything:
            yield Problem(
                "share_of_nothing",
                f"shares/{share.key}/{field}.prefixes[{index}]",
                f"Share “{share.name}” names {prefix}, but no connector has addresses of it in {where}. "
                "It shares nothing until one does.",
                "warning",
            )


def check_unused_egress(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about exits of another segment that a share brings and that the segment never leaves by."""
    for directed_share in resolved.directed_shares:
        share, other = directed_share.share, directed_share.other
        far = next(side for _, side in share.sides if side.segment == other)
        has_exits = resolved.routes.routing_tables[other].has_exits
        if not far.internet or not has_exits or other in resolved.routes.egresses:
            continue
        segment = resolved.segment.name
        if resolved.exits:
            why = f"segment “{segment}” has an internet exit of its own, which goes first"
        elif not directed_share.can_initiate:
            why = f"it lets only “{_segment_name(resolved, other)}” begin flows"
        else:
            why = "the exits of an older segment, which another share brings, go first"
        yield Problem(
            "egress_unused",
            f"shares/{share.key}",
            f"Nothing leaves segment “{segment}” by the internet exits that share “{share.name}” brings: {why}.",
            "warning",
        )


def check_share_same_connector(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about connectors on both sides of a share: what they send themselves never reaches an exchange."""
    for directed_share in resolved.directed_shares:
        if resolved.is_decider(directed_share.other):
            near = {
                member.connector.uid: member.connector
                for member in resolved.members
                if ranges_overlap(member.ranges, directed_share.near) and not member.connector.has_clients
            }
            for uid in {
                imported_member.connector.uid for imported_member in _imported_members(resolved, directed_share)
            } & near.keys():
                yield Problem(
                    "share_loop",
                    f"shares/{directed_share.share.key}",
                    f"Connector “{near[uid].name}” is on both sides of share "
                    f"“{directed_share.share.name}”. Traffic between "
                    "its own networks never reaches an exchange, so the share does not rule it.",
                    "warning",
                )


def _imported_members(resolved: ResolvedSegment, directed_share: DirectedShare) -> list[Member]:
    return [
        imported_member
        for imported_member in resolved.imported_members
        if imported_member.segment.uid == directed_share.other
        and ranges_overlap(imported_member.ranges, directed_share.far)
    ]


def check_route_limit(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Report shares that import more routes than their limit."""
    for directed_share in resolved.directed_shares:
        share = directed_share.share
        routes = {
            range_
            for imported_member in _imported_members(resolved, directed_share)
            for _, range_ in imported_member.routes
            if ranges_overlap((range_,), directed_share.far)
        }
        if len(routes) > share.route_limit:
            yield Problem(
                "route_limit",
                f"shares/{share.key}/route_limit",
                f"Share “{share.name}” shows {len(routes)} prefixes of segment "
                f"“{_segment_name(resolved, directed_share.other)}” to "
                f"segment “{resolved.segment.name}”; its limit is {share.route_limit}. Share less or raise the limit.",
            )


def _segment_name(resolved: ResolvedSegment, uid: str) -> str:
    return resolved.local_segments[uid].segment.name


def check_share_overlap(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Report imported addresses that a member, or an imported member of another segment, has too."""
    if not resolved.imported_members:
        return
    rows = sorted(
        ((range_, index, member) for index, member in enumerate(resolved.members) for range_ in member.ranges),
        key=lambda row: row[:2],
    )
    by_segment: dict[str, list[tuple[Range, int, Member]]] = {resolved.segment.uid: rows}
    reported: set[tuple[int, int]] = set()
    for imported_member in resolved.imported_members:
        for uid, others in by_segment.items():
            if uid != imported_member.segment.uid:
                for range_, other, common in _overlapping_ranges(imported_member, others):
                    if (imported_member.id, other.id) not in reported:
                        reported.add((imported_member.id, other.id))
                        yield _overlap_problem(resolved, imported_member, range_, other, common)
        rows_of_segment = by_segment.setdefault(imported_member.segment.uid, [])
        rows_of_segment += [(range_, imported_member.id, imported_member) for range_ in imported_member.ranges]
        rows_of_segment.sort(key=lambda row: row[:2])


def _overlapping_ranges(
    imported_member: Member, rows: list[tuple[Range, int, Member]]
) -> Iterator[tuple[Range, Member, Range]]:
    """Yield (range of the imported member, who else has some of it, what both have); rows are disjoint and sorted."""
    for low, high in imported_member.ranges:
        index = max(0, bisect_left(rows, low, key=lambda row: row[0][0]) - 1)
        while index < len(rows) and rows[index][0][0] <= high:
            first, last = rows[index][0]
            if last >= low:
                yield (low, high), rows[index][2], (max(low, first), min(high, last))
            index += 1


def _overlap_problem(
    resolved: ResolvedSegment, imported_member: Member, range_: Range, other: Member, common: Range
) -> Problem:
    share = next(
        directed_share.share
        for directed_share in resolved.directed_shares
        if directed_share.other == imported_member.segment.uid and ranges_overlap((range_,), directed_share.far)
    )
    whose = "" if other.segment.uid == resolved.segment.uid else f", which a share brings from “{other.segment.name}”"
    return Problem(
        "share_overlap",
        f"shares/{share.key}",
        f"Share “{share.name}” brings {_longest_prefix(imported_member, common)} of connector "
        f"“{imported_member.connector.name}” (segment "
        f"“{imported_member.segment.name}”) into segment “{resolved.segment.name}”, where it overlaps "
        f"{_longest_prefix(other, common)} of "
        f"connector “{other.connector.name}”{whose}. Share less, or present other addresses with NAT.",
    )


def _longest_prefix(member: Member, common: Range) -> str:
    """Return the longest presented prefix that holds a range."""
    holding = [(high - low, prefix) for prefix, (low, high) in member.routes if low <= common[0] and common[1] <= high]
    return min(holding)[1] if holding else member.routes[0][0]
