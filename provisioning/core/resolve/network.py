"""A network that can be asked: an intent and everything derived from it, each part made when first needed.

An edit makes a new ``Network`` from the one before it. What the edit cannot have changed is taken over as the same
object, with everything derived from it; ``derived.py`` alone decides what that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from provisioning.core.intent import (
    KINDS,
    Intent,
    InternetApp,
    NatRule,
    Policy,
    RoutePolicy,
    Service,
    Share,
)
from provisioning.core.intent.list_resolver import ListResolver, MatchList
from provisioning.core.resolve.anchors import AnchorAssignment
from provisioning.core.resolve.derived import Derived, DerivedKey, Reads
from provisioning.core.resolve.fabric import ExchangeNode, ServiceInstance, exchange_nodes, service_instances
from provisioning.core.resolve.intent_index import IntentIndex
from provisioning.core.resolve.local_segment import LocalSegment
from provisioning.core.resolve.memberships import with_memberships
from provisioning.core.resolve.routing_table import RoutingTable
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.resolve.segment_routes import SegmentRoutes
from provisioning.core.resolve.share_sides import ImportedRoutes, imported_routes
from provisioning.core.values.addresses import address_number

_ROUTING_TABLE = DerivedKey[RoutingTable]("routing table")
_LOCAL_SEGMENT = DerivedKey[LocalSegment]("local segment")
_IMPORTED_ROUTES = DerivedKey[ImportedRoutes]("imported routes")
_SEGMENT_ROUTES = DerivedKey[SegmentRoutes]("segment routes")
_ANCHORS = DerivedKey[AnchorAssignment]("anchors")
_RESOLVED_SEGMENT = DerivedKey[ResolvedSegment]("resolved segment")


class Network:
    """previous: an earlier version, to take over what did not change; no reference to it is kept.

    derived: what is carried from version to version.
    """

    def __init__(self, intent: Intent, previous: Network | None = None) -> None:
        self.derived: Derived = (
            Derived(previous.derived, _deleted_uids(previous.intent, intent)) if previous else Derived()
        )
        self.intent: Intent = with_memberships(intent, self.derived, previous.intent.connectors if previous else {})
        self._index: IntentIndex = IntentIndex(self.intent, previous._index if previous else None)
        # Looked up once in each version; after that nobody compares what they read.
        self._resolved: dict[str, ResolvedSegment] = {}
        self._local_segments: dict[str, LocalSegment] = {}
        self._imported: dict[str, ImportedRoutes] = {}

    # Segments

    def resolved(self, segment: str) -> ResolvedSegment:
        """Return the segment with this uid and everything resolved. Raise KeyError when there is none."""
        if segment not in self._resolved:
            self._resolved[segment] = self._resolve(segment)
        return self._resolved[segment]

    @property
    def resolved_segments(self) -> dict[str, ResolvedSegment]:
        """All segments by uid, in the order of the intent."""
        return {uid: self.resolved(uid) for uid in self.intent.segments}

    def _resolve(self, uid: str) -> ResolvedSegment:
        apps = self._apps.get(uid, ())
        shares, local_segments, imported = self._route_sources(uid)

        def make() -> ResolvedSegment:
            intent, routes = self.intent, self._segment_routes(uid, local_segments, shares, imported)
            anchors = self._anchors(uid, routes, local_segments)
            return ResolvedSegment(
                routes,
                anchors,
                local_segments,
                apps,
                intent.services,
                intent.exchanges,
                intent.catalog,
                self.nodes_by_id,
                self._public_ips,
            )

        reads = (*self._common_reads, self._public_ips, *shares, *apps, *local_segments.values(), *imported.values())
        return self.derived.get(_RESOLVED_SEGMENT, reads, make, of=uid)

    def _route_sources(self, uid: str) -> tuple[Sequence[Share], dict[str, LocalSegment], dict[str, ImportedRoutes]]:
        """Return what the routes of a segment are made from."""
        shares = self._index.shares.get(uid, ())
        peers = dict.fromkeys(side.segment for share in shares for side in (share.a, share.b))
        local_segments = {peer: self._local_segment(peer) for peer in (uid, *peers) if peer in self.intent.segments}
        return shares, local_segments, self._imported_routes(local_segments) if shares else {}

    def _segment_routes(
        self,
        uid: str,
        local_segments: dict[str, LocalSegment],
        shares: Sequence[Share],
        imported: dict[str, ImportedRoutes],
    ) -> SegmentRoutes:
        routing_tables = {peer: local_segment.routing_table for peer, local_segment in local_segments.items()}
        reads = (*shares, *routing_tables.values(), None, *imported.values())
        return self.derived.get(
            _SEGMENT_ROUTES, reads, lambda: SegmentRoutes(uid, routing_tables, shares, imported), of=uid
        )

    def _imported_routes(self, local_segments: dict[str, LocalSegment]) -> dict[str, ImportedRoutes]:
        """Return what shares bring into each of some segments; nothing where none of them has a default route, and none
        shares its internet."""
        shares = (share for uid in local_segments for share in self._index.shares.get(uid, ()))
        if not any(share.a.internet or share.b.internet for share in shares) and not any(
            local_segment.routing_table.default_ranges for local_segment in local_segments.values()
        ):
            return {}
        return {uid: self._imported_routes_of(uid) for uid in local_segments}

    def _imported_routes_of(self, uid: str) -> ImportedRoutes:
        if uid not in self._imported:
            shares = self._index.shares.get(uid, ())
            peers = dict.fromkeys(side.segment for share in shares for side in (share.a, share.b))
            tables = {peer: self._local_segment(peer).routing_table for peer in peers if peer in self.intent.segments}
            vias = tuple(dict.fromkeys(policy.via for policy in self._index.policies.get(uid, ()) if policy.via))
            self._imported[uid] = self.derived.get(
                _IMPORTED_ROUTES,
                (vias, *shares, *tables.values()),
                lambda: imported_routes(uid, tables, shares, vias),
                of=uid,
            )
        return self._imported[uid]

    def _anchors(self, uid: str, routes: SegmentRoutes, local_segments: dict[str, LocalSegment]) -> AnchorAssignment:
        intent = self.intent
        chains = {peer: local_segment.inspected_chains for peer, local_segment in local_segments.items()}
        return self.derived.get(
            _ANCHORS,
            (*self._common_reads, routes, *chains.values()),
            lambda: AnchorAssignment(routes, chains, intent.services, intent.exchanges, intent.catalog),
            of=uid,
        )

    def _local_segment(self, uid: str) -> LocalSegment:
        if uid not in self._local_segments:
            self._local_segments[uid] = self._make_local_segment(uid)
        return self._local_segments[uid]

    def _make_local_segment(self, uid: str) -> LocalSegment:
        routing_table, policies = self._routing_table(uid), self._index.policies.get(uid, ())
        named = self._index.lists_of(policies) | self._lists_of_services
        lists = {**routing_table.prefixes.lists, **named}
        reads = (routing_table, *policies, None, *lists.values())
        return self.derived.get(
            _LOCAL_SEGMENT, reads, lambda: LocalSegment(routing_table, policies, ListResolver(lists)), of=uid
        )

    def _routing_table(self, uid: str) -> RoutingTable:
        intent = self.intent
        segment, attached = intent.segments[uid], self._index.attached.get(uid, ())
        nat, routing = self._index.nat_rules.get(uid, {}), self._index.route_policies.get(uid, ())
        nat_rules = [rule for rules in nat.values() for rule in rules]
        lists = self._index.lists_of(nat_rules, routing)
        connectors = [connector for connector, _ in attached]
        reads = (segment, self._exchanges, *connectors, None, *nat_rules, None, *routing, *lists.values())
        return self.derived.get(
            _ROUTING_TABLE,
            reads,
            lambda: RoutingTable(segment, intent.exchanges, attached, nat, routing, ListResolver(lists)),
            of=uid,
        )

    @cached_property
    def _lists_of_services(self) -> dict[str, MatchList]:
        return self._index.lists_of(self.intent.services.values())

    # Indexes

    @cached_property
    def prefixes(self) -> ListResolver:
        return ListResolver(self._index.lists)

    @cached_property
    def nodes(self) -> list[ExchangeNode]:
        return exchange_nodes(self.intent)

    @cached_property
    def nodes_by_id(self) -> dict[str, ExchangeNode]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def instances(self) -> list[ServiceInstance]:
        return service_instances(self.intent)

    @cached_property
    def _exchanges(self) -> Reads:
        return tuple(self.intent.exchanges.values())

    @cached_property
    def _common_reads(self) -> Reads:
        """Return what each segment is made from, whatever else it reads."""
        return self.intent.catalog, self._exchanges, tuple(self.intent.services.values())

    @cached_property
    def _apps(self) -> dict[str, list[InternetApp]]:
        """Segment uid → the internet applications that belong there (see ``segment_of``)."""
        by_segment: dict[str, list[InternetApp]] = {}
        for app in sorted(self.intent.internet_apps.values(), key=_number):
            uid = self.segment_of(app)
            if uid is not None:
                by_segment.setdefault(uid, []).append(app)
        return by_segment

    @cached_property
    def _public_ips(self) -> tuple[str, ...]:
        """The public addresses that applications have instead of their exit's node's."""
        return tuple(sorted({app.public_ip for apps in self._apps.values() for app in apps if app.public_ip}))

    def segment_of(self, app: InternetApp) -> str | None:
        """Return the segment an application belongs to: the first (by number) with both exit and target in it where the
        target owns the address."""
        exit_ = self.intent.connectors.get(app.connector)
        target = self.intent.connectors.get(app.target.connector)
        if exit_ is None or target is None or not app.target.addresses or not (exit_.enabled and target.enabled):
            return None
        common = {attachment.segment for attachment in exit_.attachments}
        common &= {attachment.segment for attachment in target.attachments}
        address = address_number(app.target.addresses[0])
        segments = (self.intent.segments[uid] for uid in common if uid in self.intent.segments)
        for segment in sorted(segments, key=_number):
            # Not from a resolved segment, which would ask for its applications first.
            shares, local_segments, imported = self._route_sources(segment.uid)
            routes = self._segment_routes(segment.uid, local_segments, shares, imported)
            owner = routes.member_lookup.at(address)
            if owner is not None and owner.connector.uid == target.uid:
                return segment.uid
        return None

    @property
    def lists(self) -> dict[str, MatchList]:
        """Prefix lists and port lists by uid."""
        return self._index.lists

    def lists_in(self, item: Policy | NatRule | RoutePolicy | Service) -> tuple[str, ...]:
        """Return the uids of the prefix lists that the rules of an item name."""
        return self._index.lists_in(item)

    def find(self, kind: str, wanted: str) -> Any | None:
        """Return the object with this uid, name or key; None when there is none."""
        return self._index.find(kind, wanted)


def _deleted_uids(before: Intent, after: Intent) -> set[str]:
    return {uid for kind in KINDS for uid in before.of(kind).keys() - after.of(kind).keys()}


def _number(item: Any) -> int:
    return int(item.number)
