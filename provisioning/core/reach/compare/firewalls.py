"""What the firewalls that rules send flows through stop, as masks of cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from provisioning.core.reach.compare.match_rules import NO_POLICY, MatchRule
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.l4 import L4Ranges, l4_ranges

FirewallRuleKey = tuple[str, int, int | None]
"""Service, which of its rules, and the version where another one has a different one."""


class FirewallEntry(NamedTuple):
    """A rule of a firewall. line: its place in the ledger where it asks for addresses; None: it matches all of them."""

    line: int | None
    mask: int
    denies: bool


class FirewallFilter(NamedTuple):
    entries: list[FirewallEntry]
    default_denies: bool

    def stopped(self, hits: Collection[int], mask: int) -> int:
        """The part of these cells that it drops of flows that match these lines."""
        left, stopped = mask, 0
        for entry in self.entries:
            if entry.line is None or entry.line in hits:
                part = entry.mask & left
                left ^= part
                if entry.denies:
                    stopped |= part
        return stopped | left if self.default_denies else stopped


def firewall_match_rules(
    resolved: ResolvedSegment, services: Collection[str], changed: Collection[str], version: int
) -> dict[FirewallRuleKey, MatchRule]:
    """The rules of these services that ask for addresses, by key.

    changed: services that do something else in the other version.
    """
    found: dict[FirewallRuleKey, MatchRule] = {}
    ranges = resolved.prefixes.ranges
    for uid in sorted(services & resolved.services.keys()):
        for place, rule in enumerate(resolved.services[uid].firewall_rules):
            if rule.source or rule.destination:
                held = l4_ranges(rule.protocol, rule.ports)
                key = (uid, place, version if uid in changed else None)
                found[key] = MatchRule(NO_POLICY, ranges(rule.source), ranges(rule.destination), held, None)
    return found


def firewall_filters(
    resolved: ResolvedSegment,
    services: Collection[str],
    places: Mapping[tuple[str, int], int],
    mask: Callable[[L4Ranges], int],
) -> dict[str, FirewallFilter]:
    """By uid, the services that stop anything. places: (uid, which rule) → place of its line in the ledger."""
    found: dict[str, FirewallFilter] = {}
    for uid in services & resolved.services.keys():
        service = resolved.services[uid]
        entries = [
            FirewallEntry(places.get((uid, place)), mask(l4_ranges(rule.protocol, rule.ports)), rule.action == "deny")
            for place, rule in enumerate(service.firewall_rules)
        ]
        denies = service.firewall_default == "deny"
        if denies or any(entry.denies for entry in entries):
            found[uid] = FirewallFilter(entries, denies)
    return found
