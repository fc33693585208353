"""Shares that bring what is there already, too much, or nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from provisioning.core.values.addresses import Range, intersect, prefix_range
from provisioning.core.check.match_sets import ranges_overlap
from provisioning.core.intent import Share, ShareSide
from provisioning.core.network import Network
from provisioning.core.realm import Passage, Realm
from provisioning.core.values.resource import Problem
from provisioning.core.roster import Member


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
    """What a side names and nobody in its segment has; guests do not count, shares are not transitive."""
    intent = network.intent
    if side.segment not in intent.segments:
        return
    where = f"segment “{intent.segments[side.segment].name}”"
    members = network.realm(side.segment).members
    held = {member.attachment.group for member in members}
    for place, uid in enumerate(side.groups):
        if uid in intent.groups and uid not in held:
            yield Problem(
                "empty_group",
                f"shares/{share.key}/{field}.groups[{place}]",
                f"Share “{share.name}” names group “{intent.groups[uid].name}”, which has no member in {where}. "
                "It shares nothing until a connector joins it there.",
                "warning",
            )
    for place, prefix in enumerate(side.prefixes):
        if not any(intersect((prefix_range(prefix),), member.ranges) for member in members):
            yield Problem(
                "share_of_nothing",
                f"shares/{share.key}/{field}.prefixes[{place}]",
                f"Share “{share.name}” names {prefix}, but no connector has addresses of it in {where}. "
                "It shares nothing until one does.",
                "warning",
            )


def check_share_same_connector(realm: Realm) -> Iterator[Problem]:
    """A site in both segments: what it sends itself never reaches an exchange."""
    for passage in realm.passages:
        if realm.hosts(passage.other):
            near = {one.connector.uid: one.connector for one in realm.members if ranges_overlap(one.ranges, passage.near)}
            for uid in {guest.connector.uid for guest in _imported_members(realm, passage)} & near.keys():
                yield Problem(
                    "share_loop",
                    f"shares/{passage.share.key}",
                    f"Connector “{near[uid].name}” is on both sides of share “{passage.share.name}”. Traffic between "
                    "its own networks never reaches an exchange, so the share does not rule it.",
                    "warning",
                )


def _imported_members(realm: Realm, passage: Passage) -> list[Member]:
    return [guest for guest in realm.guests if guest.segment.uid == passage.other and ranges_overlap(guest.ranges, passage.far)]


def check_route_limit(realm: Realm) -> Iterator[Problem]:
    """Every prefix of the other side, as far as the share shows it, is a route here."""
    for passage in realm.passages:
        share = passage.share
        seen = {held for guest in _imported_members(realm, passage) for _, held in guest.routes if ranges_overlap((held,), passage.far)}
        if len(seen) > share.route_limit:
            yield Problem(
                "route_limit",
                f"shares/{share.key}/route_limit",
                f"Share “{share.name}” shows {len(seen)} prefixes of segment “{_segment_name(realm, passage.other)}” to "
                f"segment “{realm.segment.name}”; its limit is {share.route_limit}. Share less or raise the limit.",
            )


def _segment_name(realm: Realm, uid: str) -> str:
    return realm.rosters[uid].segment.name


def check_share_overlap(realm: Realm) -> Iterator[Problem]:
    """Guests have addresses here that neither a member nor a guest of another segment has."""
    if not realm.guests:
        return
    rows = sorted(
        ((held, place, member) for place, member in enumerate(realm.members) for held in member.ranges),
        key=lambda row: row[:2],
    )
    by_segment: dict[str, list[tuple[Range, int, Member]]] = {realm.segment.uid: rows}
    told: set[tuple[int, int]] = set()
    for guest in realm.guests:
        for uid, others in by_segment.items():
            if uid != guest.segment.uid:
                for held, other, common in _overlapping_ranges(guest, others):
                    if (guest.id, other.id) not in told:
                        told.add((guest.id, other.id))
                        yield _overlap_problem(realm, guest, held, other, common)
        mine = by_segment.setdefault(guest.segment.uid, [])
        mine += [(held, guest.id, guest) for held in guest.ranges]
        mine.sort(key=lambda row: row[:2])


def _overlapping_ranges(guest: Member, rows: list[tuple[Range, int, Member]]) -> Iterator[tuple[Range, Member, Range]]:
    """(range of the guest, who else has some of it, the part both have); rows are disjoint and sorted."""
    for low, high in guest.ranges:
        place = max(0, bisect_left(rows, low, key=lambda row: row[0][0]) - 1)
        while place < len(rows) and rows[place][0][0] <= high:
            first, last = rows[place][0]
            if last >= low:
                yield (low, high), rows[place][2], (max(low, first), min(high, last))
            place += 1


def _overlap_problem(realm: Realm, guest: Member, held: Range, other: Member, common: Range) -> Problem:
    share = next(one.share for one in realm.passages if one.other == guest.segment.uid and ranges_overlap((held,), one.far))
    whose = "" if other.segment.uid == realm.segment.uid else f", which a share brings from “{other.segment.name}”"
    return Problem(
        "share_overlap",
        f"shares/{share.key}",
        f"Share “{share.name}” brings {_longest_prefix(guest, common)} of connector “{guest.connector.name}” (segment "
        f"“{guest.segment.name}”) into segment “{realm.segment.name}”, where it overlaps {_longest_prefix(other, common)} of "
        f"connector “{other.connector.name}”{whose}. Share less, or present other addresses with NAT.",
    )


def _longest_prefix(member: Member, common: Range) -> str:
    """The longest presented prefix that holds a range."""
    held = [(high - low, prefix) for prefix, (low, high) in member.routes if low <= common[0] and common[1] <= high]
    return min(held)[1] if held else member.routes[0][0]
