"""One segment with everything resolved: members, imported members, exits, internet applications and anchors.

In a router's words: a VRF with its routes, its route leaks and its policies. Sections, traces and reachability read
this one value, so that the model and the data plane cannot differ about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from provisioning.core.intent import Catalog, Connector, Exchange, InternetApp, Policy, Segment, Service, Share
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.anchors import AnchorAssignment, MemberClass
from provisioning.core.resolve.derived import Derived
from provisioning.core.resolve.fabric import ExchangeNode
from provisioning.core.resolve.local_segment import LocalSegment
from provisioning.core.resolve.routing_table import Member, RoutingTable, members_by_connector
from provisioning.core.resolve.segment_routes import DirectedShare, PrePolicyRule, SegmentRoutes
from provisioning.core.resolve.ways_out import WayOut, choose_exits
from provisioning.core.values.addresses import (
    ALL_V4,
    ALL_V6,
    BOGON_RANGES,
    NOT_PUBLIC_RANGES,
    V6_OFFSET,
    Range,
    address_number,
    complement,
    contains,
    example_host,
    intersect,
    merge_ranges,
    subtract,
)
from provisioning.core.values.l4 import l4_index

APP_SOURCE_NAT_PREFIX = "100.127.255."
"""Clients of internet applications appear to targets as this plus the mesh index of the exit's home node: those on the
internet where ``source_nat`` says so, those inside always, because answers have to come back the same way (RFC 4787,
section 6: hairpinning)."""


@dataclass(frozen=True, slots=True)
class PublishedApp:
    """An internet application in this segment; addresses as numbers, ``l4`` of the public port (see values/l4).

    hairpin_source: the address from which members of the segment appear to the target. source_nat: the same for clients
    on the internet; None: they keep their own.
    """

    app: InternetApp
    exit: Member
    target: Member
    public: int
    l4: int
    addresses: tuple[int, ...]
    port: int
    hairpin_source: int

    @property
    def source_nat(self) -> int | None:
        return self.hairpin_source if self.app.source_nat else None


class ResolvedSegment:
    """Made by ``Network``; each part is computed when first asked for.

    local_segments: by uid, of this segment and of those it shares with. routes: this segment's, before any policy.
    anchors: of the flows that are decided here. apps: those whose exit is attached here, and that belong here. nodes:
    of the whole network, by id. public_ips: those that applications of the whole network name.
    derived: values that others derive from nothing but this segment. They last as long as it does; a value in it must
    not refer back to the segment, or only the garbage collector could free the two.
    """

    def __init__(
        self,
        routes: SegmentRoutes,
        anchors: AnchorAssignment,
        local_segments: Mapping[str, LocalSegment],
        apps: Sequence[InternetApp],
        services: Mapping[str, Service],
        exchanges: Mapping[str, Exchange],
        catalog: Catalog,
        nodes: Mapping[str, ExchangeNode],
        public_ips: Sequence[str],
    ) -> None:
        self.routes, self._anchors, self.local_segments, self._apps = routes, anchors, local_segments, apps
        self.services, self.exchanges, self.catalog, self.nodes = services, exchanges, catalog, nodes
        self._public_ips = public_ips
        self.segment: Segment = routes.segment
        self.routing_table: RoutingTable = routes.routing_table
        self.shares: Sequence[Share] = routes.shares
        self.local_segment = local_segments[self.segment.uid]
        self.derived = Derived()
        self._chosen_exits: dict[tuple[str, str | None], dict[str, Member]] = {}
        self._exit_ranges: dict[str, tuple[Range, ...]] = {}

    @property
    def policies(self) -> Sequence[Policy]:
        """The enabled policies of this segment, in the order they are tried."""
        return self.local_segment.policies

    @property
    def prefixes(self) -> ListResolver:
        return self.local_segment.prefixes

    @cached_property
    def members(self) -> list[Member]:
        """As in the routes, with the policies of this segment that name them."""
        members = self.local_segment.members
        if self.routes.members is self.routing_table.members:
            return members
        return [
            replace(member, from_mask=named.from_mask, to_mask=named.to_mask)
            for member, named in zip(self.routes.members, members, strict=True)
        ]

    # Shares

    @property
    def directed_shares(self) -> list[DirectedShare]:
        return self.routes.directed_shares

    @cached_property
    def imported_members(self) -> list[Member]:
        """As in the routes, with the policies of this segment that name them."""
        imported = []
        for member in self.routes.imported_members:
            from_mask, to_mask = self.local_segment.policy_masks_for(member.connector, member.attachment)
            imported.append(replace(member, from_mask=from_mask, to_mask=to_mask))
        return imported

    def directed_share(self, other: str, source: int, destination: int) -> DirectedShare | None:
        """Return the share that carries a flow from here to another segment: the first that covers both addresses and
        lets flows be initiated here."""
        return next(
            (
                share
                for share in self.directed_shares
                if share.other == other
                and share.can_initiate
                and contains(share.near, source)
                and contains(share.far, destination)
            ),
            None,
        )

    def is_decider(self, other: str) -> bool:
        """Whether flows with another segment are decided here."""
        return self.routes.is_decider(other)

    # Addresses

    def owner(self, address: int) -> Member | None:
        """Return the member, own or imported, that an address is routed to; ``check`` complains where both claim it."""
        own = self.routes.member_lookup.at(address)
        if own is not None:
            return self.members[own.id - 1]
        imported = self.routes.imported_lookup.at(address)
        return self.imported_members[imported.id - len(self.members) - 1] if imported else None

    @cached_property
    def _members_by_connector(self) -> dict[str, list[Member]]:
        return members_by_connector(self.members)

    def members_of(self, connector: Connector) -> list[Member]:
        return self._members_by_connector.get(connector.uid, [])

    def source(self, connector: Connector, address: int) -> Member | None:
        """Return the attachment that a connector's packet comes from; None: it may not send from this address."""
        return next((member for member in self.members_of(connector) if contains(member.sources, address)), None)

    # Rules before policies

    @property
    def pre_policy_rules(self) -> list[PrePolicyRule]:
        return self.routes.pre_policy_rules

    def filtered_routes(self, connector: Connector) -> tuple[Range, ...]:
        """Return the addresses of others to which route policies leave a connector no route."""
        return self.routes.filtered_routes(connector)

    # The internet

    @property
    def exits(self) -> dict[str, Member]:
        """Exchange uid → the segment's own internet exit of flows from there (see ``choose_exits``)."""
        return self._exits_of(self.segment.uid, None)

    def _exits_of(self, segment: str, via: str | None) -> dict[str, Member]:
        """Return the exits of a segment by exchange, this one's or those of one that it shares with. via: the uid of
        the only exit, or of the segment."""
        if (segment, via) not in self._chosen_exits:
            table = self.routes.routing_tables.get(segment)
            exits = table.exits if table else []
            if via not in (None, segment):
                exits = [member for member in exits if member.connector.uid == via]
            self._chosen_exits[segment, via] = choose_exits(self.catalog, self.exchanges, exits)
        return self._chosen_exits[segment, via]

    def way_out(self, member: Member) -> WayOut:
        """Return the way to the internet of a member, own or imported; exits of segments that do not share with this
        one are not known here."""
        uid = member.segment.uid
        policy = self.local_segments[uid].exit_policy(member.connector, member.attachment)
        via = policy.via if policy else None
        segment = self.routes.exit_segment(uid, via)
        exit_ = self._exits_of(segment, via).get(member.exchange.uid) if segment else None
        return WayOut(segment, exit_, policy)

    def leaves_by(self, member: Member, segment: str) -> bool:
        """Return whether a member leaves to the internet by an exit of this segment, or of one that it shares with."""
        way = self.way_out(member)
        return way.segment == segment and way.exit is not None

    @cached_property
    def apps(self) -> list[PublishedApp]:
        published = []
        for app in self._apps:
            exit_ = next((member for member in self.members if member.connector.uid == app.connector), None)
            addresses = tuple(address_number(text) for text in app.target.addresses)
            target = self.owner(addresses[0]) if addresses else None
            node = self.nodes.get(exit_.home) if exit_ else None
            is_own = target is not None and target.segment.uid == self.segment.uid
            if exit_ is not None and target is not None and is_own and node is not None:
                published.append(
                    PublishedApp(
                        app=app,
                        exit=exit_,
                        target=target,
                        public=address_number(app.public_ip or node.public_ip),
                        l4=l4_index(app.protocol, app.port),
                        addresses=addresses,
                        port=app.target.port,
                        hairpin_source=address_number(f"{APP_SOURCE_NAT_PREFIX}{node.mesh_index}"),
                    )
                )
        return published

    def find_app(self, address: int, l4: int) -> PublishedApp | None:
        """Return the internet application that a member reaches at a public address and port. Where a member has the
        address, its route counts."""
        if self.owner(address) is not None:
            return None
        return next((app for app in self.apps if (app.public, app.l4) == (address, l4)), None)

    @cached_property
    def off_internet(self) -> tuple[Range, ...]:
        """Addresses that no exit leads to: those that no host on the internet has, and our own, of nodes and apps,
        from where what is sent from inside would come back to where it left."""
        own = {address_number(text) for text in (*(node.public_ip for node in self.nodes.values()), *self._public_ips)}
        return merge_ranges((*BOGON_RANGES, *((address, address) for address in own)))

    def is_on_internet(self, address: int) -> bool:
        """Return whether an exit may lead to this address; only IPv4, since exits carry nothing else."""
        return address < V6_OFFSET and not contains(self.off_internet, address)

    @property
    def exit_ranges(self) -> tuple[Range, ...]:
        """The addresses that exits lead to where no policy chooses them: the segment's own or those of another one."""
        segment = self.routes.exit_segment(self.segment.uid, None)
        return self.exit_ranges_of(segment) if segment else ()

    def exit_ranges_of(self, segment: str) -> tuple[Range, ...]:
        """Return the addresses that exits of a segment lead to, this one's own or those of another one that shares
        them: public ones that no member has."""
        if segment not in self._exit_ranges:
            if segment == self.segment.uid:
                owned = (pair for member in (*self.members, *self.imported_members) for pair in member.ranges)
                ranges = complement(merge_ranges((*owned, *self.off_internet)))
            else:
                ranges = subtract(self.routes.egress_ranges(segment), self.off_internet)
            self._exit_ranges[segment] = ranges
        return self._exit_ranges[segment]

    def default_route_ranges(self, member: Member, ranges: Sequence[Range]) -> tuple[Range, ...]:
        """Return the internet behind a member: the public ones among some of its addresses that it has by nothing but
        a default route."""
        by_default = member.by_default_route(ranges)
        return subtract(by_default, merge_ranges((*self.off_internet, *NOT_PUBLIC_RANGES))) if by_default else ()

    def internet_address(self, example: int) -> int | None:
        """Return the address that stands for the internet here, in the family of an example: this if it may, else one
        that an exit leads to, else one behind the default route of a member. None: nothing leads to the internet."""
        ways = dict.fromkeys((*((self.segment.uid,) if self.exits else ()), *self.routes.egresses))
        by_exits = [self.exit_ranges_of(uid) for uid in ways]
        if any(contains(ranges, example) for ranges in by_exits):
            return example
        family = ALL_V6 if example >= V6_OFFSET else ALL_V4
        members = (*self.members, *self.imported_members)
        behind = (self.default_route_ranges(member, member.ranges) for member in members)
        found = [public for ranges in (*by_exits, *behind) if (public := intersect(ranges, (family,)))]
        if any(contains(public, example) for public in found):
            return example
        return example_host(found[0]) if found else None

    # Anchors

    @property
    def classes(self) -> list[MemberClass]:
        """The classes of the members, and of the imported members whose flows are decided here; by id, from 1."""
        return self._anchors.classes

    def class_of(self, member: Member) -> MemberClass:
        return self._anchors.class_of[member.id]

    @property
    def anchors(self) -> dict[tuple[int, int], str]:
        """(lower class id, higher class id) → id of the node that decides their flows, whichever side initiates."""
        return self._anchors.nodes

    def anchor(self, one: Member, other: Member) -> str:
        return self._anchors.node(one, other)
