"""One segment seen whole: members, guests that shares bring, exits, internet applications, gates and anchors.

Sections, traces and reachability read this one value, so that the model and the data plane cannot differ about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from provisioning.core.intent import (
    Catalog,
    Connector,
    Exchange,
    InternetApp,
    Policy,
    Segment,
    Service,
    Share,
    ShareSide,
)
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.resolve.anchors import AnchorAssignment, MemberClass, assign_anchors
from provisioning.core.resolve.connector_edge import RouteFilter, origin_as_path
from provisioning.core.resolve.fabric import ExchangeNode, nearest_exchange
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.routing_table import LocalSegment, Member, MemberLookup
from provisioning.core.values.addresses import Range, address_number, contains, intersect, merge_ranges, subtract
from provisioning.core.values.l4 import ALL_L4, L4Ranges, l4_index, l4_ranges

APP_SOURCE_NAT_PREFIX = "100.127.255."
"""Clients of internet applications appear inside as this plus the mesh place of the exit's home node."""


@dataclass(frozen=True, slots=True)
class DirectedShare:
    """A share seen from one of its segments.

    near, far: the addresses of the side here and of the side in ``other`` (a segment's uid).
    starts, answers: whether flows may begin here, and there.
    """

    share: Share
    other: str
    near: tuple[Range, ...]
    far: tuple[Range, ...]
    starts: bool
    answers: bool


@dataclass(frozen=True, slots=True)
class PrePolicyRule:
    """Flows that never get as far as a policy; None matches every address. First match; what matches none passes.

    connector: uid of the only one whose packets are meant; None means everybody's.
    """

    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None
    cells: L4Ranges
    passes: bool
    reason: str
    connector: str | None = None

    def holds(self, connector: str, packet: Packet) -> bool:
        return (
            self.connector in (None, connector)
            and (self.source is None or contains(self.source, packet.source))
            and (self.destination is None or contains(self.destination, packet.destination))
            and any(low <= packet.cell <= high for low, high in self.cells)
        )


@dataclass(frozen=True, slots=True)
class PublishedApp:
    """An internet application in this segment; addresses as numbers, ``cell`` of the public port (see flows)."""

    app: InternetApp
    exit: Member
    target: Member
    public: int
    cell: int
    addresses: tuple[int, ...]
    port: int
    source_nat: int | None


class ResolvedSegment:
    """Made by ``Network``; everything is computed when first asked for.

    rosters: this segment's and those of the segments it shares with. shares: the enabled ones with a side here, by
    number. apps: those whose exit is attached here, and belong here. nodes: of the whole network.
    memo: values that others derive from nothing but this realm; they live and die with it.
    """

    def __init__(
        self,
        segment: Segment,
        local_segments: Mapping[str, LocalSegment],
        shares: Sequence[Share],
        apps: Sequence[InternetApp],
        services: Mapping[str, Service],
        exchanges: Mapping[str, Exchange],
        catalog: Catalog,
        nodes: Mapping[str, ExchangeNode],
    ) -> None:
        self.segment, self.local_segments, self.shares, self._apps = segment, local_segments, shares, apps
        self.services, self.exchanges, self.catalog, self.nodes = services, exchanges, catalog, nodes
        self.local_segment = local_segments[segment.uid]
        self.routing_table = self.local_segment.routing_table
        self.cache: dict[str, Any] = {}
        self._denied_routes_cache: dict[tuple[str, ...], list[tuple[str, tuple[Range, ...]]]] = {}

    @property
    def policies(self) -> Sequence[Policy]:
        """Enabled policies that hold this segment, in the order they are tried."""
        return self.local_segment.policies

    @property
    def prefixes(self) -> PrefixResolver:
        return self.local_segment.prefixes

    @property
    def members(self) -> list[Member]:
        return self.local_segment.members

    def reuse_from(self, before: ResolvedSegment) -> None:
        """What an earlier version of the same segment has already worked out and this one would find alike."""
        if self.shares != before.shares or self.local_segments.keys() != before.local_segments.keys():
            return
        pairs = [(self.local_segments[uid], before.local_segments[uid]) for uid in self.local_segments]
        if any(one.routing_table is not other.routing_table for one, other in pairs):
            return
        taken = ["directed_shares", "pre_policy_rules"]
        placed = (self.services, self.exchanges, self.catalog) == (before.services, before.exchanges, before.catalog)
        if placed and all(one.inspected_chains == other.inspected_chains for one, other in pairs):
            taken.append("_anchor_assignment")
        self.__dict__.update({name: before.__dict__[name] for name in taken if name in before.__dict__})

    # Shares

    @cached_property
    def directed_shares(self) -> list[DirectedShare]:
        found = []
        for share in self.shares:
            for near, far, starts, answers in (
                (share.a, share.b, share.direction != "b-to-a", share.direction != "a-to-b"),
                (share.b, share.a, share.direction != "a-to-b", share.direction != "b-to-a"),
            ):
                if near.segment == self.segment.uid != far.segment and far.segment in self.local_segments:
                    here, there = (
                        share_side_ranges(self.local_segment, near),
                        share_side_ranges(self.local_segments[far.segment], far),
                    )
                    found.append(DirectedShare(share, far.segment, here, there, starts, answers))
        return found

    @cached_property
    def imported_members(self) -> list[Member]:
        """Members of other segments, as far as shares show them here; ids go on after the members'."""
        shown: dict[str, tuple[Range, ...]] = {}
        for directed_share in self.directed_shares:
            shown[directed_share.other] = merge_ranges((*shown.get(directed_share.other, ()), *directed_share.far))
        found: list[Member] = []
        for uid, visible in shown.items():
            for member in self.local_segments[uid].members:
                ranges, sources = intersect(member.ranges, visible), intersect(member.sources, visible)
                if ranges or sources:
                    from_mask, to_mask = self.local_segment.policy_masks_for(member.connector, member.attachment)
                    found.append(
                        replace(
                            member,
                            id=len(self.members) + len(found) + 1,
                            routes=tuple((text, held) for text, held in member.routes if intersect((held,), visible)),
                            ranges=ranges,
                            sources=sources,
                            untranslated=intersect(member.untranslated, visible),
                            from_mask=from_mask,
                            to_mask=to_mask,
                        )
                    )
        return found

    def directed_share(self, other: str, source: int, destination: int) -> DirectedShare | None:
        """The share that carries a flow from here to another segment: the first that covers it and may begin here."""
        return next(
            (
                one
                for one in self.directed_shares
                if one.other == other and one.starts and contains(one.near, source) and contains(one.far, destination)
            ),
            None,
        )

    def is_decider(self, other: str) -> bool:
        """Whether flows with another segment are decided here: the older segment of the two does it."""
        theirs = self.local_segments[other].segment
        return (self.segment.number, self.segment.uid) < (theirs.number, theirs.uid)

    # Addresses

    @cached_property
    def _imported_lookup(self) -> MemberLookup:
        return MemberLookup(self.imported_members)

    def owner(self, address: int) -> Member | None:
        """The member or guest that an address is routed to; ``check`` complains where both claim it."""
        return self.local_segment.owner(address) or self._imported_lookup.at(address)

    @cached_property
    def _members_by_connector(self) -> dict[str, list[Member]]:
        found: dict[str, list[Member]] = {}
        for member in self.members:
            found.setdefault(member.connector.uid, []).append(member)
        return found

    def members_of(self, connector: Connector) -> list[Member]:
        return self._members_by_connector.get(connector.uid, [])

    def source(self, connector: Connector, address: int) -> Member | None:
        """The attachment a connector's packet comes from; None: it may not send from there."""
        return next((one for one in self.members_of(connector) if contains(one.sources, address)), None)

    # Gates

    @cached_property
    def pre_policy_rules(self) -> list[PrePolicyRule]:
        return [*self._filtered_route_rules(), *self._inbound_nat_rules()]

    def filtered_routes(self, connector: Connector) -> tuple[Range, ...]:
        """Addresses of others that route policies keep from a connector: it has no route to them."""
        filters = self.routing_table.filters(connector, "out")
        if not filters:
            return ()
        denied = self._denied_routes(tuple(one.policy.uid for one in filters), filters)
        return merge_ranges(held for uid, some in denied if uid != connector.uid for held in some)

    def _denied_routes(
        self, key: tuple[str, ...], filters: Sequence[RouteFilter]
    ) -> list[tuple[str, tuple[Range, ...]]]:
        """(connector uid, addresses) of the routes these filters deny; targets mostly have the same filters."""
        known = self._denied_routes_cache.get(key)
        if known is None:
            known = self._denied_routes_cache[key] = [
                (other.connector.uid, intersect((held,), other.ranges))
                for other in (*self.members, *self.imported_members)
                for path in (origin_as_path(other.connector),)
                for prefix, held in other.routes
                if not all(one.accepts(prefix, path) for one in filters)
            ]
        return known

    def _filtered_route_rules(self) -> Iterator[PrePolicyRule]:
        if not any(policy.direction == "out" for policy in self.routing_table.route_policies):
            return
        for connector, _ in self.routing_table.attached:
            hidden = self.filtered_routes(connector)
            if hidden:
                owned = merge_ranges(held for one in self.members_of(connector) for held in one.ranges)
                reason = f"A route policy keeps this route from “{connector.name}”, so it has none."
                yield PrePolicyRule(None, hidden, ALL_L4, False, reason, connector.uid)
                yield PrePolicyRule(hidden, owned, ALL_L4, False, reason)
                # A twin may send from the same addresses; what answers it comes here.
                lost = f"Replies are routed to “{connector.name}”, and a route policy keeps this route from it."
                yield PrePolicyRule(owned, hidden, ALL_L4, False, lost)

    def _inbound_nat_rules(self) -> Iterator[PrePolicyRule]:
        for member in self.members:
            rules = self.routing_table.nat.get(member.connector.uid, ())
            if rules and (covered := subtract(member.ranges, member.untranslated)):
                for rule in rules:
                    if rule.direction == "inbound":
                        match = rule.match
                        towards = self.prefixes.ranges(match.destination)
                        yield PrePolicyRule(
                            self.prefixes.ranges(match.source),
                            covered if towards is None else intersect(towards, covered),
                            l4_ranges(match.protocol, match.ports),
                            True,
                            f"NAT rule “{rule.name}” takes it inwards.",
                        )
                reason = f"No NAT rule of “{member.connector.name}” takes this inwards."
                yield PrePolicyRule(None, covered, ALL_L4, False, reason)

    # The internet

    @cached_property
    def exits(self) -> dict[str, Member]:
        """Exchange uid → the internet exit of flows that start there: same exchange, highest preference, nearest."""
        exits = [member for member in self.members if member.is_exit]
        chosen = {}
        for exchange in self.exchanges.values() if exits else ():
            at_home = [member for member in exits if member.exchange.uid == exchange.uid]
            pool = at_home or exits
            best = max(member.connector.preference for member in pool)
            pool = [member for member in pool if member.connector.preference == best]
            where = nearest_exchange(
                self.catalog, {member.exchange.uid: member.exchange for member in pool}.values(), exchange
            )
            chosen[exchange.uid] = next(member for member in pool if where and member.exchange.uid == where.uid)
        return chosen

    @cached_property
    def apps(self) -> list[PublishedApp]:
        found = []
        for app in self._apps:
            way_in = next((one for one in self.members if one.connector.uid == app.connector), None)
            addresses = tuple(address_number(text) for text in app.target.addresses)
            target = self.owner(addresses[0]) if addresses else None
            node = self.nodes.get(way_in.home) if way_in else None
            if way_in is not None and target is not None and node is not None:
                found.append(
                    PublishedApp(
                        app=app,
                        exit=way_in,
                        target=target,
                        public=address_number(app.public_ip or node.public_ip),
                        cell=l4_index(app.protocol, app.port),
                        addresses=addresses,
                        port=app.target.port,
                        source_nat=address_number(f"{APP_SOURCE_NAT_PREFIX}{node.mesh}") if app.source_nat else None,
                    )
                )
        return found

    # Anchors

    @cached_property
    def _anchor_assignment(self) -> AnchorAssignment:
        hosted = [
            imported_member for imported_member in self.imported_members if self.is_decider(imported_member.segment.uid)
        ]
        return assign_anchors(self, [*self.members, *hosted])

    @property
    def classes(self) -> list[MemberClass]:
        """Of the members, and of the guests whose flows are decided here; by id, from 1."""
        return self._anchor_assignment.classes

    def class_of(self, member: Member) -> MemberClass:
        return self._anchor_assignment.class_of[member.id]

    @property
    def anchors(self) -> dict[tuple[int, int], str]:
        """(lower class id, higher class id) → the node that decides their flows, whichever side starts."""
        return self._anchor_assignment.nodes

    def anchor(self, one: Member, other: Member) -> str:
        return self._anchor_assignment.node(one, other)


def share_side_ranges(local_segment: LocalSegment, side: ShareSide) -> tuple[Range, ...]:
    """The addresses a side of a share stands for."""
    listed = local_segment.prefixes.ranges(side.prefixes) or ()
    groups = set(side.groups)
    found: list[Range] = []
    for member in local_segment.members:
        if member.attachment.group in groups:
            found.extend(member.ranges)
        elif listed:
            found.extend(intersect(listed, member.ranges))
    return merge_ranges(found)
