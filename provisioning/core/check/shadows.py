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
from functools import cached_property, reduce
from operator import and_, or_

import numpy as np

from provisioning.core.check.boxes import Box, Effort, Fragmented, Hulls, around, box_of, covering, hulls
from provisioning.core.intent import ANY, INTERNET, Policy, Rule
from provisioning.core.network import Network
from provisioning.core.resource import Problem

MOST_STEPS = 3_000_000
"""Comparisons for one policy, about a second. A thousand rules of one address a side take 500,000."""

AT_A_GLANCE = 100
"""Rules that are compared one by one sooner than numpy is asked which of them come near."""

MOST_CASES = 200
"""Ways in which one rule is covered for different names; where there are more, it is taken to have a turn."""

NAMED = 3
"""Covering rules that a warning names."""

_Spot = tuple[str, str, str]
"""A segment, a name in ``from`` and a name in ``to``."""


@dataclass(frozen=True, eq=False)
class _Matched:
    """A policy and what its rules match; the same object as long as neither it nor a prefix list in it changes."""

    policy: Policy
    boxes: tuple[Box, ...]

    @cached_property
    def hulls(self) -> Hulls:
        """Of the boxes of ``deciding``."""
        return hulls([box for _, _, box in self.deciding])

    @property
    def deciding(self) -> list[tuple[Policy, Rule, Box]]:
        return [
            (self.policy, rule, box)
            for rule, box in zip(self.policy.rules, self.boxes, strict=True)
            if rule.action != "watch"
        ]


@dataclass(frozen=True, slots=True)
class _Finding:
    """``spot`` None: more than one pair of names was looked at, so every policy that could be in the way counts."""

    matched: _Matched
    spot: _Spot | None
    ahead: tuple[_Matched, ...]
    problems: tuple[Problem, ...]


class _Sides:
    """Which policies hold a segment or a name, as bits in the order the policies are tried."""

    def __init__(self, policies: Sequence[Policy], apart: frozenset[str]) -> None:
        """``apart``: names that ``any`` does not stand for."""
        self.segments: dict[str, int] = {}
        self.froms: dict[str, int] = {}
        self.tos: dict[str, int] = {}
        for place, policy in enumerate(policies):
            for held, names in ((self.segments, policy.segments), (self.froms, policy.from_), (self.tos, policy.to)):
                for name in names:
                    held[name] = held.get(name, 0) | 1 << place
        for held in (self.froms, self.tos):
            every = held.get(ANY, 0)
            held.update((name, bits | every) for name, bits in held.items() if name not in apart)

    def _each(self, policy: Policy) -> tuple[list[int], list[int], list[int]]:
        return (
            [self.segments[uid] for uid in policy.segments],
            [self.froms[name] for name in policy.from_],
            [self.tos[name] for name in policy.to],
        )

    def spot(self, place: int, policy: Policy) -> _Spot:
        """Where the fewest earlier policies are in the way, as near as three looks tell."""
        left = (1 << place) - 1
        chosen = []
        for names, bits in zip((policy.segments, policy.from_, policy.to), self._each(policy), strict=True):
            counts = [(left & held).bit_count() for held in bits]
            nth = counts.index(min(counts))
            left &= bits[nth]
            chosen.append(names[nth])
        return chosen[0], chosen[1], chosen[2]

    def at(self, place: int, spot: _Spot) -> int:
        segment, start, end = spot
        return self.segments[segment] & self.froms[start] & self.tos[end] & (1 << place) - 1

    def spanning(self, place: int, policy: Policy) -> int:
        """Earlier policies that hold every segment and name of this one."""
        return reduce(and_, (held for side in self._each(policy) for held in side)) & (1 << place) - 1

    def near(self, place: int, policy: Policy) -> int:
        """Earlier policies that are in the way somewhere."""
        return reduce(and_, (reduce(or_, side) for side in self._each(policy))) & (1 << place) - 1

    def everywhere(self, place: int, policy: Policy, effort: Effort) -> Iterator[int]:
        """The different sets of policies in the way, over all segments and pairs of names."""
        seen: set[int] = set()
        segments, starts, ends = self._each(policy)
        for here in segments:
            here &= (1 << place) - 1
            ending = {here & end for end in ends}
            for start in set(starts):
                effort.spend(len(ending))
                for end in ending:
                    if (bits := start & end) not in seen:
                        seen.add(bits)
                        yield bits


class _Search:
    def __init__(self, network: Network) -> None:
        intent = network.intent
        self.network = network
        held = (one for one in intent.policies.values() if one.enabled and one.segments and one.from_ and one.to)
        self.policies = sorted(held, key=lambda policy: (policy.position, policy.number))
        apart = frozenset((INTERNET, *intent.internet_apps))
        told = (apart, *(side for one in self.policies for side in (one.segments, one.from_, one.to)))
        self.sides = network.keep("sides", told, lambda: _Sides(self.policies, apart))
        self.matched = [self._matched(policy) for policy in self.policies]
        self.places = {policy.uid: place for place, policy in enumerate(self.policies)}
        # Looked up by content before use, so that versions of a network may share it.
        self.known: dict[str, _Finding] = network.keep("shadows", (), dict)

    def _matched(self, policy: Policy) -> _Matched:
        network = self.network
        lists = [network.intent.prefix_lists[name] for name in network.lists_in(policy)]
        return network.keep(
            ("matched", policy.uid),
            (policy, *lists),
            lambda: _Matched(policy, tuple(box_of(rule, network.prefixes) for rule in policy.rules)),
        )

    def problems(self) -> Iterator[Problem]:
        for place, matched in enumerate(self.matched):
            held = self.known.get(matched.policy.uid)
            if held is None or held.matched is not matched or self._ahead(place, held.spot) != held.ahead:
                held = self.known[matched.policy.uid] = self._look(place, matched)
            yield from held.problems

    def _ahead(self, place: int, spot: _Spot | None) -> tuple[_Matched, ...]:
        policy = self.policies[place]
        if spot is None:
            return self._of(self.sides.near(place, policy))
        if spot[0] not in policy.segments or spot[1] not in policy.from_ or spot[2] not in policy.to:
            return ()
        return self._of(self.sides.at(place, spot))

    def _of(self, bits: int) -> tuple[_Matched, ...]:
        return tuple(self.matched[place] for place in _places(bits))

    def _look(self, place: int, matched: _Matched) -> _Finding:
        policy = matched.policy
        spot = self.sides.spot(place, policy)
        ahead = self._of(self.sides.at(place, spot))
        before = [one for other in ahead for one in other.deciding]
        far = np.concatenate([other.hulls for other in ahead]) if len(before) > AT_A_GLANCE else None
        found: list[Problem] = []
        own: list[tuple[Policy, Rule, Box]] = []
        wider, tired, effort = False, False, Effort(MOST_STEPS)
        for nth, (rule, box) in enumerate(zip(policy.rules, matched.boxes, strict=True)):
            path = f"policies/{policy.key}/rules[{nth}]"
            if box.is_empty:
                found.append(_matches_nothing(policy, rule, path))
                continue
            if tired:
                continue
            try:
                near = before if far is None else [before[place] for place in around(box, far)]
                held = _covering(box, [*near, *own], effort)
                if held is not None and any(one is not policy for one, _ in held):
                    wider = True
                    held = self._everywhere(place, policy, box, own, effort)
                if held is not None:
                    found.append(_shadowed(policy, rule, path, held))
            except Fragmented:
                tired = effort.steps < 0
                found.append(_not_sought(policy, rule, path, len(policy.rules) - nth - 1 if tired else 0))
            if rule.action != "watch":
                own.append((policy, rule, box))
        if wider:
            return _Finding(matched, None, self._of(self.sides.near(place, policy)), tuple(found))
        return _Finding(matched, spot, ahead, tuple(found))

    def _everywhere(
        self, place: int, policy: Policy, box: Box, own: list[tuple[Policy, Rule, Box]], effort: Effort
    ) -> list[tuple[Policy, Rule]] | None:
        """The covering rules where what holds at one spot has to hold at all of them."""
        spanning = [one for other in self._of(self.sides.spanning(place, policy)) for one in other.deciding]
        held = _covering(box, [*spanning, *own], effort)
        if held is not None:
            return held
        named: dict[tuple[str, str], tuple[Policy, Rule]] = {}
        enough: list[int] = []
        for bits in self.sides.everywhere(place, policy, effort):
            # Where the policies are that covered it elsewhere, they do so here too.
            if any(some & bits == some for some in enough):
                continue
            if len(enough) == MOST_CASES:
                raise Fragmented
            here = [one for other in self._of(bits) for one in other.deciding]
            held = _covering(box, [*here, *own], effort)
            if held is None:
                return None
            named |= {(one.uid, rule.name): (one, rule) for one, rule in held}
            enough.append(sum(1 << self.places[uid] for uid in {one.uid for one, _ in held} - {policy.uid}))
        return list(named.values())


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _covering(box: Box, others: Sequence[tuple[Policy, Rule, Box]], effort: Effort) -> list[tuple[Policy, Rule]] | None:
    places = covering(box, [other for _, _, other in others], effort)
    return None if places is None else [others[place][:2] for place in places]


def shadowed(network: Network) -> Iterable[Problem]:
    """Rules that never match, with the ones that cover them."""
    return _Search(network).problems()


def _shadowed(policy: Policy, rule: Rule, path: str, held: Sequence[tuple[Policy, Rule]]) -> Problem:
    names = [f"“{other.name}”" + ("" if one is policy else f" of policy “{one.name}”") for one, other in held]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    if len(names) == 1:
        why = f"rule {names[0]} comes first and covers it"
    else:
        why = f"rules {', '.join(names[:NAMED])}{more} come first and together cover it"
    return Problem(
        "shadowed_rule",
        path,
        f"Rule “{rule.name}” of policy “{policy.name}” never matches: {why}. Move it up, narrow those or remove it.",
        "warning",
    )


def _matches_nothing(policy: Policy, rule: Rule, path: str) -> Problem:
    return Problem(
        "matches_nothing",
        path,
        f"Rule “{rule.name}” of policy “{policy.name}” matches no packet: its source and destination have no address "
        "family in common, or a prefix list it names is empty.",
        "warning",
    )


def _not_sought(policy: Policy, rule: Rule, path: str, more: int) -> Problem:
    """``more``: how many rules after it nobody looked at either."""
    after = f" or the {more} after it" if more > 1 else " or the one after it" if more else ""
    return Problem(
        "shadows_not_sought",
        path,
        f"Nobody looked whether rule “{rule.name}” of policy “{policy.name}”{after} can ever match: the rules before "
        "are too many and too various.",
        "warning",
    )
