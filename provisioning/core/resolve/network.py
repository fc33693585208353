"""A network that can be asked: an intent with everything derived from it, each part made when first needed.

An edit makes a new ``Network`` from the one before it; realms that read nothing the edit changed are taken over as they
are, with all that was derived from them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from provisioning.core.intent import (
    KINDS,
    Attachment,
    Connector,
    Intent,
    InternetApp,
    NatRule,
    Policy,
    PrefixList,
    RoutePolicy,
    Service,
    Share,
)
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.resolve.fabric import ExchangeNode, ServiceInstance, exchange_nodes, service_instances
from provisioning.core.resolve.routing_table import LocalSegment, RoutingTable
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import address_number

Result = TypeVar("Result")
Inputs = tuple[Any, ...]
"""Everything a part was made from; equal reads make equal parts."""


class Network:
    """``previous``: an earlier version to take unchanged parts from; it is not kept.

    kept: results of others by key, each with what it was made from (see ``keep``), carried from version to version.
    """

    def __init__(self, intent: Intent, previous: Network | None = None) -> None:
        self.intent = intent
        there = intent.segments.keys()
        self._routing_table_cache: dict[str, tuple[Inputs, RoutingTable]] = (
            _restrict_to(previous._routing_table_cache, there) if previous else {}
        )
        self._local_segment_cache: dict[str, tuple[Inputs, LocalSegment]] = (
            _restrict_to(previous._local_segment_cache, there) if previous else {}
        )
        self._resolved_cache: dict[str, tuple[Inputs, ResolvedSegment]] = (
            _restrict_to(previous._resolved_cache, there) if previous else {}
        )
        self._resolved: dict[str, ResolvedSegment] = {}
        self._local_segments: dict[str, LocalSegment] = {}
        self.kept: dict[Hashable, tuple[Inputs, Any]] = _without_deleted_items(previous, intent) if previous else {}

    # Parts

    def resolved(self, segment: str) -> ResolvedSegment:
        """The segment with this uid, seen whole. Raises KeyError when there is none."""
        if segment not in self._resolved:
            self._resolved[segment] = self._resolve(segment)
        return self._resolved[segment]

    @property
    def resolved_segments(self) -> dict[str, ResolvedSegment]:
        """All of them, in the order of the segments."""
        return {uid: self.resolved(uid) for uid in self.intent.segments}

    def _resolve(self, uid: str) -> ResolvedSegment:
        segment, shares, apps = self.intent.segments[uid], self._shares.get(uid, ()), self._apps.get(uid, ())
        joined = dict.fromkeys(side.segment for share in shares for side in (share.a, share.b))
        local_segments = {one: self._local_segment(one) for one in (uid, *joined) if one in self.intent.segments}
        read = (segment, self._shared_inputs, *shares, *apps, *local_segments.values())
        held = self._resolved_cache.get(uid)
        if held is None or held[0] != read:
            intent = self.intent
            resolved = ResolvedSegment(
                segment,
                local_segments,
                shares,
                apps,
                intent.services,
                intent.exchanges,
                intent.catalog,
                self.nodes_by_id,
            )
            if held is not None:
                resolved.reuse_from(held[1])
            held = self._resolved_cache[uid] = (read, resolved)
        return held[1]

    def _local_segment(self, uid: str) -> LocalSegment:
        if uid not in self._local_segments:
            self._local_segments[uid] = self._make_local_segment(uid)
        return self._local_segments[uid]

    def _make_local_segment(self, uid: str) -> LocalSegment:
        routing_table, policies = self._routing_table(uid), self._policies.get(uid, ())
        lists = self._prefix_lists_of(policies) | self._prefix_lists_of_services
        read = (routing_table, *policies, None, *routing_table.prefixes.lists.values(), *lists.values())
        held = self._local_segment_cache.get(uid)
        if held is None or held[0] != read:
            local_segment = LocalSegment(
                routing_table, policies, PrefixResolver({**routing_table.prefixes.lists, **lists})
            )
            held = self._local_segment_cache[uid] = (read, local_segment)
        return held[1]

    def _routing_table(self, uid: str) -> RoutingTable:
        intent = self.intent
        segment, attached = intent.segments[uid], self._attached.get(uid, ())
        nat, routing = self._nat.get(uid, {}), self._route_policies.get(uid, ())
        ordered = [rule for rules in nat.values() for rule in rules]
        lists = self._prefix_lists_of(ordered, routing)
        connectors = [connector for connector, _ in attached]
        read = (segment, self._exchanges, *connectors, None, *ordered, None, *routing, *lists.values())
        held = self._routing_table_cache.get(uid)
        if held is None or held[0] != read:
            routing_table = RoutingTable(segment, intent.exchanges, attached, nat, routing, PrefixResolver(lists))
            held = self._routing_table_cache[uid] = (read, routing_table)
        return held[1]

    def _prefix_lists_of(self, *items: Iterable[Policy | NatRule | RoutePolicy | Service]) -> dict[str, PrefixList]:
        """The prefix lists that these items name."""
        names = dict.fromkeys(name for some in items for one in some for name in self.prefix_lists_in(one))
        return {name: self.intent.prefix_lists[name] for name in names}

    @cached_property
    def _prefix_lists_of_services(self) -> dict[str, PrefixList]:
        return self._prefix_lists_of(self.intent.services.values())

    def derive(self, key: Hashable, read: Inputs, make: Callable[[], Result]) -> Result:
        """What ``make()`` gives, or what it gave in an earlier version that had read the same."""
        held = self.kept.get(key)
        if held is None or held[0] != read:
            held = self.kept[key] = (read, make())
        made: Result = held[1]
        return made

    def derive_each(
        self, key: Hashable, read: Inputs, parts: Mapping[str, Inputs], make: Callable[[str], Result]
    ) -> list[Result]:
        """``make(uid)`` of each part, kept while ``read`` and what that part read stay the same."""
        held = self.kept.get(key)
        before: dict[str, tuple[Inputs, Result]] = held[1] if held and held[0] == read else {}
        after = {}
        for uid, mine in parts.items():
            known = before.get(uid)
            after[uid] = known if known and known[0] == mine else (mine, make(uid))
        self.kept[key] = (read, after)
        return [made for _, made in after.values()]

    # Indexes

    @cached_property
    def prefixes(self) -> PrefixResolver:
        return PrefixResolver(self.intent.prefix_lists)

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
    def _exchanges(self) -> Inputs:
        return tuple(self.intent.exchanges.values())

    @cached_property
    def _shared_inputs(self) -> Inputs:
        """What every realm reads."""
        return (self.intent.catalog, self._exchanges, tuple(self.intent.services.values()))

    @cached_property
    def _attached(self) -> dict[str, list[tuple[Connector, list[Attachment]]]]:
        """Segment uid → its enabled connectors by number, each with its attachments there."""
        found: dict[str, list[tuple[Connector, list[Attachment]]]] = {}
        for connector in sorted(self.intent.connectors.values(), key=lambda one: one.number):
            if connector.enabled and connector.exchange in self.intent.exchanges:
                here: dict[str, list[Attachment]] = {}
                for attachment in connector.attachments:
                    here.setdefault(attachment.segment, []).append(attachment)
                for uid, attachments in here.items():
                    found.setdefault(uid, []).append((connector, attachments))
        return found

    @cached_property
    def _policies(self) -> dict[str, list[Policy]]:
        found: dict[str, list[Policy]] = {}
        for policy in sorted(self.intent.policies.values(), key=lambda one: (one.position, one.number)):
            for uid in policy.segments if policy.enabled else ():
                found.setdefault(uid, []).append(policy)
        return found

    @cached_property
    def _shares(self) -> dict[str, list[Share]]:
        found: dict[str, list[Share]] = {}
        for share in sorted(self.intent.shares.values(), key=lambda one: one.number):
            for uid in {share.a.segment, share.b.segment}:
                found.setdefault(uid, []).append(share)
        return found

    @cached_property
    def _nat(self) -> dict[str, dict[str, list[NatRule]]]:
        """Segment uid → connector uid → its enabled NAT rules in the order they are tried."""
        found: dict[str, dict[str, list[NatRule]]] = {}
        for rule in sorted(self.intent.nat_rules.values(), key=lambda one: (one.position, one.number)):
            if rule.enabled:
                found.setdefault(rule.segment, {}).setdefault(rule.connector, []).append(rule)
        return found

    @cached_property
    def _route_policies(self) -> dict[str, list[RoutePolicy]]:
        found: dict[str, list[RoutePolicy]] = {}
        for policy in sorted(self.intent.route_policies.values(), key=lambda one: one.number):
            if policy.enabled:
                found.setdefault(policy.segment, []).append(policy)
        return found

    @cached_property
    def _apps(self) -> dict[str, list[InternetApp]]:
        """Segment uid → the internet applications that belong there (see ``segment_of``)."""
        found: dict[str, list[InternetApp]] = {}
        for app in sorted(self.intent.internet_apps.values(), key=lambda one: one.number):
            uid = self.segment_of(app)
            if uid is not None:
                found.setdefault(uid, []).append(app)
        return found

    def segment_of(self, app: InternetApp) -> str | None:
        """The first segment (by number) with both exit and target in it where the target owns the address."""
        way_in = self.intent.connectors.get(app.connector)
        target = self.intent.connectors.get(app.target.connector)
        if way_in is None or target is None or not app.target.addresses or not (way_in.enabled and target.enabled):
            return None
        both = {one.segment for one in way_in.attachments} & {one.segment for one in target.attachments}
        wanted = app.target.addresses[0]
        for segment in sorted((self.intent.segments[uid] for uid in both if uid in self.intent.segments), key=_number):
            # Not from a realm, which would ask for its applications first.
            owner = self._local_segment(segment.uid).owner(address_number(wanted))
            if owner is not None and owner.connector.uid == target.uid:
                return segment.uid
        return None

    @cached_property
    def _prefix_lists_by_item(self) -> dict[str, tuple[str, ...]]:
        """uid of a policy, NAT rule, route policy or service → the prefix lists it names."""
        return {}

    def prefix_lists_in(self, item: Policy | NatRule | RoutePolicy | Service) -> tuple[str, ...]:
        """The prefix lists that its rules name."""
        if not self.intent.prefix_lists:
            return ()
        if item.uid not in self._prefix_lists_by_item:
            self._prefix_lists_by_item[item.uid] = tuple(
                name for name in _referenced_prefixes(item) if name in self.intent.prefix_lists
            )
        return self._prefix_lists_by_item[item.uid]

    @cached_property
    def _names(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        return found

    def find(self, kind: str, wanted: str) -> Any | None:
        """The object with this uid, name or key; None when there is none."""
        if kind not in self._names:
            index: dict[str, Any] = {}
            for item in self.intent.of(kind).values():
                index.setdefault(item.name, item)
            for item in self.intent.of(kind).values():
                index.setdefault(item.key, item)
            self._names[kind] = index
        return self.intent.of(kind).get(wanted) or self._names[kind].get(wanted)


def _without_deleted_items(previous: Network, intent: Intent) -> dict[Hashable, tuple[Inputs, Any]]:
    """What was kept, without what is about items that are gone: keys like (“rules”, uid)."""
    gone = {uid for kind in KINDS for uid in previous.intent.of(kind).keys() - intent.of(kind).keys()}
    if not gone:
        return dict(previous.kept)
    return {key: held for key, held in previous.kept.items() if not (isinstance(key, tuple) and key[-1] in gone)}


def _restrict_to(held: Mapping[str, Result], wanted: Collection[str]) -> dict[str, Result]:
    return {uid: one for uid, one in held.items() if uid in wanted}


def _referenced_prefixes(item: Policy | NatRule | RoutePolicy | Service) -> Iterable[str]:
    if isinstance(item, Policy):
        for rule in item.rules:
            yield from rule.source
            yield from rule.destination
    elif isinstance(item, NatRule):
        yield from item.match.source
        yield from item.match.destination
    elif isinstance(item, RoutePolicy):
        for routing in item.rules:
            yield from routing.match.prefixes
    else:
        for inner in item.firewall_rules:
            yield from inner.source
            yield from inner.destination


def _number(item: Any) -> int:
    return int(item.number)
