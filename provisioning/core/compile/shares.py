"""What shares make of a section. Flows between two segments are decided in the older one of them, their host: it knows
the guests, the passages and the other segment's rules; the other one only hands packets over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.core.compile.rules import service_keys, rules_section, address_sets, range_texts
from provisioning.core.network import Network
from provisioning.core.realm import Realm
from provisioning.core.roster import Member


def _imported_by_segment(realm: Realm) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for guest in realm.guests:
        found.setdefault(guest.segment.uid, []).append(guest)
    return found


def _decided_segments(realm: Realm) -> list[str]:
    """The segments whose flows with this one are decided here."""
    return [uid for uid in dict.fromkeys(passage.other for passage in realm.passages) if realm.hosts(uid)]


def imported_members_section(realm: Realm) -> list[dict[str, Any]]:
    """Members of other segments whose flows are decided here."""
    return [
        {
            "id": guest.id,
            "segment": guest.segment.key,
            "number": guest.segment.number,
            "connector": guest.connector.key,
            "exchange": guest.exchange.key,
            "home": guest.home,
            "ranges": range_texts(guest.ranges),
            "class": realm.class_of(guest).id,
        }
        for guest in realm.guests
        if realm.hosts(guest.segment.uid)
    ]


def exported_section(realm: Realm) -> list[dict[str, Any]]:
    """Addresses whose packets go on in another segment's namespace, which decides."""
    return [
        {
            "segment": some[0].segment.key,
            "number": some[0].segment.number,
            "ranges": [text for guest in some for text in range_texts(guest.ranges)],
        }
        for uid, some in _imported_by_segment(realm).items()
        if not realm.hosts(uid)
    ]


def shares_section(network: Network, realm: Realm) -> list[dict[str, Any]]:
    """The shares with hosted segments, in the order they are tried."""
    return [
        {
            "id": f"share/{one.share.key}",
            "chain": service_keys(network.intent, one.share.services),
            **{
                side: _side_section(network, held.segment, one.near if held.segment == realm.segment.uid else one.far)
                for side, held in one.share.sides
            },
            "initiate": {"both": ["a", "b"], "a-to-b": ["a"], "b-to-a": ["b"]}[one.share.direction],
        }
        for one in realm.passages
        if realm.hosts(one.other)
    ]


def _side_section(network: Network, segment: str, ranges: Sequence[tuple[int, int]]) -> dict[str, Any]:
    return {"segment": network.intent.segments[segment].key, "ranges": range_texts(ranges)}


def peer_rules_section(network: Network, realm: Realm) -> dict[str, Any]:
    """The rules of hosted segments that are about flows with this one.

    Their names mean what either side shows the other, nothing else: what is behind may have the same addresses here
    and there.
    """
    guests = _imported_by_segment(realm)
    found = {}
    for uid in _decided_segments(realm):
        other = network.realm(uid)
        shown = [*guests.get(uid, ()), *_imported_by_segment(other).get(realm.segment.uid, ())]
        names = {name for member in shown for name in member.names}
        policies = [
            policy
            for policy in other.policies
            if not names.isdisjoint(policy.from_) and not names.isdisjoint(policy.to)
        ]
        found[other.segment.key] = {"rules": rules_section(network, policies), "sets": address_sets(network, policies, shown)}
    return found


def services_in_use(realm: Realm) -> list[str]:
    """uids of the services that flows decided in this segment may be sent through, by number."""
    found = realm.memo.get("services")
    if found is None:
        policies = [*realm.policies, *(one for uid in _decided_segments(realm) for one in realm.rosters[uid].policies)]
        used = {uid for policy in policies for rule in policy.rules for uid in rule.services}
        used |= {uid for one in realm.passages if realm.hosts(one.other) for uid in one.share.services}
        found = realm.memo["services"] = sorted(used, key=lambda uid: realm.services[uid].number)
    return found
