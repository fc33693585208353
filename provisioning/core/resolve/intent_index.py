"""The objects of an intent by the segment they are about, and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from provisioning.core.intent import (
    Attachment,
    Connector,
    Intent,
    NatRule,
    Policy,
    RoutePolicy,
    Service,
    Share,
    named_uid,
)
from provisioning.core.intent.list_resolver import MatchList
from provisioning.core.values.text import normalise_text

AttachedConnector = tuple[Connector, list[Attachment]]
"""A connector with its attachments in one segment."""


class IntentIndex:
    """Each index is made when first asked for. Disabled objects are in none but those by name.

    previous: that of the version before; of connectors, only the segments that an edit touched are indexed again.
    """

    def __init__(self, intent: Intent, previous: IntentIndex | None = None) -> None:
        self.intent = intent
        if previous and "attached" in vars(previous) and previous.intent.exchanges.keys() == intent.exchanges.keys():
            self.attached = self._attached_after(previous)
        self._by_name: dict[str, dict[str, Any]] = {}

    @cached_property
    def attached(self) -> dict[str, list[AttachedConnector]]:
        """Segment uid → its connectors by number, each with its attachments there."""
        attached: dict[str, list[AttachedConnector]] = {}
        for connector in sorted(self.intent.connectors.values(), key=lambda connector: connector.number):
            for uid, attachments in self._attachments(connector).items():
                attached.setdefault(uid, []).append((connector, attachments))
        return attached

    def _attachments(self, connector: Connector | None) -> dict[str, list[Attachment]]:
        """Return the connector's attachments by segment; none where it is disabled or has no exchange."""
        by_segment: dict[str, list[Attachment]] = {}
        if connector and connector.enabled and connector.exchange in self.intent.exchanges:
            for attachment in connector.attachments:
                by_segment.setdefault(attachment.segment, []).append(attachment)
        return by_segment

    def _attached_after(self, previous: IntentIndex) -> dict[str, list[AttachedConnector]]:
        before, after = previous.intent.connectors, self.intent.connectors
        changed = {uid for uid, connector in after.items() if before.get(uid) is not connector}
        changed |= before.keys() - after.keys()
        added: dict[str, list[AttachedConnector]] = {}
        for uid in changed:
            for segment in self._attachments(before.get(uid)):
                added.setdefault(segment, [])
            for segment, attachments in self._attachments(after.get(uid)).items():
                added.setdefault(segment, []).append((after[uid], attachments))
        attached = dict(previous.attached)
        for segment, pairs in added.items():
            kept = [pair for pair in attached.get(segment, ()) if pair[0].uid not in changed]
            attached[segment] = sorted(kept + pairs, key=lambda pair: pair[0].number)
        return attached

    @cached_property
    def policies(self) -> dict[str, list[Policy]]:
        """Segment uid → its policies in the order they are tried."""
        by_segment: dict[str, list[Policy]] = {}
        for policy in sorted(self.intent.policies.values(), key=lambda policy: policy.order):
            for uid in policy.segments if policy.enabled else ():
                by_segment.setdefault(uid, []).append(policy)
        return by_segment

    @cached_property
    def shares(self) -> dict[str, list[Share]]:
        """Segment uid → the shares with a side there, by number."""
        by_segment: dict[str, list[Share]] = {}
        for share in sorted(self.intent.shares.values(), key=lambda share: share.number):
            for uid in {share.a.segment, share.b.segment}:
                by_segment.setdefault(uid, []).append(share)
        return by_segment

    @cached_property
    def nat_rules(self) -> dict[str, dict[str, list[NatRule]]]:
        """Segment uid → connector uid → its NAT rules in the order they are tried."""
        by_segment: dict[str, dict[str, list[NatRule]]] = {}
        for rule in sorted(self.intent.nat_rules.values(), key=lambda rule: (rule.position, rule.number)):
            if rule.enabled:
                by_segment.setdefault(rule.segment, {}).setdefault(rule.connector, []).append(rule)
        return by_segment

    @cached_property
    def route_policies(self) -> dict[str, list[RoutePolicy]]:
        """Segment uid → its route policies by number."""
        by_segment: dict[str, list[RoutePolicy]] = {}
        for policy in sorted(self.intent.route_policies.values(), key=lambda policy: policy.number):
            if policy.enabled:
                by_segment.setdefault(policy.segment, []).append(policy)
        return by_segment

    # Lists that rules name

    @cached_property
    def lists(self) -> dict[str, MatchList]:
        """Prefix lists and port lists by uid."""
        intent = self.intent
        return {**intent.prefix_lists, **intent.port_lists} if intent.port_lists else {**intent.prefix_lists}

    @cached_property
    def _lists_by_item(self) -> dict[str, tuple[str, ...]]:
        """uid of a policy, NAT rule, route policy or service → the lists it names."""
        intent, lists = self.intent, self.lists
        if not lists:
            return {}
        kinds = (intent.policies, intent.nat_rules, intent.route_policies, intent.services)
        return {
            item.uid: _with_contained_lists((named_uid(name) for name in _list_names(item)), lists)
            for kind in kinds
            for item in kind.values()
        }

    def lists_in(self, item: Policy | NatRule | RoutePolicy | Service) -> tuple[str, ...]:
        """Return the uids of the lists that the rules of an item name, and of those in them."""
        return self._lists_by_item.get(item.uid, ())

    def lists_of(self, *items: Iterable[Policy | NatRule | RoutePolicy | Service]) -> dict[str, MatchList]:
        """Return the lists that these items name, by uid."""
        names = dict.fromkeys(name for group in items for item in group for name in self.lists_in(item))
        return {name: self.lists[name] for name in names}

    # Names

    def find(self, kind: str, wanted: str) -> Any | None:
        """Return the object with this uid, name or key; None when there is none. The oldest of equal names counts."""
        objects = self.intent.of(kind)
        if kind not in self._by_name:
            by_name = {item.key: item for item in reversed(objects.values())}
            by_name |= {normalise_text(item.name): item for item in reversed(objects.values())}
            self._by_name[kind] = by_name
        return objects.get(wanted) or self._by_name[kind].get(normalise_text(wanted))


def _with_contained_lists(uids: Iterable[str | None], lists: Mapping[str, MatchList]) -> tuple[str, ...]:
    """Return those that are lists, and the lists in them, each once."""
    found: dict[str, None] = {}
    pending = [uid for uid in uids if uid in lists]
    while pending:
        uid = pending.pop(0)
        if uid is not None and uid in lists and uid not in found:
            found[uid] = None
            pending += lists[uid].contains
    return tuple(found)


def _list_names(item: Policy | NatRule | RoutePolicy | Service) -> Iterable[str]:
    """What an item names where lists may stand."""
    if isinstance(item, Policy):
        for rule in item.rules:
            yield from (*rule.source, *rule.destination, *rule.ports)
    elif isinstance(item, NatRule):
        yield from item.match.source
        yield from item.match.destination
    elif isinstance(item, RoutePolicy):
        for route_rule in item.rules:
            yield from route_rule.match.prefixes
    else:
        for firewall_rule in item.firewall_rules:
            yield from (*firewall_rule.source, *firewall_rule.destination, *firewall_rule.ports)
