"""Rules that never match, because earlier rules together match all of their packets.

Sides are compared by the members that their names hold, in parts (member_parts.py). A rule is in the way of a later one
for a part of ``from`` and a part of ``to`` when its policy names both, or ``any`` instead. A rule never matches when in
each of its segments, and for every pair of its parts, the rules in the way together cover its match set.

One pair of parts without a cover shows that a rule can match. So the pair with the fewest policies in the way is
searched first, and mostly it is the only one. The result of a policy is kept for later versions of the network together
with the policies that were read for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from itertools import takewhile
from operator import and_, or_

import numpy as np

from provisioning.core.check.match_sets import (
    BoundingBoxes,
    Budget,
    BudgetExceeded,
    MatchSet,
    bounding_boxes,
    find_cover,
    overlap_candidates,
    rule_match_set,
)
from provisioning.core.check.member_parts import Part, member_parts, parts_of
from provisioning.core.intent import ANY, INTERNET, Policy, Rule
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

MAX_STEPS = 3_000_000
"""Comparisons for one policy, about a second. 1,000 rules of one address a side take 500,000."""

NUMPY_THRESHOLD = 100
"""With more earlier rules than this, numpy first selects those whose bounding boxes overlap."""

MAX_CASES = 200
"""Sets of policies that cover one rule for different parts; with more than these the search is given up."""

MAX_NAMED = 3
"""Covering rules that a warning names."""

_Place = tuple[str, Part, Part]
"""A segment, a part of ``from`` and a part of ``to``."""

_Sides = tuple[tuple[Part, ...], tuple[Part, ...]]
"""The parts of a policy's ``from`` and of its ``to``."""


@dataclass(frozen=True, eq=False)
class _PolicyMatchSets:
    """A policy and what its rules match; the same object while the policy and its prefix lists stay the same.

    after_pass: a rule before it, of its tier and of one of its segments, passes.
    """

    policy: Policy
    boxes: tuple[MatchSet, ...]
    after_pass: bool

    @cached_property
    def _bounding_boxes(self) -> dict[bool, BoundingBoxes]:
        return {
            same_tier: bounding_boxes([box for _, _, box in self._deciding_rules(same_tier)])
            for same_tier in (True, False)
        }

    def bounding_boxes(self, later: Policy) -> BoundingBoxes:
        """Return those of the match sets of ``rules_before`` a later policy."""
        return self._bounding_boxes[later.tier == self.policy.tier]

    def rules_before(self, later: Policy) -> list[tuple[Policy, Rule, MatchSet]]:
        """Return the rules that leave nothing of what they match to a later policy."""
        return self._deciding_rules(later.tier == self.policy.tier)

    def _deciding_rules(self, same_tier: bool) -> list[tuple[Policy, Rule, MatchSet]]:
        """Return the rules that decide. For other tiers only those before any that passes: behind it a packet may have
        been passed, by whatever group its sender is in."""
        if same_tier:
            return [(self.policy, rule, box) for rule, box in self._enforced]
        before_pass = takewhile(lambda pair: pair[0].action != "pass", () if self.after_pass else self._enforced)
        return [(self.policy, rule, box) for rule, box in before_pass]

    @cached_property
    def _enforced(self) -> list[tuple[Rule, MatchSet]]:
        return [(rule, box) for rule, box in zip(self.policy.rules, self.boxes, strict=True) if rule.decides]

    @cached_property
    def passes(self) -> bool:
        return any(rule.action == "pass" for rule, _ in self._enforced)


@dataclass(frozen=True, slots=True)
class _ShadowResult:
    """``place``: the only segment and pair of parts that was searched; None: several were, so that the result depends
    on every policy that could be in the way. ``earlier``: the policies that it depends on."""

    matched: _PolicyMatchSets
    sides: _Sides
    place: _Place | None
    earlier: tuple[_PolicyMatchSets, ...]
    problems: tuple[Problem, ...]


class _PolicyBitmaps:
    """Which policies have a segment or name a part, as bits in the order in which policies are evaluated."""

    def __init__(
        self, policies: Sequence[Policy], not_in_any: frozenset[str], parts: Mapping[str, tuple[Part, ...]]
    ) -> None:
        """``not_in_any``: names that ``any`` does not stand for."""
        self.parts = parts
        self.segments: dict[str, int] = {}
        by_from: dict[str, int] = {}
        by_to: dict[str, int] = {}
        for index, policy in enumerate(policies):
            for bitmaps, names in ((self.segments, policy.segments), (by_from, policy.from_), (by_to, policy.to)):
                for name in names:
                    bitmaps[name] = bitmaps.get(name, 0) | 1 << index
        self.by_from, self.by_to = (self._by_part(bitmaps, not_in_any) for bitmaps in (by_from, by_to))

    def _by_part(self, by_name: Mapping[str, int], not_in_any: frozenset[str]) -> dict[Part, int]:
        with_any = by_name.get(ANY, 0)
        return {
            part: reduce(or_, (by_name.get(name, 0) for name in part), 0 if part[0] in not_in_any else with_any)
            for part in {part for some in self.parts.values() for part in some}
        }

    def sides(self, policy: Policy) -> _Sides:
        return parts_of(policy.from_, self.parts), parts_of(policy.to, self.parts)

    def _bitmaps(self, policy: Policy) -> tuple[list[int], list[int], list[int]]:
        starts, ends = self.sides(policy)
        return (
            [self.segments[uid] for uid in policy.segments],
            [self.by_from[part] for part in starts],
            [self.by_to[part] for part in ends],
        )

    def place(self, index: int, policy: Policy) -> _Place:
        """Return the segment and parts where few earlier policies are in the way: each is chosen greedily, in turn."""
        earlier = (1 << index) - 1
        chosen = []
        for bits in self._bitmaps(policy):
            counts = [(earlier & bitmap).bit_count() for bitmap in bits]
            fewest = counts.index(min(counts))
            earlier &= bits[fewest]
            chosen.append(fewest)
        starts, ends = self.sides(policy)
        return policy.segments[chosen[0]], starts[chosen[1]], ends[chosen[2]]

    def earlier_at(self, index: int, place: _Place) -> int:
        segment, start, end = place
        return self.segments[segment] & self.by_from[start] & self.by_to[end] & (1 << index) - 1

    def earlier_spanning(self, index: int, policy: Policy) -> int:
        """Return the earlier policies that have every segment and part of this one."""
        return reduce(and_, (bitmap for side in self._bitmaps(policy) for bitmap in side)) & (1 << index) - 1

    def near(self, index: int, policy: Policy) -> int:
        """Return the earlier policies that are in the way for some segment and pair of parts."""
        return reduce(and_, (reduce(or_, side) for side in self._bitmaps(policy))) & (1 << index) - 1

    def earlier_sets(self, index: int, policy: Policy, budget: Budget) -> Iterator[int]:
        """Yield the different sets of policies in the way, over all segments and pairs of parts."""
        seen: set[int] = set()
        segments, starts, ends = self._bitmaps(policy)
        for segment in segments:
            earlier = segment & (1 << index) - 1
            by_end = {earlier & end for end in ends}
            for start in set(starts):
                budget.spend(len(by_end))
                for end in by_end:
                    if (bits := start & end) not in seen:
                        seen.add(bits)
                        yield bits


_MATCH_SETS = DerivedKey[_PolicyMatchSets]("match sets of a policy")
_PARTS = DerivedKey[dict[str, tuple[Part, ...]]]("parts of the names in policies")
_BITMAPS = DerivedKey[_PolicyBitmaps]("policies by segment and part")
_RESULT = DerivedKey[_ShadowResult]("shadowed rules of a policy")


class _ShadowSearch:
    def __init__(self, network: Network) -> None:
        intent = network.intent
        self.network = network
        matching = (
            policy
            for policy in intent.policies.values()
            if policy.enabled and policy.segments and policy.from_ and policy.to
        )
        self.policies = sorted(matching, key=lambda policy: policy.order)
        not_in_any = frozenset((INTERNET, *intent.internet_apps))
        named = frozenset(name for policy in self.policies for name in (*policy.from_, *policy.to))
        connectors = network.derived.token(intent.connectors, of=_PARTS)
        parts = network.derived.get(
            _PARTS, (connectors, named), lambda: member_parts(intent.connectors.values(), named)
        )
        sides = (side for policy in self.policies for side in (policy.segments, policy.from_, policy.to))
        self.bitmaps = network.derived.get(
            _BITMAPS, (not_in_any, parts, *sides), lambda: _PolicyBitmaps(self.policies, not_in_any, parts)
        )
        passing: set[tuple[str, str]] = set()
        """Tiers and segments where a rule passed already."""
        self.matched: list[_PolicyMatchSets] = []
        for policy in self.policies:
            places = {(policy.tier, segment) for segment in policy.segments}
            self.matched.append(self._match_sets(policy, not passing.isdisjoint(places)))
            if self.matched[-1].passes:
                passing |= places
        self.indexes = {policy.uid: index for index, policy in enumerate(self.policies)}

    def _match_sets(self, policy: Policy, after_pass: bool) -> _PolicyMatchSets:
        network = self.network
        lists = [network.lists[name] for name in network.lists_in(policy)]
        return network.derived.get(
            _MATCH_SETS,
            (policy, after_pass, *lists),
            lambda: _PolicyMatchSets(
                policy, tuple(rule_match_set(rule, network.prefixes) for rule in policy.rules), after_pass
            ),
            of=policy.uid,
        )

    def problems(self) -> Iterator[Problem]:
        for index, matched in enumerate(self.matched):
            result = self.network.derived.get_valid(
                _RESULT,
                partial(self._is_valid, index, matched),
                partial(self._check_policy, index, matched),
                of=matched.policy.uid,
            )
            yield from result.problems

    def _is_valid(self, index: int, matched: _PolicyMatchSets, result: _ShadowResult) -> bool:
        if result.matched is not matched or result.sides != self.bitmaps.sides(matched.policy):
            return False
        return self._earlier_policies(index, result.place) == result.earlier

    def _earlier_policies(self, index: int, place: _Place | None) -> tuple[_PolicyMatchSets, ...]:
        if place is None:
            return self._policies_at(self.bitmaps.near(index, self.policies[index]))
        return self._policies_at(self.bitmaps.earlier_at(index, place))

    def _policies_at(self, bits: int) -> tuple[_PolicyMatchSets, ...]:
        return tuple(self.matched[index] for index in _set_bits(bits))

    def _check_policy(self, index: int, matched: _PolicyMatchSets) -> _ShadowResult:
        policy = matched.policy
        place, sides = self.bitmaps.place(index, policy), self.bitmaps.sides(policy)
        earlier = self._earlier_policies(index, place)
        before = [deciding for other in earlier for deciding in other.rules_before(policy)]
        boxes = None
        if len(before) > NUMPY_THRESHOLD:
            boxes = np.concatenate([other.bounding_boxes(policy) for other in earlier])
        problems: list[Problem] = []
        own: list[tuple[Policy, Rule, MatchSet]] = []
        all_parts_searched, exhausted, budget = False, False, Budget(MAX_STEPS)
        for nth, (rule, box) in enumerate(zip(policy.rules, matched.boxes, strict=True)):
            path = f"policies/{policy.key}/rules[{nth}]"
            if rule.mode == "disabled":
                continue
            if box.is_empty:
                problems.append(_matches_nothing_problem(policy, rule, path))
                continue
            if exhausted:
                continue
            try:
                near = before if boxes is None else [before[i] for i in overlap_candidates(box, boxes)]
                cover = _find_covering_rules(box, [*near, *own], budget)
                if cover is not None and any(other is not policy for other, _ in cover):
                    all_parts_searched = True
                    cover = self._find_cover_for_all_parts(index, policy, box, own, budget)
                if cover is not None:
                    problems.append(_shadowed_problem(policy, rule, path, cover))
            except BudgetExceeded:
                exhausted = budget.steps < 0
                unchecked = len(policy.rules) - nth - 1 if exhausted else 0
                problems.append(_not_checked_problem(policy, rule, path, unchecked))
            if rule.decides:
                own.append((policy, rule, box))
        searched = None if all_parts_searched else place
        return _ShadowResult(matched, sides, searched, self._earlier_policies(index, searched), tuple(problems))

    def _find_cover_for_all_parts(
        self, index: int, policy: Policy, box: MatchSet, own: list[tuple[Policy, Rule, MatchSet]], budget: Budget
    ) -> list[tuple[Policy, Rule]] | None:
        """Return the rules that cover the box for every segment and pair of parts; None where something is left."""
        earlier_spanning = [
            deciding
            for other in self._policies_at(self.bitmaps.earlier_spanning(index, policy))
            for deciding in other.rules_before(policy)
        ]
        cover = _find_covering_rules(box, [*earlier_spanning, *own], budget)
        if cover is not None:
            return cover
        covering: dict[tuple[str, str], tuple[Policy, Rule]] = {}
        covering_sets: list[int] = []
        for bits in self.bitmaps.earlier_sets(index, policy, budget):
            # Policies that covered it for other parts cover it wherever they are all in the way.
            if any(covering_set & bits == covering_set for covering_set in covering_sets):
                continue
            if len(covering_sets) == MAX_CASES:
                raise BudgetExceeded
            earlier = [deciding for other in self._policies_at(bits) for deciding in other.rules_before(policy)]
            cover = _find_covering_rules(box, [*earlier, *own], budget)
            if cover is None:
                return None
            covering |= {(other.uid, rule.name): (other, rule) for other, rule in cover}
            other_uids = {other.uid for other, _ in cover} - {policy.uid}
            covering_sets.append(sum(1 << self.indexes[uid] for uid in other_uids))
        return list(covering.values())


def _set_bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _find_covering_rules(
    box: MatchSet, others: Sequence[tuple[Policy, Rule, MatchSet]], budget: Budget
) -> list[tuple[Policy, Rule]] | None:
    indexes = find_cover(box, [match_set for _, _, match_set in others], budget)
    return None if indexes is None else [others[index][:2] for index in indexes]


def check_shadowed_rules(network: Network) -> Iterable[Problem]:
    """Report rules that never match, with the rules that cover them."""
    return _ShadowSearch(network).problems()


def _shadowed_problem(policy: Policy, rule: Rule, path: str, cover: Sequence[tuple[Policy, Rule]]) -> Problem:
    names = [
        f"“{covering.name}”" + ("" if other is policy else f" of policy “{other.name}”") for other, covering in cover
    ]
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    if len(names) == 1:
        why = f"rule {names[0]} comes first and covers it"
    else:
        why = f"rules {', '.join(names[:MAX_NAMED])}{more} come first and together cover it"
    return Problem(
        "shadowed_rule",
        path,
        f"Rule “{rule.name}” of policy “{policy.name}” never matches: {why}. Move it up, narrow those or remove it.",
        "warning",
    )


def _matches_nothing_problem(policy: Policy, rule: Rule, path: str) -> Problem:
    return Problem(
        "matches_nothing",
        path,
        f"Rule “{rule.name}” of policy “{policy.name}” matches no packet: its source and destination have no address "
        "family in common, or a prefix list it names is empty.",
        "warning",
    )


def _not_checked_problem(policy: Policy, rule: Rule, path: str, more: int) -> Problem:
    """``more``: how many rules after it were not checked either."""
    after = f" or the {more} after it" if more > 1 else " or the one after it" if more else ""
    return Problem(
        "shadows_not_sought",
        path,
        f"Rule “{rule.name}” of policy “{policy.name}”{after} was not checked for whether it can ever match: the rules "
        "before it are too many and too different.",
        "warning",
    )
