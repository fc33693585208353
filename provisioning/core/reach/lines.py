"""What first-match lists are made of: rules, gates, shares and stances as lines that ask about both ends and the cell.

A line knows nothing of other versions; ``rule_keys`` and its like give the names by which two versions find the lines
they have in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from provisioning.core.addresses import ALL_V4, V6, Range
from provisioning.core.fabric import placed_at
from provisioning.core.flows import EVERYTHING, Cells, cells
from provisioning.core.intent import Policy, Rule, Service, Share
from provisioning.core.realm import Gate, Passage, Realm

EVERYBODY = -1
"""Stands for a line's policy where a line names nobody."""

ALL_V6: Range = (V6, V6 + (1 << 128) - 1)


class Line(NamedTuple):
    """policy: place among the realm's policies, which say whom the line names; EVERYBODY where none does.

    source, destination: None matches every address. chain: uids of the services that flows pass; None: they go nowhere.
    """

    policy: int
    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None
    cells: Cells
    chain: tuple[str, ...] | None
    rule: tuple[Policy, Rule] | None = None
    share: Share | None = None

    @property
    def title(self) -> str | None:
        """What people know it by."""
        if self.rule:
            return self.rule[0].rule_id(self.rule[1])
        return f"share/{self.share.key}" if self.share else None


FAMILIES = tuple(Line(EVERYBODY, (held,), (held,), EVERYTHING, ()) for held in (ALL_V4, ALL_V6))
"""Both ends of a flow are of one family."""

STANCE = Line(0, None, None, EVERYTHING, ())


def rule_lines(realm: Realm) -> list[Line]:
    """The rules that decide, in the order they are tried."""
    if "rule lines" not in realm.memo:
        realm.memo["rule lines"] = list(_rule_lines(realm))
    found: list[Line] = realm.memo["rule lines"]
    return found


def _rule_lines(realm: Realm) -> Iterator[Line]:
    ranges = realm.prefixes.ranges
    for place, policy in enumerate(realm.policies):
        for rule in policy.rules:
            if rule.action != "watch":
                chain = None if rule.action == "deny" else rule.services
                held = cells(rule.protocol, rule.ports)
                yield Line(place, ranges(rule.source), ranges(rule.destination), held, chain, (policy, rule))


def gate_lines(gates: Iterable[Gate]) -> list[Line]:
    return [Line(EVERYBODY, gate.source, gate.destination, gate.cells, () if gate.passes else None) for gate in gates]


def passage_lines(passages: Iterable[Passage]) -> list[Line]:
    return [Line(EVERYBODY, one.near, one.far, EVERYTHING, one.share.services, None, one.share) for one in passages]


# Keys


class Alike:
    """What two realms of one segment see alike, so that equal lines do equal things. ``other`` None: nothing."""

    def __init__(self, realm: Realm, other: Realm | None) -> None:
        self.policies: dict[str, Policy] = {one.uid: one for one in other.policies} if other else {}
        self.lists = set[str]()
        self.services = set[str]()
        if other is None:
            return
        ours, theirs = realm.prefixes.lists, other.prefixes.lists
        if ours != theirs:
            self.lists = {uid for uid in {**ours, **theirs} if ours.get(uid) != theirs.get(uid)}
        if realm.services != other.services or realm.exchanges != other.exchanges:
            self.services = {
                uid for uid in {**realm.services, **other.services} if behaviour(realm, uid) != behaviour(other, uid)
            }

    def twin(self, policy: Policy) -> bool:
        """Whether the other realm has the same policy with the same rules for the same names."""
        other = self.policies.get(policy.uid)
        if other is None or other is policy:
            return other is policy
        return (other.from_, other.to, other.rules) == (policy.from_, policy.to, policy.rules)

    def changed(self, rule: Rule) -> bool:
        """Whether something a rule names means something else there."""
        named = (*rule.source, *rule.destination)
        return not (self.lists.isdisjoint(named) and self.services.isdisjoint(rule.services))


def behaviour(realm: Realm, uid: str) -> Hashable:
    """All that decides what a service makes of flows."""
    service: Service | None = realm.services.get(uid)
    if service is None:
        return None
    alive = bool(placed_at(realm.exchanges, service))
    return alive, service.on_failure, service.firewall_default, service.firewall_rules


def rule_keys(realm: Realm, alike: Alike, version: int) -> list[Hashable]:
    """Names for ``rule_lines``: equal in two versions where the line asks and does the same."""
    keys: list[Hashable] = []
    seen: Counter[Hashable] = Counter()
    changed = bool(alike.lists or alike.services)
    for policy in realm.policies:
        twin = alike.twin(policy)
        for place, rule in enumerate(policy.rules):
            if rule.action == "watch":
                continue
            if changed and alike.changed(rule):
                keys.append((policy.uid, place, version))
            elif twin:
                keys.append((policy.uid, place))
            else:
                key = (policy.uid, policy.from_, policy.to, rule)
                seen[key] += 1
                keys.append((key, seen[key]))
    return keys


def value_keys(lines: Sequence[Line], alike: Alike, version: int) -> list[Hashable]:
    """For lines that are nothing but their values."""
    seen: Counter[Hashable] = Counter()
    keys: list[Hashable] = []
    for line in lines:
        key = line[1:5] if alike.services.isdisjoint(line.chain or ()) else (line[1:5], version)
        seen[key] += 1
        keys.append((key, seen[key]))
    return keys
