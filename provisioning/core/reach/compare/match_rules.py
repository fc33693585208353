"""What first-match lists are made of: policy rules, pre-policy rules, shares and default actions in one shape."""

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
from provisioning.core.values.headers import HeaderMatch
from provisioning.core.values.l4 import ALL_L4, IPV4_L4, IPV6_L4

NO_POLICY = -1
"""Stands for the policy of a rule that names nobody and matches every endpoint."""

ALL_V6: Range = (V6_OFFSET, V6_OFFSET + (1 << 128) - 1)


class MatchRule(NamedTuple):
    """policy: index among the segment's policies, or a tag; it says which endpoints the rule names. NO_POLICY: all.

    source, destination: None matches every address. chain: uids of the services that flows pass; None: they are denied.
    policy_rule: where it is of a policy.
    """

    policy: int
    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None
    headers: HeaderMatch
    chain: tuple[str, ...] | None
    policy_rule: tuple[Policy, Rule] | None = None
    share: Share | None = None

    @property
    def tier(self) -> str:
        """The tier of its policy; empty where it is of none."""
        return self.policy_rule[0].tier if self.policy_rule else ""

    @property
    def is_pass(self) -> bool:
        """Whether it leaves what it matches to the next tier."""
        return self.policy_rule is not None and self.policy_rule[1].action == "pass"

    @property
    def title(self) -> str | None:
        """The id that people know it by."""
        if self.policy_rule:
            return self.policy_rule[0].rule_id(self.policy_rule[1])
        return f"share/{self.share.key}" if self.share else None


FAMILY_RULES = tuple(
    MatchRule(NO_POLICY, (span,), (span,), HeaderMatch(carried), ())
    for span, carried in ((ALL_V4, IPV4_L4), (ALL_V6, IPV6_L4))
)
"""Both ends of a flow are of one family, and that family carries its protocol."""

_POLICY_MATCH_RULES = DerivedKey[list[MatchRule]]("match rules of a policy, by its index")

DEFAULT_ACTION_RULE = MatchRule(0, None, None, HeaderMatch(ALL_L4), ())


def pre_policy_match_rules(pre_policy_rules: Iterable[PrePolicyRule], tags: Mapping[str, int]) -> list[MatchRule]:
    """Return pre-policy rules as match rules. tags: of the connectors that some of the rules are about, by uid."""
    return [
        MatchRule(
            NO_POLICY if pre_policy_rule.connector is None else tags[pre_policy_rule.connector],
            pre_policy_rule.source,
            pre_policy_rule.destination,
            HeaderMatch(pre_policy_rule.l4_ranges),
            () if pre_policy_rule.passes else None,
        )
        for pre_policy_rule in pre_policy_rules
    ]


def share_match_rules(directed_shares: Iterable[DirectedShare]) -> list[MatchRule]:
    return [
        MatchRule(NO_POLICY, share.near, share.far, HeaderMatch(ALL_L4), share.share.services, None, share.share)
        for share in directed_shares
    ]


def policy_match_rules(resolved: ResolvedSegment, index: int) -> list[MatchRule]:
    """Return the rules of one policy that decide."""
    return resolved.derived.get(_POLICY_MATCH_RULES, (), lambda: _policy_match_rules(resolved, index), of=index)


def _policy_match_rules(resolved: ResolvedSegment, index: int) -> list[MatchRule]:
    policy, ranges = resolved.policies[index], resolved.prefixes.ranges
    return [
        MatchRule(
            index,
            ranges(rule.source),
            ranges(rule.destination),
            resolved.prefixes.headers(rule),
            None if rule.action == "deny" else rule.services,
            (policy, rule),
        )
        for rule in policy.rules
        if rule.decides
    ]


class AlignedPolicies:
    """The policies of a segment, or of two versions of it side by side; None where a version has no such segment.

    pairs: indexes of policies in each version, equal ones together as far as neither order is broken.
    touched[k]: the policies (as bits) that the other version does not have so, or not in this order.
    """

    def __init__(self, resolved_segments: Sequence[ResolvedSegment | None]) -> None:
        self.resolved_segments = resolved_segments
        listed = [resolved.policies if resolved else [] for resolved in resolved_segments]
        if len(resolved_segments) == 2:
            self.pairs = align([[policy.uid for policy in policies] for policies in listed])
        else:
            self.pairs = [(index,) for index in range(len(listed[0]))]
        self._same = {pair for pair in self.pairs if MISSING not in pair and self._is_same_policy(pair)}
        self.touched = [
            sum(1 << pair[k] for pair in self.pairs if pair[k] != MISSING and pair not in self._same)
            for k in range(len(resolved_segments))
        ]

    @cached_property
    def lists(self) -> set[str]:
        """uids of the prefix lists that differ between the versions."""
        before, after = (resolved.prefixes.lists if resolved else {} for resolved in self.resolved_segments)
        if before == after:
            return set()
        both = {**before, **after}
        changed = {uid for uid in both if before.get(uid) != after.get(uid)}
        # A list differs with every list in it.
        while holding := {uid for uid in both.keys() - changed if not changed.isdisjoint(both[uid].contains)}:
            changed |= holding
        return changed

    @cached_property
    def services(self) -> set[str]:
        """uids of the services that do something else in the other version."""
        before, after = self.resolved_segments
        if before is None or after is None:
            return set()
        if before.services == after.services and before.exchanges == after.exchanges and not self.lists:
            return set()
        return {
            uid
            for uid in {**before.services, **after.services}
            if _service_behaviour(before, uid) != _service_behaviour(after, uid)
        }

    def has_same_services(self, chain: Iterable[str]) -> bool:
        """Whether these services do the same in both versions."""
        return len(self.resolved_segments) == 1 or self.services.isdisjoint(chain)

    def _is_same_policy(self, pair: tuple[int, ...]) -> bool:
        if len(pair) == 1:
            return True
        before, after = (
            resolved.policies[index] for resolved, index in zip(self.resolved_segments, pair, strict=True) if resolved
        )
        if before is not after and _deciding_parts(before) != _deciding_parts(after):
            return False
        return not (self.lists or self.services) or not any(self._is_affected(rule) for rule in before.rules)

    def _is_affected(self, rule: Rule) -> bool:
        """Whether a prefix list or service that the rule names differs in the other version."""
        named = [name.removeprefix("!") for name in (*rule.source, *rule.destination, *rule.ports)]
        return not (self.lists.isdisjoint(named) and self.services.isdisjoint(rule.services))

    def iter_rules(self, wanted: Callable[[int, int], bool]) -> Iterator[tuple[MatchRule | None, ...]]:
        """Yield the rules, as each version has them, of the policies that ``wanted`` (version, index) takes in any."""
        for pair in self.pairs:
            if not any(index != MISSING and wanted(k, index) for k, index in enumerate(pair)):
                continue
            listed = [
                policy_match_rules(resolved, index) if resolved and index != MISSING else []
                for resolved, index in zip(self.resolved_segments, pair, strict=True)
            ]
            if pair in self._same:
                yield from zip(*listed, strict=True)
            else:
                yield from pair_rules(listed, align([self._keys(k, rules) for k, rules in enumerate(listed)]))

    def _keys(self, version: int, rules: Sequence[MatchRule]) -> list[Hashable]:
        seen: Counter[Hashable] = Counter()
        keys: list[Hashable] = []
        for match_rule in rules:
            assert match_rule.policy_rule is not None
            policy, rule = match_rule.policy_rule
            key: Hashable = (
                *(policy.tier, policy.from_, policy.to),
                *(rule, version if self._is_affected(rule) else None),
            )
            seen[key] += 1
            keys.append((key, seen[key]))
        return keys


def _deciding_parts(policy: Policy) -> tuple[Hashable, ...]:
    return policy.tier, policy.from_, policy.to, policy.rules


def pair_rules(listed: Sequence[Sequence[MatchRule]], pairs: AlignedIndexes) -> list[tuple[MatchRule | None, ...]]:
    return [
        tuple(None if index == MISSING else rules[index] for rules, index in zip(listed, pair, strict=True))
        for pair in pairs
    ]


def _service_behaviour(resolved: ResolvedSegment, uid: str) -> Hashable:
    """Return all that decides what a service does with flows."""
    service = resolved.services.get(uid)
    if service is None:
        return None
    ranges = resolved.prefixes.ranges
    rules = tuple(
        (rule.action, resolved.prefixes.headers(rule), ranges(rule.source), ranges(rule.destination))
        for rule in service.firewall_rules
    )
    return bool(placement_exchanges(resolved.exchanges, service)), service.on_failure, service.firewall_default, rules
