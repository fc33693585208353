"""What shares make of a section. Flows between two segments are decided in the older one of them, their host: it knows
the guests, the passages and the other segment's rules; the other one only hands packets over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.core.compile.rules import address_sets, range_texts, rules_section, service_keys
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import ResolvedSegment


def _imported_by_segment(resolved: ResolvedSegment) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for imported_member in resolved.imported_members:
        found.setdefault(imported_member.segment.uid, []).append(imported_member)
    return found


def _decided_segments(resolved: ResolvedSegment) -> list[str]:
    """The segments whose flows with this one are decided here."""
    return [
        uid
        for uid in dict.fromkeys(directed_share.other for directed_share in resolved.directed_shares)
        if resolved.is_decider(uid)
    ]


def imported_members_section(resolved: ResolvedSegment) -> list[dict[str, Any]]:
    """Members of other segments whose flows are decided here."""
    return [
        {
            "id": imported_member.id,
            "segment": imported_member.segment.key,
            "number": imported_member.segment.number,
            "connector": imported_member.connector.key,
            "exchange": imported_member.exchange.key,
            "home": imported_member.home,
            "ranges": range_texts(imported_member.ranges),
            "class": resolved.class_of(imported_member).id,
        }
        for imported_member in resolved.imported_members
        if resolved.is_decider(imported_member.segment.uid)
    ]


def exported_section(resolved: ResolvedSegment) -> list[dict[str, Any]]:
    """Addresses whose packets go on in another segment's namespace, which decides."""
    return [
        {
            "segment": some[0].segment.key,
            "number": some[0].segment.number,
            "ranges": [text for imported_member in some for text in range_texts(imported_member.ranges)],
        }
        for uid, some in _imported_by_segment(resolved).items()
        if not resolved.is_decider(uid)
    ]


def shares_section(network: Network, resolved: ResolvedSegment) -> list[dict[str, Any]]:
    """The shares with hosted segments, in the order they are tried."""
    return [
        {
            "id": f"share/{one.share.key}",
            "chain": service_keys(network.intent, one.share.services),
            **{
                side: _side_section(
                    network, held.segment, one.near if held.segment == resolved.segment.uid else one.far
                )
                for side, held in one.share.sides
            },
            "initiate": {"both": ["a", "b"], "a-to-b": ["a"], "b-to-a": ["b"]}[one.share.direction],
        }
        for one in resolved.directed_shares
        if resolved.is_decider(one.other)
    ]


def _side_section(network: Network, segment: str, ranges: Sequence[tuple[int, int]]) -> dict[str, Any]:
    return {"segment": network.intent.segments[segment].key, "ranges": range_texts(ranges)}


def peer_rules_section(network: Network, resolved: ResolvedSegment) -> dict[str, Any]:
    """The rules of hosted segments that are about flows with this one.

    Their names mean what either side shows the other, nothing else: what is behind may have the same addresses here
    and there.
    """
    imported_members = _imported_by_segment(resolved)
    found = {}
    for uid in _decided_segments(resolved):
        other = network.resolved(uid)
        shown = [*imported_members.get(uid, ()), *_imported_by_segment(other).get(resolved.segment.uid, ())]
        names = {name for member in shown for name in member.names}
        policies = [
            policy
            for policy in other.policies
            if not names.isdisjoint(policy.from_) and not names.isdisjoint(policy.to)
        ]
        found[other.segment.key] = {
            "rules": rules_section(network, policies),
            "sets": address_sets(network, policies, shown),
        }
    return found


_SERVICES_IN_USE = DerivedKey[list[str]]("services in use")


def services_in_use(resolved: ResolvedSegment) -> list[str]:
    """uids of the services that flows decided in this segment may be sent through, by number."""
    return resolved.derived.get(_SERVICES_IN_USE, (), lambda: _services_in_use(resolved))


def _services_in_use(resolved: ResolvedSegment) -> list[str]:
    policies = [
        *resolved.policies,
        *(one for uid in _decided_segments(resolved) for one in resolved.local_segments[uid].policies),
    ]
    used = {uid for policy in policies for rule in policy.rules for uid in rule.services}
    used |= {uid for one in resolved.directed_shares if resolved.is_decider(one.other) for uid in one.share.services}
    return sorted(used, key=lambda uid: resolved.services[uid].number)
