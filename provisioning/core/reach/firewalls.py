"""What the firewalls that rules send flows through stop, as masks of cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from provisioning.core.values.l4 import L4Ranges, l4_ranges
from provisioning.core.reach.lines import EVERYBODY, Line
from provisioning.core.realm import Realm

GuardKey = tuple[str, int, int | None]
"""Service, which of its rules, and the version where another one has a different one."""


class Guard(NamedTuple):
    """A rule of a firewall. line: its place in the ledger where it asks for addresses; None: it matches all of them."""

    line: int | None
    mask: int
    denies: bool


class Firewall(NamedTuple):
    guards: list[Guard]
    default_denies: bool

    def stopped(self, hits: Collection[int], mask: int) -> int:
        """The part of these cells that it drops of flows that match these lines."""
        left, stopped = mask, 0
        for guard in self.guards:
            if guard.line is None or guard.line in hits:
                part = guard.mask & left
                left ^= part
                if guard.denies:
                    stopped |= part
        return stopped | left if self.default_denies else stopped


def firewall_lines(
    realm: Realm, services: Collection[str], changed: Collection[str], version: int
) -> dict[GuardKey, Line]:
    """The rules of these services that ask for addresses, by key.

    changed: services that do something else in the other version.
    """
    found: dict[GuardKey, Line] = {}
    ranges = realm.prefixes.ranges
    for uid in sorted(services & realm.services.keys()):
        for place, rule in enumerate(realm.services[uid].firewall_rules):
            if rule.source or rule.destination:
                held = l4_ranges(rule.protocol, rule.ports)
                key = (uid, place, version if uid in changed else None)
                found[key] = Line(EVERYBODY, ranges(rule.source), ranges(rule.destination), held, None)
    return found


def firewalls(
    realm: Realm, services: Collection[str], places: Mapping[tuple[str, int], int], mask: Callable[[L4Ranges], int]
) -> dict[str, Firewall]:
    """By uid, the services that stop anything. places: (uid, which rule) → place of its line in the ledger."""
    found: dict[str, Firewall] = {}
    for uid in services & realm.services.keys():
        service = realm.services[uid]
        guards = [
            Guard(places.get((uid, place)), mask(l4_ranges(rule.protocol, rule.ports)), rule.action == "deny")
            for place, rule in enumerate(service.firewall_rules)
        ]
        denies = service.firewall_default == "deny"
        if denies or any(guard.denies for guard in guards):
            found[uid] = Firewall(guards, denies)
    return found
