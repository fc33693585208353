"""One segment by itself: its policies in order and its members with the addresses they own, before shares bring others.

A roster holds only what it reads, never a whole network, so that a later version in which nothing of that changed takes
it over as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from provisioning.core.intent import (
    ANY,
    INTERNET,
    Attachment,
    Connector,
    Exchange,
    NatRule,
    Policy,
    RoutePolicy,
    Segment,
)
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.resolve.connector_edge import (
    PrefixRoute,
    PresentedAttachment,
    RouteFilter,
    prefix_length,
    present_attachments,
)
from provisioning.core.values.addresses import Range, assign_owners, intersect


@dataclass(frozen=True, slots=True)
class Member:
    """One attachment of a connector, as a realm sees it.

    segment: where it is attached; another one than the realm's for a guest that a share brings.
    home:    node of the connector's active circuit.
    routes:  presented prefixes. ranges: what is routed to it (longest prefix of the segment wins), empty for exits.
    sources: what it may send from (longest prefix of its own connector wins); these may overlap between connectors.
    plain:   the part of ranges that reaches the inside without an inbound NAT rule.
    froms, tos: bit p set when the realm's p-th policy names it on that side.
    """

    id: int
    connector: Connector
    attachment: Attachment
    exchange: Exchange
    segment: Segment
    home: str
    routes: tuple[PrefixRoute, ...]
    ranges: tuple[Range, ...]
    sources: tuple[Range, ...]
    untranslated: tuple[Range, ...]
    from_mask: int
    to_mask: int

    @property
    def is_exit(self) -> bool:
        return self.connector.kind == "internet-exit"

    @property
    def names(self) -> frozenset[str]:
        """What policies may call it."""
        if self.is_exit:
            return frozenset((INTERNET,))
        group = self.attachment.group
        return frozenset((ANY, self.connector.uid, group) if group else (ANY, self.connector.uid))


def members_by_connector(members: Iterable[Member]) -> dict[str, list[Member]]:
    by_connector: dict[str, list[Member]] = {}
    for member in members:
        by_connector.setdefault(member.connector.uid, []).append(member)
    return by_connector


class MemberLookup:
    """Members by the addresses that are routed to them; where two claim one, the first listed has it."""

    def __init__(self, members: Iterable[Member]) -> None:
        rows = sorted(
            ((low, high, place, member) for place, member in enumerate(members) for low, high in member.ranges),
            key=lambda row: row[:3],
        )
        self._lows = [low for low, _, _, _ in rows]
        self._rows = [(high, member) for _, high, _, member in rows]

    def at(self, address: int) -> Member | None:
        place = bisect_right(self._lows, address) - 1
        return self._rows[place][1] if place >= 0 and address <= self._rows[place][0] else None


class RoutingTable:
    """Who has which addresses in a segment; policies have no say in it.

    attached: (connector, its attachments in this segment) by connector number. nat: by connector, then position.
    """

    def __init__(
        self,
        segment: Segment,
        exchanges: Mapping[str, Exchange],
        attached: Sequence[tuple[Connector, Sequence[Attachment]]],
        nat: Mapping[str, Sequence[NatRule]],
        route_policies: Sequence[RoutePolicy],
        prefixes: PrefixResolver,
    ) -> None:
        self.segment, self.exchanges, self.attached = segment, exchanges, attached
        self.nat, self.route_policies, self.prefixes = nat, route_policies, prefixes

    def filters(self, connector: Connector, direction: str) -> list[RouteFilter]:
        """The route policies that have this connector, or a group it is in here, for a target."""
        if not self.route_policies:
            return []
        names = {connector.uid, *(one.group for one in connector.attachments if one.segment == self.segment.uid)}
        return [
            found
            for found in self._filters
            if found.policy.direction == direction and not names.isdisjoint(found.policy.targets)
        ]

    @cached_property
    def _filters(self) -> list[RouteFilter]:
        return [RouteFilter(policy, self.prefixes) for policy in self.route_policies]

    @cached_property
    def members(self) -> list[Member]:
        """By connector number, then as they are listed in the connector; ids from 1. Nobody names them yet."""
        found: list[tuple[Connector, Attachment, PresentedAttachment]] = []
        for connector, attachments in self.attached:
            rules, filters = self.nat.get(connector.uid, ()), self.filters(connector, "in")
            shown = present_attachments(connector, attachments, rules, filters, self.prefixes)
            found += [(connector, *pair) for pair in zip(attachments, shown, strict=True)]
        # Longest prefix first; of equal ones the highest preference, then the oldest connector.
        owned = assign_owners(
            (held, (-prefix_length(prefix), -connector.preference, place), place)
            for place, (connector, _, shown) in enumerate(found)
            for prefix, held in shown.routes
        )
        return [
            self._member(place, connector, attachment, shown, owned.get(place, ()))
            for place, (connector, attachment, shown) in enumerate(found)
        ]

    def _member(
        self,
        place: int,
        connector: Connector,
        attachment: Attachment,
        shown: PresentedAttachment,
        ranges: tuple[Range, ...],
    ) -> Member:
        exchange = self.exchanges[connector.exchange]
        return Member(
            id=place + 1,
            connector=connector,
            attachment=attachment,
            exchange=exchange,
            segment=self.segment,
            home=f"{exchange.key}/{connector.active_circuit.node}",
            routes=shown.routes,
            ranges=ranges,
            sources=shown.sources,
            untranslated=ranges if shown.untranslated == ranges else intersect(shown.untranslated, ranges),
            from_mask=0,
            to_mask=0,
        )

    @cached_property
    def member_lookup(self) -> MemberLookup:
        return MemberLookup(self.members)

    @cached_property
    def _members_by_connector(self) -> dict[str, list[Member]]:
        return members_by_connector(self.members)

    def members_of(self, connector: Connector) -> list[Member]:
        return self._members_by_connector.get(connector.uid, [])


NameSet = frozenset[str]
InspectedChains = dict[tuple[str, ...], tuple[NameSet, NameSet]]
"""Chain of services → what all policies that send flows through it name in ``from``, and in ``to``."""


class LocalSegment:
    """A ground with the enabled policies that hold its segment, in the order they are tried."""

    def __init__(self, routing_table: RoutingTable, policies: Sequence[Policy], prefixes: PrefixResolver) -> None:
        self.routing_table, self.policies, self.prefixes = routing_table, policies, prefixes

    @property
    def segment(self) -> Segment:
        return self.routing_table.segment

    @cached_property
    def members(self) -> list[Member]:
        """As in the ground, with the policies that name them."""
        found = []
        for member in self.routing_table.members:
            from_mask, to_mask = self.policy_masks_for(member.connector, member.attachment)
            found.append(replace(member, from_mask=from_mask, to_mask=to_mask))
        return found

    def owner(self, address: int) -> Member | None:
        """The member an address is routed to."""
        held = self.routing_table.member_lookup.at(address)
        return self.members[held.id - 1] if held else None

    # Who is named

    @cached_property
    def _masks_of_names(self) -> tuple[dict[str, int], dict[str, int]]:
        """Name → the policies that have it in ``from``, and in ``to``."""
        return _masks_by_name([policy.from_ for policy in self.policies]), _masks_by_name(
            [policy.to for policy in self.policies]
        )

    @cached_property
    def inspected_chains(self) -> InspectedChains:
        found: dict[tuple[str, ...], tuple[set[str], set[str]]] = {}
        for policy in self.policies:
            for chain in {rule.services for rule in policy.rules if rule.action == "inspect"}:
                from_mask, to_mask = found.setdefault(chain, (set(), set()))
                from_mask.update(policy.from_)
                to_mask.update(policy.to)
        return {
            chain: (frozenset(from_mask), frozenset(to_mask)) for chain, (from_mask, to_mask) in sorted(found.items())
        }

    def policy_masks(self, names: Iterable[str | None]) -> tuple[int, int]:
        """The policies (as bits) that hold one of these names in ``from``, and in ``to``."""
        from_mask, to_mask = self._masks_of_names
        one = other = 0
        for name in names:
            if name is not None:
                one |= from_mask.get(name, 0)
                other |= to_mask.get(name, 0)
        return one, other

    def policy_masks_for(self, connector: Connector, attachment: Attachment) -> tuple[int, int]:
        if connector.kind == "internet-exit":
            return self.policy_masks((INTERNET,))
        return self.policy_masks((ANY, connector.uid, attachment.group))


def _masks_by_name(sides: Sequence[tuple[str, ...]]) -> dict[str, int]:
    """Name → bit p set where the p-th side holds it."""
    size = len(sides) // 8 + 1
    masks: dict[str, bytearray] = {}
    for place, names in enumerate(sides):
        for name in names:
            mask = masks.get(name)
            if mask is None:
                mask = masks[name] = bytearray(size)
            mask[place >> 3] |= 1 << (place & 7)
    return {name: int.from_bytes(mask, "little") for name, mask in masks.items()}
