"""The lines of first-match lists: rules, gates, shares and default actions, which ask about ends and cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from provisioning.core.intent import Policy, Rule, Share
from provisioning.core.reach.compare.alignment import MISSING, AlignedIndexes, align
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.fabric import placement_exchanges
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare, PrePolicyRule
from provisioning.core.values.addresses import ALL_V4, V6_OFFSET, Range
from provisioning.core.values.l4 import ALL_L4, IPV4_L4, IPV6_L4, L4Ranges, l4_ranges

NO_POLICY = -1
"""Stands for a line's policy where a line names nobody."""

ALL_V6: Range = (V6_OFFSET, V6_OFFSET + (1 << 128) - 1)


class MatchRule(NamedTuple):
    """policy: place among the realm's policies, which say whom the line names; EVERYBODY where none does.

    source, destination: None matches every address. chain: uids of the services that flows pass; None: they go nowhere.
    """

    policy: int
    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None
    l4_ranges: L4Ranges
    chain: tuple[str, ...] | None
    policy_rule: tuple[Policy, Rule] | None = None
    share: Share | None = None

    @property
    def title(self) -> str | None:
        """What people know it by."""
        if self.policy_rule:
            return self.policy_rule[0].rule_id(self.policy_rule[1])
        return f"share/{self.share.key}" if self.share else None


FAMILY_RULES = tuple(
    MatchRule(NO_POLICY, (held,), (held,), carried, ()) for held, carried in ((ALL_V4, IPV4_L4), (ALL_V6, IPV6_L4))
)
"""Both ends of a flow are of one family, and its protocol is one which that family carries."""

_POLICY_MATCH_RULES = DerivedKey[list[MatchRule]]("match rules of a policy, by its index")

DEFAULT_ACTION_RULE = MatchRule(0, None, None, ALL_L4, ())


def pre_policy_match_rules(pre_policy_rules: Iterable[PrePolicyRule], places: Mapping[str, int]) -> list[MatchRule]:
    """places: of the connectors that gates are about, in the book that says whom a line covers."""
    return [
        MatchRule(
            NO_POLICY if pre_policy_rule.connector is None else places[pre_policy_rule.connector],
            pre_policy_rule.source,
            pre_policy_rule.destination,
            pre_policy_rule.l4_ranges,
            () if pre_policy_rule.passes else None,
        )
        for pre_policy_rule in pre_policy_rules
    ]


def share_match_rules(directed_shares: Iterable[DirectedShare]) -> list[MatchRule]:
    return [
        MatchRule(NO_POLICY, one.near, one.far, ALL_L4, one.share.services, None, one.share) for one in directed_shares
    ]


def policy_match_rules(resolved: ResolvedSegment, place: int) -> list[MatchRule]:
    """The rules of one policy that decide; rules that only watch are no lines."""
    return resolved.derived.get(_POLICY_MATCH_RULES, (), lambda: _policy_match_rules(resolved, place), of=place)


def _policy_match_rules(resolved: ResolvedSegment, place: int) -> list[MatchRule]:
    policy, ranges = resolved.policies[place], resolved.prefixes.ranges
    return [
        MatchRule(
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


class AlignedPolicies:
    """The policies of a realm, or of two versions of it side by side; None where a version lacks it.

    pairs: places of policies in each version, equal ones together as far as neither order is broken.
    touched[k]: bits of the policies that the other version does not have so, or not in this order.
    """

    def __init__(self, resolved_segments: Sequence[ResolvedSegment | None]) -> None:
        self.resolved_segments = resolved_segments
        listed = [resolved.policies if resolved else [] for resolved in resolved_segments]
        if len(resolved_segments) == 2:
            self.pairs = align([[policy.uid for policy in one] for one in listed])
        else:
            self.pairs = [(place,) for place in range(len(listed[0]))]
        self._same = {pair for pair in self.pairs if MISSING not in pair and self._is_same_policy(pair)}
        self.touched = [
            sum(1 << pair[k] for pair in self.pairs if pair[k] != MISSING and pair not in self._same)
            for k in range(len(resolved_segments))
        ]

    @cached_property
    def lists(self) -> set[str]:
        """Prefix lists that hold something else in the other version."""
        one, other = (resolved.prefixes.lists if resolved else {} for resolved in self.resolved_segments)
        return set() if one == other else {uid for uid in {**one, **other} if one.get(uid) != other.get(uid)}

    @cached_property
    def services(self) -> set[str]:
        """Services that do something else in the other version."""
        one, other = self.resolved_segments
        if one is None or other is None:
            return set()
        if one.services == other.services and one.exchanges == other.exchanges and not self.lists:
            return set()
        return {
            uid
            for uid in {**one.services, **other.services}
            if _service_behaviour(one, uid) != _service_behaviour(other, uid)
        }

    def has_same_services(self, chain: Iterable[str]) -> bool:
        """Whether both versions have these services do the same."""
        return len(self.resolved_segments) == 1 or self.services.isdisjoint(chain)

    def _is_same_policy(self, pair: tuple[int, ...]) -> bool:
        if len(pair) == 1:
            return True
        one, other = (
            resolved.policies[place] for resolved, place in zip(self.resolved_segments, pair, strict=True) if resolved
        )
        if one is not other and (one.from_, one.to, one.rules) != (other.from_, other.to, other.rules):
            return False
        return not (self.lists or self.services) or not any(self._is_affected(rule) for rule in one.rules)

    def _is_affected(self, rule: Rule) -> bool:
        """Whether something the rule names means something else in the other version."""
        named = (*rule.source, *rule.destination)
        return not (self.lists.isdisjoint(named) and self.services.isdisjoint(rule.services))

    def iter_rules(self, wanted: Callable[[int, int], bool]) -> Iterator[tuple[MatchRule | None, ...]]:
        """Version by version, the lines of the policies that are wanted (by version and place) in any, in order."""
        for pair in self.pairs:
            if not any(place != MISSING and wanted(k, place) for k, place in enumerate(pair)):
                continue
            listed = [
                policy_match_rules(resolved, place) if resolved and place != MISSING else []
                for resolved, place in zip(self.resolved_segments, pair, strict=True)
            ]
            if pair in self._same:
                yield from zip(*listed, strict=True)
            else:
                yield from pair_rules(listed, align([self._keys(k, one) for k, one in enumerate(listed)]))

    def _keys(self, version: int, lines: Sequence[MatchRule]) -> list[Hashable]:
        seen: Counter[Hashable] = Counter()
        keys: list[Hashable] = []
        for line in lines:
            assert line.policy_rule is not None
            policy, rule = line.policy_rule
            key: Hashable = (policy.from_, policy.to, rule, version if self._is_affected(rule) else None)
            seen[key] += 1
            keys.append((key, seen[key]))
        return keys


def pair_rules(listed: Sequence[Sequence[MatchRule]], pairs: AlignedIndexes) -> list[tuple[MatchRule | None, ...]]:
    return [
        tuple(None if place == MISSING else lines[place] for lines, place in zip(listed, pair, strict=True))
        for pair in pairs
    ]


def _service_behaviour(resolved: ResolvedSegment, uid: str) -> Hashable:
    """All that decides what a service makes of flows."""
    service = resolved.services.get(uid)
    if service is None:
        return None
    ranges = resolved.prefixes.ranges
    rules = tuple(
        (rule.action, rule.protocol, rule.ports, ranges(rule.source), ranges(rule.destination))
        for rule in service.firewall_rules
    )
    return bool(placement_exchanges(resolved.exchanges, service)), service.on_failure, service.firewall_default, rules
