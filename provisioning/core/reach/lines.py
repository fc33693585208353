"""What first-match lists are made of: rules, gates, shares and stances as lines that ask about ends and the cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from provisioning.core.values.addresses import ALL_V4, V6_OFFSET, Range
from provisioning.core.fabric import placed_at
from provisioning.core.values.l4 import ALL_L4, IPV4_L4, IPV6_L4, L4Ranges, l4_ranges
from provisioning.core.intent import Policy, Rule, Share
from provisioning.core.reach.order import NONE, Pairs, aligned
from provisioning.core.realm import Gate, Passage, Realm

EVERYBODY = -1
"""Stands for a line's policy where a line names nobody."""

ALL_V6: Range = (V6_OFFSET, V6_OFFSET + (1 << 128) - 1)


class Line(NamedTuple):
    """policy: place among the realm's policies, which say whom the line names; EVERYBODY where none does.

    source, destination: None matches every address. chain: uids of the services that flows pass; None: they go nowhere.
    """

    policy: int
    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None
    cells: L4Ranges
    chain: tuple[str, ...] | None
    rule: tuple[Policy, Rule] | None = None
    share: Share | None = None

    @property
    def title(self) -> str | None:
        """What people know it by."""
        if self.rule:
            return self.rule[0].rule_id(self.rule[1])
        return f"share/{self.share.key}" if self.share else None


FAMILIES = tuple(
    Line(EVERYBODY, (held,), (held,), carried, ()) for held, carried in ((ALL_V4, IPV4_L4), (ALL_V6, IPV6_L4))
)
"""Both ends of a flow are of one family, and its protocol is one which that family carries."""

STANCE = Line(0, None, None, ALL_L4, ())


def gate_lines(gates: Iterable[Gate], places: Mapping[str, int]) -> list[Line]:
    """places: of the connectors that gates are about, in the book that says whom a line covers."""
    return [
        Line(
            EVERYBODY if gate.connector is None else places[gate.connector],
            gate.source,
            gate.destination,
            gate.cells,
            () if gate.passes else None,
        )
        for gate in gates
    ]


def passage_lines(passages: Iterable[Passage]) -> list[Line]:
    return [Line(EVERYBODY, one.near, one.far, ALL_L4, one.share.services, None, one.share) for one in passages]


def policy_lines(realm: Realm, place: int) -> list[Line]:
    """The rules of one policy that decide; rules that only watch are no lines."""
    known: dict[int, list[Line]] = realm.memo.setdefault("policy lines", {})
    if place not in known:
        policy, ranges = realm.policies[place], realm.prefixes.ranges
        known[place] = [
            Line(
                place,
                ranges(rule.source),
                ranges(rule.destination),
                l4_ranges(rule.protocol, rule.ports),
                None if rule.action == "deny" else rule.services,
                (policy, rule),
            )
            for rule in policy.rules
            if rule.action != "watch"
        ]
    return known[place]


class Policies:
    """The policies of a realm, or of two versions of it side by side; None where a version lacks it.

    pairs: places of policies in each version, equal ones together as far as neither order is broken.
    touched[k]: bits of the policies that the other version does not have so, or not in this order.
    """

    def __init__(self, realms: Sequence[Realm | None]) -> None:
        self.realms = realms
        listed = [realm.policies if realm else [] for realm in realms]
        if len(realms) == 2:
            self.pairs = aligned([[policy.uid for policy in one] for one in listed])
        else:
            self.pairs = [(place,) for place in range(len(listed[0]))]
        self._same = {pair for pair in self.pairs if NONE not in pair and self._twins(pair)}
        self.touched = [
            sum(1 << pair[k] for pair in self.pairs if pair[k] != NONE and pair not in self._same)
            for k in range(len(realms))
        ]

    @cached_property
    def lists(self) -> set[str]:
        """Prefix lists that hold something else in the other version."""
        one, other = (realm.prefixes.lists if realm else {} for realm in self.realms)
        return set() if one == other else {uid for uid in {**one, **other} if one.get(uid) != other.get(uid)}

    @cached_property
    def services(self) -> set[str]:
        """Services that do something else in the other version."""
        one, other = self.realms
        if one is None or other is None:
            return set()
        if one.services == other.services and one.exchanges == other.exchanges and not self.lists:
            return set()
        return {uid for uid in {**one.services, **other.services} if _behaviour(one, uid) != _behaviour(other, uid)}

    def alike(self, chain: Iterable[str]) -> bool:
        """Whether both versions have these services do the same."""
        return len(self.realms) == 1 or self.services.isdisjoint(chain)

    def _twins(self, pair: tuple[int, ...]) -> bool:
        if len(pair) == 1:
            return True
        one, other = (realm.policies[place] for realm, place in zip(self.realms, pair, strict=True) if realm)
        if one is not other and (one.from_, one.to, one.rules) != (other.from_, other.to, other.rules):
            return False
        return not (self.lists or self.services) or not any(self._moved(rule) for rule in one.rules)

    def _moved(self, rule: Rule) -> bool:
        """Whether something the rule names means something else in the other version."""
        named = (*rule.source, *rule.destination)
        return not (self.lists.isdisjoint(named) and self.services.isdisjoint(rule.services))

    def lines(self, wanted: Callable[[int, int], bool]) -> Iterator[tuple[Line | None, ...]]:
        """Version by version, the lines of the policies that are wanted (by version and place) in any, in order."""
        for pair in self.pairs:
            if not any(place != NONE and wanted(k, place) for k, place in enumerate(pair)):
                continue
            listed = [
                policy_lines(realm, place) if realm and place != NONE else []
                for realm, place in zip(self.realms, pair, strict=True)
            ]
            if pair in self._same:
                yield from zip(*listed, strict=True)
            else:
                yield from paired(listed, aligned([self._keys(k, one) for k, one in enumerate(listed)]))

    def _keys(self, version: int, lines: Sequence[Line]) -> list[Hashable]:
        seen: Counter[Hashable] = Counter()
        keys: list[Hashable] = []
        for line in lines:
            assert line.rule is not None
            policy, rule = line.rule
            key: Hashable = (policy.from_, policy.to, rule, version if self._moved(rule) else None)
            seen[key] += 1
            keys.append((key, seen[key]))
        return keys


def paired(listed: Sequence[Sequence[Line]], pairs: Pairs) -> list[tuple[Line | None, ...]]:
    return [
        tuple(None if place == NONE else lines[place] for lines, place in zip(listed, pair, strict=True))
        for pair in pairs
    ]


def _behaviour(realm: Realm, uid: str) -> Hashable:
    """All that decides what a service makes of flows."""
    service = realm.services.get(uid)
    if service is None:
        return None
    ranges = realm.prefixes.ranges
    rules = tuple(
        (rule.action, rule.protocol, rule.ports, ranges(rule.source), ranges(rule.destination))
        for rule in service.firewall_rules
    )
    return bool(placed_at(realm.exchanges, service)), service.on_failure, service.firewall_default, rules
