"""The routing table (RIB) of one segment: its members with the addresses they own, before shares import anything.

It holds only what it reads, never a whole network, so that a later version in which nothing of that changed takes it
over as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from provisioning.core.intent import (
    ANY,
    INTERNET,
    Attachment,
    Connector,
    Exchange,
    NatRule,
    RoutePolicy,
    Segment,
)
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.connector_edge import (
    PrefixRoute,
    PresentedAttachment,
    prefix_length,
    present_attachments,
)
from provisioning.core.resolve.route_filters import (
    NO_COMMUNITIES,
    Communities,
    Route,
    RouteDenial,
    RouteFilter,
    filter_route,
    origin_as_path,
)
from provisioning.core.values.addresses import (
    DEFAULT_ROUTES,
    Range,
    assign_owners,
    contains,
    intersect,
    merge_ranges,
    subtract,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One attachment of a connector, as one segment sees it.

    segment: where it is attached; of an imported member another segment than the one that sees it.
    home: id of the node of the connector's active circuit.
    routes: presented prefixes. ranges: what is routed to it (longest prefix match in the segment); empty for exits.
    sources: what it may send from (longest prefix match in its own connector); may overlap between connectors.
    untranslated: the part of ranges that reaches the inside without an inbound NAT rule.
    communities: by prefix, of the routes to which a route policy gave some.
    from_mask, to_mask: bit p is set when the segment's p-th policy names it on that side.
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
    communities: Mapping[str, Communities]
    from_mask: int
    to_mask: int

    @property
    def is_exit(self) -> bool:
        return self.connector.kind == "internet-exit"

    @property
    def names(self) -> frozenset[str]:
        """The names by which policies may mean it."""
        if self.is_exit:
            return frozenset((INTERNET,))
        return frozenset((ANY, self.connector.uid, *self.attachment.member_of))

    def by_default_route(self, ranges: Sequence[Range]) -> tuple[Range, ...]:
        """Return those of some of its addresses that it has by nothing but a default route."""
        if not any(prefix in DEFAULT_ROUTES for prefix, _ in self.routes):
            return ()
        return subtract(ranges, merge_ranges(span for prefix, span in self.routes if prefix not in DEFAULT_ROUTES))

    def announced_routes(self) -> Iterator[tuple[Route, Range]]:
        """Yield its routes as route policies for others see them, with their ranges."""
        path = origin_as_path(self.connector)
        for prefix, span in self.routes:
            yield Route(prefix, path, self.communities.get(prefix, NO_COMMUNITIES)), span


def members_by_connector(members: Iterable[Member]) -> dict[str, list[Member]]:
    by_connector: dict[str, list[Member]] = {}
    for member in members:
        by_connector.setdefault(member.connector.uid, []).append(member)
    return by_connector


class MemberLookup:
    """Members by the addresses that are routed to them; where two claim one, the first listed has it."""

    def __init__(self, members: Iterable[Member]) -> None:
        rows = sorted(
            ((low, high, index, member) for index, member in enumerate(members) for low, high in member.ranges),
            key=lambda row: row[:3],
        )
        self._lows = [low for low, _, _, _ in rows]
        self._rows = [(high, member) for _, high, _, member in rows]

    def at(self, address: int) -> Member | None:
        index = bisect_right(self._lows, address) - 1
        return self._rows[index][1] if index >= 0 and address <= self._rows[index][0] else None


class RoutingTable:
    """Which member has which addresses in a segment; no policy is read.

    attached: (connector, its attachments in this segment) by connector number. nat: by connector, then position.
    """

    def __init__(
        self,
        segment: Segment,
        exchanges: Mapping[str, Exchange],
        attached: Sequence[tuple[Connector, Sequence[Attachment]]],
        nat: Mapping[str, Sequence[NatRule]],
        route_policies: Sequence[RoutePolicy],
        prefixes: ListResolver,
    ) -> None:
        self.segment, self.exchanges, self.attached = segment, exchanges, attached
        self.nat, self.route_policies, self.prefixes = nat, route_policies, prefixes

    def filters(self, connector: Connector, direction: str) -> list[RouteFilter]:
        """Return the route policies whose targets include this connector or a group it is in here."""
        if not self.route_policies:
            return []
        attachments = (attachment for attachment in connector.attachments if attachment.segment == self.segment.uid)
        names = {connector.uid}.union(*(attachment.member_of for attachment in attachments))
        return [
            route_filter
            for route_filter in self._filters
            if route_filter.policy.direction == direction and not names.isdisjoint(route_filter.policy.targets)
        ]

    @cached_property
    def _filters(self) -> list[RouteFilter]:
        return [RouteFilter(policy, self.prefixes) for policy in self.route_policies]

    def offered_routes(self, connector: Connector, attachments: Sequence[Attachment]) -> Iterator[tuple[Route, Range]]:
        """Yield what a connector would present if no route policy were there, with the ranges."""
        path, rules = origin_as_path(connector), self.nat.get(connector.uid, ())
        for presented in present_attachments(connector, attachments, rules, (), self.prefixes):
            for prefix, span in presented.routes:
                yield Route(prefix, path), span

    def rejected_routes(self, address: int) -> Iterator[tuple[Connector, RouteDenial]]:
        """Yield what keeps routes to an address from being accepted, for every connector that offers one."""
        for connector, attachments in self.attached:
            if filters := self.filters(connector, "in"):
                for route, span in self.offered_routes(connector, attachments):
                    if contains((span,), address):
                        yield from ((connector, denial) for denial in filter_route(filters, route).denials)

    @cached_property
    def members(self) -> list[Member]:
        """By connector number, then in the order of its attachments; ids from 1. Policy masks are 0 here."""
        rows: list[tuple[Connector, Attachment, PresentedAttachment]] = []
        for connector, attachments in self.attached:
            rules, filters = self.nat.get(connector.uid, ()), self.filters(connector, "in")
            presented = present_attachments(connector, attachments, rules, filters, self.prefixes)
            rows += [(connector, *pair) for pair in zip(attachments, presented, strict=True)]
        # Longest prefix first; of equal ones the highest preference, then the oldest connector.
        owned = assign_owners(
            (span, (-prefix_length(prefix), -connector.preference, index), index)
            for index, (connector, _, presented) in enumerate(rows)
            for prefix, span in presented.routes
        )
        return [
            self._member(index, connector, attachment, presented, owned.get(index, ()))
            for index, (connector, attachment, presented) in enumerate(rows)
        ]

    def _member(
        self,
        index: int,
        connector: Connector,
        attachment: Attachment,
        presented: PresentedAttachment,
        ranges: tuple[Range, ...],
    ) -> Member:
        exchange = self.exchanges[connector.exchange]
        return Member(
            id=index + 1,
            connector=connector,
            attachment=attachment,
            exchange=exchange,
            segment=self.segment,
            home=f"{exchange.key}/{connector.active_circuit.node}",
            routes=presented.routes,
            ranges=ranges,
            sources=presented.sources,
            communities=presented.communities,
            untranslated=ranges if presented.untranslated == ranges else intersect(presented.untranslated, ranges),
            from_mask=0,
            to_mask=0,
        )

    @cached_property
    def member_lookup(self) -> MemberLookup:
        return MemberLookup(self.members)

    @cached_property
    def has_exits(self) -> bool:
        return any(connector.kind == "internet-exit" for connector, _ in self.attached)

    @cached_property
    def exits(self) -> list[Member]:
        return [member for member in self.members if member.is_exit] if self.has_exits else []

    def has_way(self, via: str) -> bool:
        """Whether this is the segment that a policy's ``via`` names, or has the exit."""
        return via == self.segment.uid or any(member.connector.uid == via for member in self.exits)

    @cached_property
    def default_ranges(self) -> tuple[Range, ...]:
        """What members have by nothing but a default route."""
        return merge_ranges(pair for member in self.members for pair in member.by_default_route(member.ranges))

    @property
    def leads_to_internet(self) -> bool:
        """Whether a share can bring its way to the internet to another segment: by an exit or a default route."""
        return self.has_exits or bool(self.default_ranges)
