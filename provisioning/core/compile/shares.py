"""What shares make of a segment's body. Flows between two segments are decided in the older one of them: it knows the
imported members, the shares and the other segment's rules; the other one only hands packets over.
"""

from __future__ import annotations

from collections.abc import Sequence

from provisioning.core.compile.rules import address_sets, range_texts, rule_entries, service_keys
from provisioning.core.intent import INTERNET
from provisioning.core.node_document import (
    DecidingPeerEntry,
    ImportedMemberEntry,
    PeerRulesEntry,
    ShareEntry,
    ShareSideEntry,
)
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import DirectedShare, ResolvedSegment
from provisioning.core.values.addresses import Range

_INITIATORS = {"both": ["a", "b"], "a-to-b": ["a"], "b-to-a": ["b"]}


def _imported_by_segment(resolved: ResolvedSegment) -> dict[str, list[Member]]:
    imported: dict[str, list[Member]] = {}
    for member in resolved.imported_members:
        imported.setdefault(member.segment.uid, []).append(member)
    return imported


def _decided_segments(resolved: ResolvedSegment) -> list[str]:
    """Return uids of the segments whose flows with this one are decided here."""
    others = dict.fromkeys(directed_share.other for directed_share in resolved.directed_shares)
    return [uid for uid in others if resolved.is_decider(uid)]


def imported_member_entries(resolved: ResolvedSegment) -> list[ImportedMemberEntry]:
    """Return the members of other segments whose flows are decided here."""
    entries: list[ImportedMemberEntry] = []
    for member in resolved.imported_members:
        if resolved.is_decider(member.segment.uid):
            entries.append(
                {
                    "id": member.id,
                    "segment": member.segment.key,
                    "number": member.segment.number,
                    "connector": member.connector.key,
                    "exchange": member.exchange.key,
                    "home": member.home,
                    "ranges": range_texts(member.ranges),
                    "anchor_class": resolved.class_of(member).id,
                }
            )
            if resolved.routes.is_egress_of(member.segment.uid) and resolved.leaves_by(member, resolved.segment.uid):
                entries[-1]["internet"] = True
                if (chosen := chosen_exit(resolved, member)) is not None:
                    entries[-1]["exit"] = chosen
    return entries


def deciding_peer_entries(resolved: ResolvedSegment) -> list[DecidingPeerEntry]:
    """Return the segments that decide about flows with this one, each with the addresses it exports here."""
    entries: list[DecidingPeerEntry] = []
    imported = _imported_by_segment(resolved)
    for uid in dict.fromkeys(directed_share.other for directed_share in resolved.directed_shares):
        ranges = [pair for member in imported.get(uid, ()) for pair in member.ranges]
        chooses_exits = resolved.local_segment.chooses_exits
        internet = resolved.exit_ranges_of(uid) if uid in resolved.routes.egresses else ()
        if internet and not chooses_exits:
            ranges += internet
        if (ranges or internet) and not resolved.is_decider(uid):
            peer = resolved.local_segments[uid].segment
            entries.append({"segment": peer.key, "number": peer.number, "ranges": range_texts(ranges)})
            if internet and chooses_exits:
                entries[-1]["internet"] = range_texts(internet)
                entries[-1]["leaving"] = [member.id for member in resolved.members if resolved.leaves_by(member, uid)]
    return entries


def chosen_exit(resolved: ResolvedSegment, member: Member) -> int | None:
    """Return the id of the exit of this segment that a policy chooses for a member; 0 where it leaves by none of them,
    None where the ordinary choice holds."""
    way = resolved.way_out(member)
    if way.policy is None:
        return None
    return way.exit.id if way.exit and way.segment == resolved.segment.uid else 0


def share_entries(network: Network, resolved: ResolvedSegment) -> list[ShareEntry]:
    """Return the shares whose flows are decided here, in the order they are tried."""
    return [
        {
            "id": f"share/{directed.share.key}",
            "chain": service_keys(network.intent, directed.share.services),
            "a": _side_entry(network, resolved, directed, directed.share.a.segment),
            "b": _side_entry(network, resolved, directed, directed.share.b.segment),
            "initiate": _INITIATORS[directed.share.direction],
        }
        for directed in resolved.directed_shares
        if resolved.is_decider(directed.other)
    ]


def _side_entry(network: Network, resolved: ResolvedSegment, directed: DirectedShare, segment: str) -> ShareSideEntry:
    ranges: Sequence[Range] = directed.near if segment == resolved.segment.uid else directed.far
    entry: ShareSideEntry = {"segment": network.intent.segments[segment].key, "ranges": range_texts(ranges)}
    if any(side.internet for _, side in directed.share.sides if side.segment == segment):
        entry["internet"] = True
    return entry


def peer_rules(network: Network, resolved: ResolvedSegment) -> dict[str, PeerRulesEntry]:
    """Return the rules of segments whose flows with this one are decided here.

    Names in them mean what either side exports to the other, nothing else: what is behind may have the same addresses
    in both segments.
    """
    imported = _imported_by_segment(resolved)
    entries: dict[str, PeerRulesEntry] = {}
    for uid in _decided_segments(resolved):
        other = network.resolved(uid)
        exported = [*imported.get(uid, ()), *_imported_by_segment(other).get(resolved.segment.uid, ())]
        names = {name for member in exported for name in member.names}
        if resolved.routes.is_egress_of(uid):
            names.add(INTERNET)
        policies = [
            policy
            for policy in other.policies
            if not names.isdisjoint(policy.from_) and not names.isdisjoint(policy.to)
        ]
        entries[other.segment.key] = {
            "rules": rule_entries(network, policies),
            "address_sets": address_sets(network, policies, exported),
        }
    return entries


_SERVICES_IN_USE = DerivedKey[list[str]]("services in use")


def services_in_use(resolved: ResolvedSegment) -> list[str]:
    """Return uids of the services that flows decided in this segment may be sent through, by number."""
    return resolved.derived.get(_SERVICES_IN_USE, (), lambda: _services_in_use(resolved))


def _services_in_use(resolved: ResolvedSegment) -> list[str]:
    policies = [
        *resolved.policies,
        *(policy for uid in _decided_segments(resolved) for policy in resolved.local_segments[uid].policies),
    ]
    used = {uid for policy in policies for rule in policy.rules for uid in rule.services}
    for directed in resolved.directed_shares:
        if resolved.is_decider(directed.other):
            used.update(directed.share.services)
    return sorted(used, key=lambda uid: resolved.services[uid].number)
