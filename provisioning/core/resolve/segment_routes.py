"""The routes of one segment before any policy: its own, those that shares import, and what has no route at all.

Nothing here reads a policy, so an edit of policies leaves a segment's routes as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from provisioning.core.intent import Connector, Segment, Share
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.route_filters import RouteDenial, RouteFilter, filter_route
from provisioning.core.resolve.routing_table import Member, MemberLookup, RoutingTable, members_by_connector
from provisioning.core.resolve.share_sides import (
    NO_IMPORTED_ROUTES,
    ImportedRoutes,
    egress_ranges,
    share_ends,
    visible_ranges,
)
from provisioning.core.values.addresses import Range, contains, intersect, merge_ranges, subtract
from provisioning.core.values.l4 import ALL_L4, L4Ranges, l4_ranges


@dataclass(frozen=True, slots=True)
class DirectedShare:
    """A share (a route leak) seen from one of its segments.

    other: uid of the segment at the far end. near, far: the addresses of the side here and of the side there, as the
    other end sees them.
    can_initiate: whether flows may be initiated here.
    """

    share: Share
    other: str
    near: tuple[Range, ...]
    far: tuple[Range, ...]
    can_initiate: bool


@dataclass(frozen=True, slots=True)
class PrePolicyRule:
    """A rule that is tried before any policy: what route filters and NAT leave without a route.

    The first rule that matches counts; a packet that none matches passes. source, destination: None matches every
    address. edge: the connector whose route policies or NAT rules it comes from. connector: uid of the only connector
    whose packets are meant; None means every connector's.
    """

    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None
    l4_ranges: L4Ranges
    passes: bool
    reason: str
    edge: Connector
    kind: Literal["route-policies", "nat-rules"]
    connector: str | None = None

    def matches(self, connector: str, packet: Packet) -> bool:
        return (
            self.connector in (None, connector)
            and (self.source is None or contains(self.source, packet.source))
            and (self.destination is None or contains(self.destination, packet.destination))
            and any(low <= packet.l4 <= high for low, high in self.l4_ranges)
        )


class SegmentRoutes:
    """Made by ``Network``; each part is computed when first asked for.

    routing_tables: by uid, of this segment and of those it shares with. shares: those with a side here, by number.
    imported_routes: by uid, of the same segments; empty where none of them has a default route.
    Members carry no policy masks here (see ``ResolvedSegment``).
    """

    def __init__(
        self,
        uid: str,
        routing_tables: Mapping[str, RoutingTable],
        shares: Sequence[Share],
        imported_routes: Mapping[str, ImportedRoutes],
    ) -> None:
        self.routing_tables, self.shares, self._imported_routes = routing_tables, shares, imported_routes
        self.routing_table = routing_tables[uid]
        self.segment: Segment = self.routing_table.segment
        self._denied_routes_by_filters: dict[tuple[str, ...], list[tuple[str, tuple[Range, ...]]]] = {}

    # Members

    @cached_property
    def members(self) -> list[Member]:
        """As in the routing table; a default route leaves out what shares bring by longer prefixes, also as sources."""
        imported = self._imported_routes.get(self.segment.uid, NO_IMPORTED_ROUTES).longer
        if not imported or not self.routing_table.default_ranges:
            return self.routing_table.members
        return [
            replace(
                member,
                ranges=subtract(member.ranges, taken),
                sources=subtract(member.sources, taken),
                untranslated=subtract(member.untranslated, taken),
            )
            if (taken := member.by_default_route(imported))
            else member
            for member in self.routing_table.members
        ]

    @cached_property
    def member_lookup(self) -> MemberLookup:
        same = self.members is self.routing_table.members
        return self.routing_table.member_lookup if same else MemberLookup(self.members)

    @cached_property
    def _members_by_connector(self) -> dict[str, list[Member]]:
        return members_by_connector(self.members)

    def is_routed(self, address: int) -> bool:
        """Whether a member of the segment itself has this address, which is quicker to say than which one."""
        return self.member_lookup.at(address) is not None

    # Shares

    @cached_property
    def directed_shares(self) -> list[DirectedShare]:
        here, imported = self.routing_table, self._imported_routes
        return [
            DirectedShare(
                share,
                far.segment,
                visible_ranges(here, near, there, imported),
                visible_ranges(there, far, here, imported),
                can_initiate,
            )
            for share in self.shares
            for near, far, can_initiate in share_ends(self.segment.uid, share)
            if (there := self.routing_tables.get(far.segment)) is not None
        ]

    @cached_property
    def imported_members(self) -> list[Member]:
        """Members of other segments, reduced to what shares show of them here; ids follow those of the own members."""
        visible: dict[str, tuple[Range, ...]] = {}
        for share in self.directed_shares:
            visible[share.other] = merge_ranges((*visible.get(share.other, ()), *share.far))
        imported: list[Member] = []
        for uid, shown in visible.items():
            for member in self.routing_tables[uid].members:
                ranges, sources = intersect(member.ranges, shown), intersect(member.sources, shown)
                if ranges or sources:
                    imported.append(
                        replace(
                            member,
                            id=len(self.routing_table.members) + len(imported) + 1,
                            routes=tuple(route for route in member.routes if intersect((route[1],), shown)),
                            ranges=ranges,
                            sources=sources,
                            untranslated=intersect(member.untranslated, shown),
                        )
                    )
        return imported

    @cached_property
    def imported_lookup(self) -> MemberLookup:
        return MemberLookup(self.imported_members)

    @property
    def egress(self) -> str | None:
        """The uid of the segment by whose exits this one reaches the internet; None: by its own, or not at all."""
        return self._imported_routes.get(self.segment.uid, NO_IMPORTED_ROUTES).egress

    @property
    def egresses(self) -> tuple[str, ...]:
        """The uids of all segments by whose exits flows of this one leave: those that policies choose, too."""
        return self._imported_routes.get(self.segment.uid, NO_IMPORTED_ROUTES).egresses

    def egress_ranges(self, other: str) -> tuple[Range, ...]:
        """Return the addresses that this segment reaches by the exits of another one."""
        return egress_ranges(self.routing_tables[other], self.routing_table, self._imported_routes)

    def is_egress_of(self, other: str) -> bool:
        """Whether flows of another segment leave to the internet by the exits of this one."""
        return self.segment.uid in self._imported_routes.get(other, NO_IMPORTED_ROUTES).egresses

    def has_exit_of(self, via: str) -> bool:
        """Whether what a policy of this segment chooses leads to an exit."""
        segment = self.exit_segment(self.segment.uid, via)
        return segment is not None and self.routing_tables[segment].has_exits

    def exit_segment(self, segment: str, via: str | None) -> str | None:
        """Return the uid of the segment by whose exits flows of one leave, this or one that it shares with. via: what a
        policy chooses. None: none leads there."""
        table, imported = self.routing_tables[segment], self._imported_routes.get(segment, NO_IMPORTED_ROUTES)
        if via is None:
            return segment if table.has_exits else imported.egress
        return segment if table.has_way(via) else imported.chosen.get(via)

    def is_decider(self, other: str) -> bool:
        """Whether flows with another segment are decided here: the one whose exits the other leaves by does it, else
        the older of the two."""
        if other in self.egresses or self.is_egress_of(other):
            return other not in self.egresses
        far = self.routing_tables[other].segment
        return (self.segment.number, self.segment.uid) < (far.number, far.uid)

    # Rules before policies

    @cached_property
    def pre_policy_rules(self) -> list[PrePolicyRule]:
        return [*self._filtered_route_rules(), *self._inbound_nat_rules()]

    def pre_policy_rules_towards(self, address: int) -> Sequence[PrePolicyRule]:
        """The rules whose destination holds an address, in the order they are tried."""
        if not self.pre_policy_rules:
            return ()
        edges, rules = self._rules_by_destination
        return rules[bisect_right(edges, address)]

    @cached_property
    def _rules_by_destination(self) -> tuple[list[int], list[list[PrePolicyRule]]]:
        """Edges on the line of addresses; before, between and after them the rules that may match there, in order."""
        begins: dict[int, set[int]] = {}
        ends: dict[int, set[int]] = {}
        active: set[int] = set()
        for index, rule in enumerate(self.pre_policy_rules):
            if rule.destination is None:
                active.add(index)
            for low, high in rule.destination or ():
                begins.setdefault(low, set()).add(index)
                ends.setdefault(high + 1, set()).add(index)
        edges = sorted({*begins, *ends})
        rules = [[self.pre_policy_rules[index] for index in sorted(active)]]
        for edge in edges:
            active = (active - ends.get(edge, set())) | begins.get(edge, set())
            rules.append([self.pre_policy_rules[index] for index in sorted(active)])
        return edges, rules

    def filtered_routes(self, connector: Connector) -> tuple[Range, ...]:
        """Return the addresses of others to which route policies leave a connector no route."""
        filters = self.routing_table.filters(connector, "out")
        if not filters:
            return ()
        denied = self._denied_routes(filters)
        return merge_ranges(pair for uid, ranges in denied if uid != connector.uid for pair in ranges)

    def _denied_routes(self, filters: Sequence[RouteFilter]) -> list[tuple[str, tuple[Range, ...]]]:
        """(connector uid, addresses) of the routes these filters deny; most targets have the same filters."""
        key = tuple(filtering.policy.uid for filtering in filters)
        denied = self._denied_routes_by_filters.get(key)
        if denied is None:
            denied = self._denied_routes_by_filters[key] = [
                (member.connector.uid, intersect((span,), member.ranges))
                for member in (*self.members, *self.imported_members)
                for route, span in member.announced_routes()
                if filter_route(filters, route).denials
            ]
        return denied

    def route_denials(self, connector: Connector, address: int) -> Iterator[RouteDenial]:
        """Yield the rules of route policies that keep the routes to an address from a connector."""
        filters = self.routing_table.filters(connector, "out")
        for member in (*self.members, *self.imported_members) if filters else ():
            if member.connector.uid != connector.uid and contains(member.ranges, address):
                for route, span in member.announced_routes():
                    if contains((span,), address):
                        yield from filter_route(filters, route).denials

    def unanswered_flows(self) -> Iterator[tuple[tuple[Range, ...], tuple[Range, ...]]]:
        """Yield (sources, destinations) of flows whose replies have no route: connectors may send from the sources, but
        another one owns them, and a route policy keeps the destinations from that one."""
        contested = merge_ranges(
            pair
            for connector, _ in self.routing_table.attached
            for member in self._members_by_connector.get(connector.uid, ())
            if member.sources != member.ranges
            for pair in subtract(member.sources, self._owned_ranges(connector))
        )
        for connector, _ in self.routing_table.attached if contested else ():
            sources, destinations = intersect(self._owned_ranges(connector), contested), self.filtered_routes(connector)
            if sources and destinations:
                yield sources, destinations

    def _owned_ranges(self, connector: Connector) -> tuple[Range, ...]:
        members = self._members_by_connector.get(connector.uid, ())
        return merge_ranges(pair for member in members for pair in member.ranges)

    def _filtered_route_rules(self) -> Iterator[PrePolicyRule]:
        if not any(policy.direction == "out" for policy in self.routing_table.route_policies):
            return
        for connector, _ in self.routing_table.attached:
            hidden = self.filtered_routes(connector)
            if hidden:
                owned = self._owned_ranges(connector)
                reason = f"A route policy keeps this route from “{connector.name}”, so it has none."
                yield PrePolicyRule(None, hidden, ALL_L4, False, reason, connector, "route-policies", connector.uid)
                yield PrePolicyRule(hidden, owned, ALL_L4, False, reason, connector, "route-policies")
                # Another connector may send from the same addresses; replies to it come here.
                lost = f"Replies are routed to “{connector.name}”, and a route policy keeps this route from it."
                yield PrePolicyRule(owned, hidden, ALL_L4, False, lost, connector, "route-policies")

    def _inbound_nat_rules(self) -> Iterator[PrePolicyRule]:
        prefixes = self.routing_table.prefixes
        for member in self.members:
            rules = self.routing_table.nat.get(member.connector.uid, ())
            if rules and (translated := subtract(member.ranges, member.untranslated)):
                for rule in rules:
                    if rule.direction == "inbound":
                        match = rule.match
                        destination = prefixes.ranges(match.destination)
                        yield PrePolicyRule(
                            prefixes.ranges(match.source),
                            translated if destination is None else intersect(destination, translated),
                            l4_ranges(match.protocol, match.ports),
                            True,
                            f"NAT rule “{rule.name}” takes it inwards.",
                            member.connector,
                            "nat-rules",
                        )
                reason = f"No NAT rule of “{member.connector.name}” takes this inwards."
                yield PrePolicyRule(None, translated, ALL_L4, False, reason, member.connector, "nat-rules")
