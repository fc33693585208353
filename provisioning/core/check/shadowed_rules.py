"""Rules that never get a turn: earlier ones leave nothing for them.

Sides are compared by the names they hold: a rule is in the way of another one for a name in ``from`` and a name in
``to`` when its policy holds both, or ``any`` in their place. A rule never matches when in each of its segments and for
every pair of its names the rules in the way together hold all packets it matches.

To see that a rule has a turn one pair of names is enough, so the pair with the fewest policies in the way is looked at
first, and mostly alone. What was found for a policy is kept for later versions of the network with the policies that
were looked at for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
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
from provisioning.core.intent import ANY, INTERNET, Policy, Rule
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

MAX_STEPS = 3_000_000
"""Comparisons for one policy, about a second. A thousand rules of one address a side take 500,000."""

NUMPY_THRESHOLD = 100
"""Rules that are compared one by one sooner than numpy is asked which of them come near."""

MAX_CASES = 200
"""Ways in which one rule is covered for different names; where there are more, it is taken to have a turn."""

MAX_NAMED = 3
"""Covering rules that a warning names."""

_NameTriple = tuple[str, str, str]
"""A segment, a name in ``from`` and a name in ``to``."""


@dataclass(frozen=True, eq=False)
class _PolicyMatchSets:
    """A policy and what its rules match; the same object as long as neither it nor a prefix list in it changes."""

    policy: Policy
    boxes: tuple[MatchSet, ...]

    @cached_property
    def bounding_boxes(self) -> BoundingBoxes:
        """Of the boxes of ``deciding``."""
        return bounding_boxes([box for _, _, box in self.deciding_rules])

    @property
    def deciding_rules(self) -> list[tuple[Policy, Rule, MatchSet]]:
        return [
            (self.policy, rule, box)
            for rule, box in zip(self.policy.rules, self.boxes, strict=True)
            if rule.action != "watch"
        ]


@dataclass(frozen=True, slots=True)
class _ShadowResult:
    """``spot`` None: more than one pair of names was looked at, so every policy that could be in the way counts."""

    matched: _PolicyMatchSets
    triple: _NameTriple | None
    earlier: tuple[_PolicyMatchSets, ...]
    problems: tuple[Problem, ...]


class _PolicyBitmaps:
    """Which policies hold a segment or a name, as bits in the order the policies are tried."""

    def __init__(self, policies: Sequence[Policy], not_in_any: frozenset[str]) -> None:
        """``apart``: names that ``any`` does not stand for."""
        self.segments: dict[str, int] = {}
        self.by_from: dict[str, int] = {}
        self.by_to: dict[str, int] = {}
        for place, policy in enumerate(policies):
            for held, names in (
                (self.segments, policy.segments),
                (self.by_from, policy.from_),
                (self.by_to, policy.to),
            ):
                for name in names:
                    held[name] = held.get(name, 0) | 1 << place
        for held in (self.by_from, self.by_to):
            every = held.get(ANY, 0)
            held.update((name, bits | every) for name, bits in held.items() if name not in not_in_any)

    def _name_bitmaps(self, policy: Policy) -> tuple[list[int], list[int], list[int]]:
        return (
            [self.segments[uid] for uid in policy.segments],
            [self.by_from[name] for name in policy.from_],
            [self.by_to[name] for name in policy.to],
        )

    def triple(self, place: int, policy: Policy) -> _NameTriple:
        """Where the fewest earlier policies are in the way, as near as three looks tell."""
        left = (1 << place) - 1
        chosen = []
        for names, bits in zip((policy.segments, policy.from_, policy.to), self._name_bitmaps(policy), strict=True):
            counts = [(left & held).bit_count() for held in bits]
            nth = counts.index(min(counts))
            left &= bits[nth]
            chosen.append(names[nth])
        return chosen[0], chosen[1], chosen[2]

    def earlier_at(self, place: int, triple: _NameTriple) -> int:
        segment, start, end = triple
        return self.segments[segment] & self.by_from[start] & self.by_to[end] & (1 << place) - 1

    def earlier_spanning(self, place: int, policy: Policy) -> int:
        """Earlier policies that hold every segment and name of this one."""
        return reduce(and_, (held for side in self._name_bitmaps(policy) for held in side)) & (1 << place) - 1

    def near(self, place: int, policy: Policy) -> int:
        """Earlier policies that are in the way somewhere."""
        return reduce(and_, (reduce(or_, side) for side in self._name_bitmaps(policy))) & (1 << place) - 1

    def earlier_sets(self, place: int, policy: Policy, budget: Budget) -> Iterator[int]:
        """The different sets of policies in the way, over all segments and pairs of names."""
        seen: set[int] = set()
        segments, starts, ends = self._name_bitmaps(policy)
        for here in segments:
            here &= (1 << place) - 1
            ending = {here & end for end in ends}
            for start in set(starts):
                budget.spend(len(ending))
                for end in ending:
                    if (bits := start & end) not in seen:
                        seen.add(bits)
                        yield bits


_MATCH_SETS = DerivedKey[_PolicyMatchSets]("match sets of a policy")
_BITMAPS = DerivedKey[_PolicyBitmaps]("policies by segment and name")
_RESULT = DerivedKey[_ShadowResult]("shadowed rules of a policy")


class _ShadowSearch:
    def __init__(self, network: Network) -> None:
        intent = network.intent
        self.network = network
        held = (one for one in intent.policies.values() if one.enabled and one.segments and one.from_ and one.to)
        self.policies = sorted(held, key=lambda policy: (policy.position, policy.number))
        not_in_any = frozenset((INTERNET, *intent.internet_apps))
        told = (not_in_any, *(side for one in self.policies for side in (one.segments, one.from_, one.to)))
        self.sides = network.derived.get(_BITMAPS, told, lambda: _PolicyBitmaps(self.policies, not_in_any))
        self.matched = [self._match_sets(policy) for policy in self.policies]
        self.places = {policy.uid: place for place, policy in enumerate(self.policies)}

    def _match_sets(self, policy: Policy) -> _PolicyMatchSets:
        network = self.network
        lists = [network.intent.prefix_lists[name] for name in network.prefix_lists_in(policy)]
        return network.derived.get(
            _MATCH_SETS,
            (policy, *lists),
            lambda: _PolicyMatchSets(policy, tuple(rule_match_set(rule, network.prefixes) for rule in policy.rules)),
            of=policy.uid,
        )

    def problems(self) -> Iterator[Problem]:
        for place, matched in enumerate(self.matched):
            result = self.network.derived.get_valid(
                _RESULT,
                partial(self._is_valid, place, matched),
                partial(self._check_policy, place, matched),
                of=matched.policy.uid,
            )
            yield from result.problems

    def _is_valid(self, place: int, matched: _PolicyMatchSets, result: _ShadowResult) -> bool:
        return result.matched is matched and self._earlier_policies(place, result.triple) == result.earlier

    def _earlier_policies(self, place: int, triple: _NameTriple | None) -> tuple[_PolicyMatchSets, ...]:
        policy = self.policies[place]
        if triple is None:
            return self._policies_at(self.sides.near(place, policy))
        if triple[0] not in policy.segments or triple[1] not in policy.from_ or triple[2] not in policy.to:
            return ()
        return self._policies_at(self.sides.earlier_at(place, triple))

    def _policies_at(self, bits: int) -> tuple[_PolicyMatchSets, ...]:
        return tuple(self.matched[place] for place in _set_bits(bits))

    def _check_policy(self, place: int, matched: _PolicyMatchSets) -> _ShadowResult:
        policy = matched.policy
        triple = self.sides.triple(place, policy)
        earlier = self._policies_at(self.sides.earlier_at(place, triple))
        before = [one for other in earlier for one in other.deciding_rules]
        far = np.concatenate([other.bounding_boxes for other in earlier]) if len(before) > NUMPY_THRESHOLD else None
        found: list[Problem] = []
        own: list[tuple[Policy, Rule, MatchSet]] = []
        wider, tired, budget = False, False, Budget(MAX_STEPS)
        for nth, (rule, box) in enumerate(zip(policy.rules, matched.boxes, strict=True)):
            path = f"policies/{policy.key}/rules[{nth}]"
            if box.is_empty:
                found.append(_matches_nothing_problem(policy, rule, path))
                continue
            if tired:
                continue
            try:
                near = before if far is None else [before[place] for place in overlap_candidates(box, far)]
                held = _find_covering_rules(box, [*near, *own], budget)
                if held is not None and any(one is not policy for one, _ in held):
                    wider = True
                    held = self._find_cover_for_all_names(place, policy, box, own, budget)
                if held is not None:
                    found.append(_shadowed_problem(policy, rule, path, held))
            except BudgetExceeded:
                tired = budget.steps < 0
                found.append(_not_checked_problem(policy, rule, path, len(policy.rules) - nth - 1 if tired else 0))
            if rule.action != "watch":
                own.append((policy, rule, box))
        if wider:
            return _ShadowResult(matched, None, self._policies_at(self.sides.near(place, policy)), tuple(found))
        return _ShadowResult(matched, triple, earlier, tuple(found))

    def _find_cover_for_all_names(
        self, place: int, policy: Policy, box: MatchSet, own: list[tuple[Policy, Rule, MatchSet]], budget: Budget
    ) -> list[tuple[Policy, Rule]] | None:
        """The covering rules where what holds at one spot has to hold at all of them."""
        earlier_spanning = [
            one
            for other in self._policies_at(self.sides.earlier_spanning(place, policy))
            for one in other.deciding_rules
        ]
        held = _find_covering_rules(box, [*earlier_spanning, *own], budget)
        if held is not None:
            return held
        named: dict[tuple[str, str], tuple[Policy, Rule]] = {}
        enough: list[int] = []
        for bits in self.sides.earlier_sets(place, policy, budget):
            # Where the policies are that covered it elsewhere, they do so here too.
            if any(some & bits == some for some in enough):
                continue
            if len(enough) == MAX_CASES:
                raise BudgetExceeded
            here = [one for other in self._policies_at(bits) for one in other.deciding_rules]
            held = _find_covering_rules(box, [*here, *own], budget)
            if held is None:
                return None
            named |= {(one.uid, rule.name): (one, rule) for one, rule in held}
            enough.append(sum(1 << self.places[uid] for uid in {one.uid for one, _ in held} - {policy.uid}))
        return list(named.values())


def _set_bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _find_covering_rules(
    box: MatchSet, others: Sequence[tuple[Policy, Rule, MatchSet]], budget: Budget
) -> list[tuple[Policy, Rule]] | None:
    places = find_cover(box, [other for _, _, other in others], budget)
    return None if places is None else [others[place][:2] for place in places]


def check_shadowed_rules(network: Network) -> Iterable[Problem]:
    """Rules that never match, with the ones that cover them."""
    return _ShadowSearch(network).problems()


def _shadowed_problem(policy: Policy, rule: Rule, path: str, held: Sequence[tuple[Policy, Rule]]) -> Problem:
    names = [f"“{other.name}”" + ("" if one is policy else f" of policy “{one.name}”") for one, other in held]
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
    """``more``: how many rules after it nobody looked at either."""
    after = f" or the {more} after it" if more > 1 else " or the one after it" if more else ""
    return Problem(
        "shadows_not_sought",
        path,
        f"Nobody looked whether rule “{rule.name}” of policy “{policy.name}”{after} can ever match: the rules before "
        "are too many and too various.",
        "warning",
    )
