"""The node that decides a flow: a function of the unordered pair of its ends, so that both directions find it alike.

Members that exchange, shard and services treat alike are one class, and a pair of classes has one anchor. Rules that
inspect through services at the same exchanges count as one, so that classes stay few in large segments; a pair that no
rule inspects may therefore be decided where other flows of its ends are inspected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from provisioning.core.intent import ANY, Exchange
from provisioning.core.resolve.fabric import nearest_exchange, placement_exchanges, rendezvous_weight
from provisioning.core.resolve.routing_table import Member

if TYPE_CHECKING:
    from provisioning.core.resolve.segment import ResolvedSegment

SHARDS_PER_EXCHANGE = 2
"""Members of one exchange that services treat alike still spread over the two nodes in this many classes."""

CandidateExchanges = tuple[Exchange, ...]
NameSet = frozenset[str]
_ANY_NAME: NameSet = frozenset((ANY,))


@dataclass(frozen=True, slots=True)
class ServiceSteering:
    """What sends flows through services at these exchanges; ``other``: the segment whose flows with ours it is about.

    sides: what the policies that do so name in ``from``, and in ``to``.
    """

    other: str | None
    candidates: CandidateExchanges
    sides: tuple[tuple[NameSet, NameSet], ...]

    def names(self, side: int, name: str) -> bool:
        return any(name in pair[side] for pair in self.sides)


@dataclass(frozen=True, slots=True)
class MemberClass:
    """froms, tos: bit k set when the k-th steerer names its members on that side. weight: a hash of the signature."""

    id: int
    signature: tuple[str, ...]
    exchange: Exchange
    segment: str
    home: str | None
    from_mask: int
    to_mask: int
    weight: int


@dataclass(frozen=True, slots=True)
class AnchorAssignment:
    """What is known in the end; it holds on to no realm, so that the next version may take it over.

    class_of: by member id. classes: by their own, from 1. nodes: (lower class id, higher one) → the node that decides.
    """

    class_of: Mapping[int, MemberClass]
    classes: list[MemberClass]
    nodes: dict[tuple[int, int], str]

    def node(self, one: Member, other: Member) -> str:
        """The node that decides the flows of a pair, whichever side starts."""
        low, high = sorted((self.class_of[one.id].id, self.class_of[other.id].id))
        return self.nodes[low, high]


def assign_anchors(resolved: ResolvedSegment, members: Sequence[Member]) -> AnchorAssignment:
    """The classes and anchors of some members (guests among them) of a realm."""
    search = _AnchorAssigner(resolved, members)
    return AnchorAssignment(search.class_of, search.classes, search.nodes())


class _AnchorAssigner:
    def __init__(self, resolved: ResolvedSegment, members: Sequence[Member]) -> None:
        self.resolved, self.members = resolved, members
        self._names: dict[str, tuple[int, int]] = {}
        self._commons: dict[tuple[int, str | None], CandidateExchanges] = {}

    @cached_property
    def steerings(self) -> list[ServiceSteering]:
        merged: dict[tuple[str | None, CandidateExchanges], list[tuple[NameSet, NameSet]]] = {}
        for other, chain, sides in self._chains():
            merged.setdefault((other, self._candidates(chain)), []).append(sides)
        order = sorted(merged, key=lambda one: (one[0] or "", [exchange.key for exchange in one[1]]))
        return [ServiceSteering(*key, tuple(merged[key])) for key in order]

    def _chains(self) -> Iterator[tuple[str | None, tuple[str, ...], tuple[NameSet, NameSet]]]:
        ours = self.resolved.local_segment.inspected_chains
        yield from ((None, chain, sides) for chain, sides in ours.items())
        for uid in dict.fromkeys(directed_share.other for directed_share in self.resolved.directed_shares):
            if self.resolved.is_decider(uid):
                theirs = self.resolved.local_segments[uid].inspected_chains
                yield from ((uid, chain, sides) for chain, sides in (*ours.items(), *theirs.items()))
                services = {
                    directed_share.share.services
                    for directed_share in self.resolved.directed_shares
                    if directed_share.other == uid
                }
                yield from ((uid, chain, (_ANY_NAME, _ANY_NAME)) for chain in sorted(services) if chain)

    def _candidates(self, chain: tuple[str, ...]) -> CandidateExchanges:
        """The exchanges where the whole chain can be served; of services apart from each other the first counts."""
        common: CandidateExchanges = ()
        for uid in chain:
            service = self.resolved.services.get(uid)
            here = placement_exchanges(self.resolved.exchanges, service) if service else []
            common = tuple(exchange for exchange in common if exchange in here) or common or tuple(here)
        return common

    # Classes

    def _named(self, name: str) -> tuple[int, int]:
        """The steerers (as bits) that name this in ``from``, and in ``to``."""
        if name not in self._names:
            from_mask = sum(1 << k for k, one in enumerate(self.steerings) if one.names(0, name))
            to_mask = sum(1 << k for k, one in enumerate(self.steerings) if one.names(1, name))
            self._names[name] = from_mask, to_mask
        return self._names[name]

    @cached_property
    def class_of(self) -> dict[int, MemberClass]:
        keys = {member.id: self._key(member) for member in self.members}
        some = {keys[member.id]: member for member in reversed(self.members)}
        signatures = {key: self._signature(member, key) for key, member in some.items()}
        numbers = {held: place + 1 for place, held in enumerate(sorted(signatures.values()))}
        classes = {
            key: MemberClass(
                id=numbers[signatures[key]],
                signature=signatures[key],
                exchange=member.exchange,
                segment=member.segment.uid,
                home=member.home if member.is_exit else None,
                from_mask=key[-2],
                to_mask=key[-1],
                weight=rendezvous_weight(*signatures[key]),
            )
            for key, member in some.items()
        }
        return {member_id: classes[key] for member_id, key in keys.items()}

    def _key(self, member: Member) -> tuple[str, str, int, int, int]:
        """What members of one class have in common: equal keys have equal signatures, and are made faster."""
        if member.is_exit:
            return (member.connector.uid, "", 0, 0, 0)
        from_mask = to_mask = 0
        for name in (ANY, member.connector.uid, member.attachment.group):
            if name is not None:
                some = self._named(name)
                from_mask, to_mask = from_mask | some[0], to_mask | some[1]
        return (
            member.exchange.uid,
            member.segment.uid,
            member.connector.number % SHARDS_PER_EXCHANGE,
            from_mask,
            to_mask,
        )

    def _key_of(self, other: str | None) -> str:
        return self.resolved.local_segments[other].segment.key if other else ""

    def _signature(self, member: Member, key: tuple[str, str, int, int, int]) -> tuple[str, ...]:
        if member.is_exit:
            return ("exit", member.connector.key)
        named = [
            f"{'+'.join(exchange.key for exchange in one.candidates)}{side}{self._key_of(one.other)}"
            for k, one in enumerate(self.steerings)
            for side, mask in (("<", key[-2]), (">", key[-1]))
            if mask >> k & 1
        ]
        where = "" if member.segment.uid == self.resolved.segment.uid else member.segment.key
        return ("at", member.exchange.key, where, str(key[2]), *named)

    @cached_property
    def classes(self) -> list[MemberClass]:
        """By id, from 1."""
        return sorted({one.id: one for one in self.class_of.values()}.values(), key=lambda one: one.id)

    # Anchors

    def nodes(self) -> dict[tuple[int, int], str]:
        ours = self.resolved.segment.uid
        cache: dict[tuple[str, str, CandidateExchanges], Exchange] = {}
        found: dict[tuple[int, int], str] = {}
        for place, low in enumerate(self.classes):
            for high in self.classes[place:]:
                if ours not in (low.segment, high.segment):
                    continue
                if low.home or high.home:
                    found[low.id, high.id] = min(filter(None, (low.home, high.home)))
                    continue
                abroad = high.segment if low.segment == ours else low.segment
                steered = (low.from_mask & high.to_mask) | (high.from_mask & low.to_mask)
                candidates = self._common(steered, None if abroad == ours else abroad)
                key = low.exchange.uid, high.exchange.uid, candidates
                if key not in cache:
                    cache[key] = self._exchange(low.exchange, high.exchange, candidates)
                # Segments take turns, so that a node is not the first choice of all of them.
                turn = low.weight + high.weight + self.resolved.segment.number
                found[low.id, high.id] = f"{cache[key].key}/{1 + turn % 2}"
        return found

    def _exchange(self, one: Exchange, other: Exchange, candidates: CandidateExchanges) -> Exchange:
        """One of the ends' exchanges if the services are there, else the nearest that has them."""
        ends = {one.uid: one, other.uid: other}
        near = [exchange for exchange in candidates if exchange.uid in ends] or (
            [] if candidates else list(ends.values())
        )
        if not near:
            return nearest_exchange(self.resolved.catalog, candidates, *ends.values()) or one
        pair = sorted(exchange.key for exchange in ends.values())
        return max(near, key=lambda exchange: rendezvous_weight(pair, exchange.key)) if len(near) > 1 else near[0]

    def _common(self, steered: int, abroad: str | None) -> CandidateExchanges:
        """The exchanges that all steerers of a pair can use; the first ones' where they differ."""
        if not steered:
            return ()
        key = steered, abroad
        if key not in self._commons:
            common: CandidateExchanges = ()
            for k, steerer in enumerate(self.steerings):
                if steered >> k & 1 and steerer.other == abroad:
                    common = tuple(e for e in common if e in steerer.candidates) or common or steerer.candidates
            self._commons[key] = common
        return self._commons[key]
