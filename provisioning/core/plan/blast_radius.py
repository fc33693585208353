"""Blast radius: how much of the network a plan touches, and whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from provisioning.core.intent import (
    ANY,
    INTERNET,
    Intent,
    IntentObject,
    InternetApp,
    NatRule,
    Policy,
    PrefixList,
    RoutePolicy,
    Service,
    Share,
    ShareSide,
    all_kinds,
    named_uid,
)
from provisioning.core.intent.declaration import declaration_of
from provisioning.core.values.addresses import intersect, merge_ranges, prefix_range
from provisioning.core.values.resource import Change


def compute_blast_radius(changes: Sequence[Change], before: Intent, after: Intent) -> dict[str, Any]:
    """Return ``{"actions": {action: n}, "exchanges": {"touched": [names], "total": n}, …}`` for counted kinds.

    A connector is touched when its own resources change or something that is about it (or its group) does: a policy, a
    share, a NAT rule, a route policy, an application, a prefix list in one of those. A group is touched when one of its
    connectors is; the people behind it are known to the tenant.
    """
    touched = {uid for change in changes for uid in change.subjects}
    for intent, other in ((before, after), (after, before)):
        touched |= _AffectedObjects(intent).find(_changed_objects(intent, other))
    touched |= {
        group
        for intent in (before, after)
        for uid in touched & intent.connectors.keys()
        for attachment in intent.connectors[uid].attachments
        for group in attachment.member_of
    }
    radius: dict[str, Any] = {"actions": dict(sorted(Counter(change.action for change in changes).items()))}
    for kind in (kind.key for kind in all_kinds() if kind.counted):
        both = {**before.of(kind), **after.of(kind)}
        names = sorted(both[uid].name for uid in touched & both.keys())
        radius[kind] = {"touched": names, "total": len(both)}
    return radius


def _changed_objects(intent: Intent, other: Intent) -> Iterator[IntentObject]:
    """Yield the objects of a version that are missing or different in the other."""
    for kind in (kind.key for kind in all_kinds() if kind.affects_connectors):
        others = other.of(kind)
        for uid, item in intent.of(kind).items():
            if others.get(uid) is not item and others.get(uid) != item:
                yield item


class _AffectedObjects:
    """The connectors, groups and segments of one network that a change of other objects touches."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self._connectors_by_name: dict[tuple[str, str], set[str]] | None = None
        self._affected: dict[str, set[str]] = {}

    def find(self, items: Iterable[IntentObject]) -> set[str]:
        """Return uids of the connectors, groups and segments that these objects are about."""
        affected: set[str] = set()
        for item in items:
            # A policy may be asked about once for itself and again for every list and service that it names.
            if item.uid not in self._affected:
                # Lists may contain each other.
                self._affected[item.uid] = set()
                self._affected[item.uid] = set(self._affected_by(item))
            affected |= self._affected[item.uid]
        return affected

    def _affected_by(self, item: IntentObject) -> Iterable[str]:
        if isinstance(item, Policy):
            names = [name for name in (*item.from_, *item.to) if name != INTERNET]
            groups = self.intent.groups.keys() & names
            return groups.union(*(self._named_connectors(segment, names) for segment in item.segments))
        return self._affected_by_other(item)

    def _affected_by_other(self, item: IntentObject) -> Iterator[str]:
        match item:
            case Share():
                yield from (uid for _, side in item.sides for uid in self._affected_by_side(side))
            case RoutePolicy():
                yield from self._named_connectors(item.segment, item.targets)
            case NatRule():
                yield from (item.connector, item.segment)
            case InternetApp():
                yield from (item.connector, item.target.connector)
            case Service():
                yield from self.find(
                    policy for policy in self.intent.policies.values() if _uses_service(policy, item.uid)
                )
            case PrefixList():
                yield from self.find(self._prefix_list_users.get(item.uid, ()))
            case _:
                of_kind: type = type(item)
                named = declaration_of(of_kind).named_objects(item)
                yield from (uid for _, _, uids in named for uid in uids if uid is not None)

    def _affected_by_side(self, side: ShareSide) -> Iterator[str]:
        yield side.segment
        yield from side.groups
        yield from self._named_connectors(side.segment, side.groups)
        listed = merge_ranges(map(prefix_range, side.prefixes))
        for uid in self._named_connectors(side.segment, [ANY]) if listed else ():
            attached = (
                prefix
                for attachment in self.intent.connectors[uid].attachments
                if attachment.segment == side.segment
                for prefix in attachment.prefixes
            )
            if intersect(merge_ranges(map(prefix_range, attached)), listed):
                yield uid
        for rule in self.intent.nat_rules.values() if listed else ():
            outside = (*rule.source.prefixes, *(name for name in rule.match.destination if named_uid(name) is None))
            if rule.segment == side.segment and intersect(merge_ranges(map(prefix_range, outside)), listed):
                yield rule.connector

    def _named_connectors(self, segment: str, names: Iterable[str]) -> set[str]:
        """Return the connectors that names mean in a segment."""
        if self._connectors_by_name is None:
            self._connectors_by_name = {}
            for connector in self.intent.connectors.values():
                for attachment in connector.attachments:
                    for name in (ANY, connector.uid, *attachment.member_of):
                        key = attachment.segment, name
                        self._connectors_by_name.setdefault(key, set()).add(connector.uid)
        apps = self.intent.internet_apps
        targets = {apps[name].target.connector for name in names if name in apps}
        return targets.union(*(self._connectors_by_name.get((segment, name), ()) for name in names))

    @cached_property
    def _prefix_list_users(self) -> dict[str, list[IntentObject]]:
        """Prefix list → the objects that name it."""
        users: dict[str, list[IntentObject]] = {}
        for item, names in self._address_names():
            for uid in dict.fromkeys(map(named_uid, names)):
                if uid is not None:
                    users.setdefault(uid, []).append(item)
        return users

    def _address_names(self) -> Iterator[tuple[IntentObject, list[str]]]:
        for policy in self.intent.policies.values():
            yield policy, [name for rule in policy.rules for name in (*rule.source, *rule.destination)]
        for nat in self.intent.nat_rules.values():
            yield nat, [*nat.match.source, *nat.match.destination]
        for routes in self.intent.route_policies.values():
            yield routes, [name for rule in routes.rules for name in rule.match.prefixes]
        for prefix_list in self.intent.prefix_lists.values():
            yield prefix_list, [*prefix_list.contains]


def _uses_service(policy: Policy, service: str) -> bool:
    return any(service in rule.services for rule in policy.rules)
