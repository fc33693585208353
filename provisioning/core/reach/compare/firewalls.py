"""What firewall services drop of the flows that pass them, as L4 masks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from provisioning.core.reach.compare.match_rules import NO_POLICY, MatchRule
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.headers import HeaderMatch

FirewallRuleKey = tuple[str, int, int | None]
"""uid of the service, index of its rule, and the version where the two versions of the service differ."""


class FirewallEntry(NamedTuple):
    """A rule of a firewall. rule_index: in the rule table, if it matches some addresses only; None: it matches all."""

    rule_index: int | None
    mask: int
    denies: bool


class FirewallFilter(NamedTuple):
    entries: list[FirewallEntry]
    default_denies: bool

    def stopped(self, hits: Collection[int], mask: int) -> int:
        """Return the part of a mask that the firewall drops. hits: indexes of the rules that match by address."""
        left, stopped = mask, 0
        for entry in self.entries:
            if entry.rule_index is None or entry.rule_index in hits:
                part = entry.mask & left
                left ^= part
                if entry.denies:
                    stopped |= part
        return stopped | left if self.default_denies else stopped


def firewall_match_rules(
    resolved: ResolvedSegment, services: Collection[str], changed: Collection[str], version: int
) -> dict[FirewallRuleKey, MatchRule]:
    """Return the rules of these services that match some addresses only, by key.

    changed: services that do something else in the other version.
    """
    match_rules: dict[FirewallRuleKey, MatchRule] = {}
    ranges = resolved.prefixes.ranges
    for uid in sorted(services & resolved.services.keys()):
        for index, rule in enumerate(resolved.services[uid].firewall_rules):
            if rule.source or rule.destination:
                key = (uid, index, version if uid in changed else None)
                match_rules[key] = MatchRule(
                    NO_POLICY,
                    ranges(rule.source),
                    ranges(rule.destination),
                    resolved.prefixes.headers(rule),
                    None,
                )
    return match_rules


def firewall_filters(
    resolved: ResolvedSegment,
    services: Collection[str],
    indexes: Mapping[tuple[str, int], int],
    mask: Callable[[HeaderMatch], int],
) -> dict[str, FirewallFilter]:
    """Return the services that drop anything, by uid. indexes: (uid, index of its rule) → index in the rule table."""
    filters: dict[str, FirewallFilter] = {}
    for uid in services & resolved.services.keys():
        service = resolved.services[uid]
        entries = [
            FirewallEntry(indexes.get((uid, index)), mask(resolved.prefixes.headers(rule)), rule.action == "deny")
            for index, rule in enumerate(service.firewall_rules)
        ]
        denies = service.firewall_default == "deny"
        if denies or any(entry.denies for entry in entries):
            filters[uid] = FirewallFilter(entries, denies)
    return filters
