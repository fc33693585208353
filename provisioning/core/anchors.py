"""The node that decides a flow: a function of the unordered pair of its ends, so that both directions find it alike.

Members that exchange, shard and services treat alike are one class, and a pair of classes has one anchor. Rules that
inspect through services at the same exchanges count as one, so that classes stay few in large segments; a pair that no
rule inspects may therefore be decided where other flows of its ends are inspected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from provisioning.core.fabric import nearest, placed_at, rank
from provisioning.core.intent import ANY, INTERNET, Exchange, Policy
from provisioning.core.roster import Member

if TYPE_CHECKING:
    from provisioning.core.realm import Realm

SHARDS = 2
"""Members of one exchange that services treat alike still spread over the two nodes in this many classes."""

Candidates = tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Steerer:
    """What sends flows through services at these exchanges; ``other`` is the segment whose flows with ours it is about.

    froms, tos: what it names on either side.
    """

    other: str | None
    candidates: Candidates
    froms: frozenset[str]
    tos: frozenset[str]


@dataclass(frozen=True, slots=True)
class Class:
    """``froms``, ``tos``: bit k set when the k-th steerer names its members on that side."""

    id: int
    signature: tuple[str, ...]
    exchange: Exchange
    segment: str
    home: str | None
    froms: int
    tos: int


class Anchors:
    """The classes and anchors of some members (guests among them) of a realm."""

    def __init__(self, realm: Realm, members: Sequence[Member]) -> None:
        self.realm, self.members = realm, members

    @cached_property
    def steerers(self) -> list[Steerer]:
        merged: dict[tuple[str | None, Candidates], tuple[set[str], set[str]]] = {}
        for other, chain, froms, tos in self._chains():
            held = merged.setdefault((other, self._candidates(chain)), (set(), set()))
            held[0].update(froms)
            held[1].update(tos)
        order = sorted(merged, key=lambda one: (one[0] or "", [exchange.key for exchange in one[1]]))
        return [Steerer(*key, *map(frozenset, merged[key])) for key in order]

    def _chains(self) -> Iterator[tuple[str | None, tuple[str, ...], Sequence[str], Sequence[str]]]:
        yield from ((None, *found) for found in _inspecting(self.realm.policies))
        for uid in dict.fromkeys(passage.other for passage in self.realm.passages):
            if self.realm.hosts(uid):
                yield from ((uid, *found) for found in _inspecting(self.realm.policies))
                yield from ((uid, *found) for found in _inspecting(self.realm.rosters[uid].policies))
                services = {passage.share.services for passage in self.realm.passages if passage.other == uid}
                yield from ((uid, chain, (ANY,), (ANY,)) for chain in sorted(services) if chain)

    def _candidates(self, chain: tuple[str, ...]) -> Candidates:
        """The exchanges where the whole chain can be served; of services apart from each other the first counts."""
        common: Candidates = ()
        for uid in chain:
            service = self.realm.services.get(uid)
            here = placed_at(self.realm.exchanges, service) if service else []
            common = tuple(exchange for exchange in common if exchange in here) or common or tuple(here)
        return common

    # Classes

    @cached_property
    def _class_of(self) -> dict[int, Class]:
        found: dict[int, tuple[tuple[str, ...], int, int]] = {}
        memo: dict[frozenset[str], tuple[int, int]] = {}
        for member in self.members:
            names = member.names
            if names not in memo:
                memo[names] = (
                    sum(1 << k for k, one in enumerate(self.steerers) if not names.isdisjoint(one.froms)),
                    sum(1 << k for k, one in enumerate(self.steerers) if not names.isdisjoint(one.tos)),
                )
            found[member.id] = (self._signature(member, *memo[names]), *memo[names])
        numbers = {held: place + 1 for place, held in enumerate(sorted({one[0] for one in found.values()}))}
        classes: dict[tuple[str, ...], Class] = {}
        for member in self.members:
            signature, froms, tos = found[member.id]
            if signature not in classes:
                home = member.home if member.is_exit else None
                uid = member.segment.uid
                classes[signature] = Class(numbers[signature], signature, member.exchange, uid, home, froms, tos)
        return {member_id: classes[one[0]] for member_id, one in found.items()}

    def _signature(self, member: Member, froms: int, tos: int) -> tuple[str, ...]:
        if member.is_exit:
            return ("exit", member.connector.key)
        named = [
            f"{'+'.join(exchange.key for exchange in one.candidates)}{side}{one.other and 'shared'}"
            for k, one in enumerate(self.steerers)
            for side, mask in (("<", froms), (">", tos))
            if mask >> k & 1
        ]
        where = "" if member.segment.uid == self.realm.segment.uid else member.segment.key
        return ("at", member.exchange.key, where, str(rank(member.connector.key) % SHARDS), *named)

    def class_of(self, member: Member) -> Class:
        return self._class_of[member.id]

    @cached_property
    def classes(self) -> list[Class]:
        """By id, from 1."""
        return sorted({one.id: one for one in self._class_of.values()}.values(), key=lambda one: one.id)

    # Anchors

    @cached_property
    def nodes(self) -> dict[tuple[int, int], str]:
        """(lower class id, higher class id) → the node that decides their flows, whichever side starts."""
        ours = self.realm.segment.uid
        return {
            (low.id, high.id): self._anchor(low, high)
            for place, low in enumerate(self.classes)
            for high in self.classes[place:]
            if ours in (low.segment, high.segment)
        }

    def node(self, one: Member, other: Member) -> str:
        low, high = sorted((self.class_of(one).id, self.class_of(other).id))
        return self.nodes[low, high]

    def _anchor(self, one: Class, other: Class) -> str:
        homes = sorted(found.home for found in (one, other) if found.home)
        if homes:
            return homes[0]
        exchange = self._exchange(one, other)
        # One hash for the pair; segments take turns, so that a node is not the first choice of all of them.
        turn = rank(*sorted((one.signature, other.signature))) + self.realm.segment.number
        return f"{exchange.key}/{1 + turn % 2}"

    def _exchange(self, one: Class, other: Class) -> Exchange:
        ends = {found.exchange.uid: found.exchange for found in (one, other)}
        candidates = self._common((one.froms & other.tos) | (other.froms & one.tos), one, other)
        near = [exchange for exchange in candidates if exchange.uid in ends] or (
            [] if candidates else list(ends.values())
        )
        if not near:
            return nearest(self.realm.catalog, candidates, *ends.values()) or one.exchange
        pair = sorted(exchange.key for exchange in ends.values())
        return max(near, key=lambda exchange: rank(pair, exchange.key)) if len(near) > 1 else near[0]

    def _common(self, steered: int, one: Class, other: Class) -> Candidates:
        """The exchanges that all steerers of a pair can use; the first ones' where they differ."""
        ours = self.realm.segment.uid
        abroad = next((found.segment for found in (one, other) if found.segment != ours), None)
        common: Candidates = ()
        for k, steerer in enumerate(self.steerers):
            if steered >> k & 1 and steerer.other == abroad:
                common = tuple(e for e in common if e in steerer.candidates) or common or steerer.candidates
        return common


def _inspecting(policies: Sequence[Policy]) -> Iterator[tuple[tuple[str, ...], Sequence[str], Sequence[str]]]:
    """(chain, from, to) of every rule that inspects, each chain of a policy once."""
    for policy in policies:
        for chain in dict.fromkeys(rule.services for rule in policy.rules if rule.action == "inspect"):
            yield chain, policy.from_, [name for name in policy.to if name != INTERNET]
