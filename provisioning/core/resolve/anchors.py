"""The node that decides a flow: a function of the unordered pair of its ends, so that both directions find the same.

Members that exchange, shard and services treat alike are one class, and a pair of classes has one anchor. Rules that
inspect through services at the same exchanges count as one, so that classes stay few in large segments; a pair that no
rule inspects may therefore be decided where other flows of its ends are inspected.

Where several exchanges would do, rendezvous hashing chooses (values/rendezvous.py), so that an exchange that comes or
goes moves few pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from provisioning.core.intent import ANY, Catalog, Exchange, Service
from provisioning.core.resolve.fabric import nearest_exchange, placement_exchanges
from provisioning.core.resolve.local_segment import InspectedChains, NamesOnEitherSide
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment_routes import SegmentRoutes
from provisioning.core.values.rendezvous import rendezvous_weight

SHARDS_PER_EXCHANGE = 2
"""Members of one exchange that services treat alike still spread over its two nodes in this many classes."""

CandidateExchanges = tuple[Exchange, ...]
_ANY_NAMES: NamesOnEitherSide = ((ANY,), (ANY,))


@dataclass(frozen=True, slots=True)
class ServiceSteering:
    """Policies and shares that send flows through services, all placed at the same exchanges (``candidates``).

    other: uid of the segment whose flows with this one they are about; None for flows inside the segment.
    sides: for each chain, what its policies name in ``from`` and in ``to``.
    """

    other: str | None
    candidates: CandidateExchanges
    sides: tuple[NamesOnEitherSide, ...]


@dataclass(frozen=True, slots=True)
class MemberClass:
    """Members that have the same anchor with anybody.

    from_mask, to_mask: bit k is set when the k-th steering names its members on that side. weight: a hash of the
    signature. home: the node of an internet exit; None for members behind other connectors.
    """

    id: int
    signature: tuple[str, ...]
    exchange: Exchange
    segment: str
    home: str | None
    from_mask: int
    to_mask: int
    weight: int


class AnchorAssignment:
    """The classes and anchors of the flows that one segment decides; each part is computed when first asked for.

    chains: by uid, what the policies inspect of this segment and of those it shares with.
    """

    def __init__(
        self,
        routes: SegmentRoutes,
        chains: Mapping[str, InspectedChains],
        services: Mapping[str, Service],
        exchanges: Mapping[str, Exchange],
        catalog: Catalog,
    ) -> None:
        self.routes, self.chains = routes, chains
        self.services, self.exchanges, self.catalog = services, exchanges, catalog

    @cached_property
    def _members(self) -> list[Member]:
        """The segment's own, and the imported ones whose flows are decided here."""
        imported = (member for member in self.routes.imported_members if self.routes.is_decider(member.segment.uid))
        return [*self.routes.routing_table.members, *imported]

    @cached_property
    def _steerings(self) -> list[ServiceSteering]:
        merged: dict[tuple[str | None, CandidateExchanges], list[NamesOnEitherSide]] = {}
        for other, chain, sides in self._inspected():
            merged.setdefault((other, self._candidates(chain)), []).append(sides)
        order = sorted(merged, key=lambda key: (key[0] or "", [exchange.key for exchange in key[1]]))
        return [ServiceSteering(*key, tuple(merged[key])) for key in order]

    def _inspected(self) -> Iterator[tuple[str | None, tuple[str, ...], NamesOnEitherSide]]:
        """(other segment, chain of services, names on either side) of everything that flows are inspected by."""
        own = self.chains[self.routes.segment.uid].names
        yield from ((None, chain, sides) for chain, sides in own.items())
        for uid in dict.fromkeys(share.other for share in self.routes.directed_shares):
            if self.routes.is_decider(uid):
                yield from ((uid, chain, sides) for chain, sides in (*own.items(), *self.chains[uid].names.items()))
                shares = [share for share in self.routes.directed_shares if share.other == uid]
                for chain in sorted({share.share.services for share in shares}):
                    if chain:
                        yield uid, chain, _ANY_NAMES

    def _candidates(self, chain: tuple[str, ...]) -> CandidateExchanges:
        """The exchanges where the whole chain can be served; where services have none in common the first counts."""
        common: CandidateExchanges = ()
        for uid in chain:
            service = self.services.get(uid)
            placed = placement_exchanges(self.exchanges, service) if service else []
            common = tuple(exchange for exchange in common if exchange in placed) or common or tuple(placed)
        return common

    # Classes

    @cached_property
    def class_of(self) -> dict[int, MemberClass]:
        """By member id."""
        masks = self._steering_masks()
        keys = {member.id: self._key(member, *masks) for member in self._members}
        examples = {keys[member.id]: member for member in reversed(self._members)}
        signatures = {key: self._signature(member, key) for key, member in examples.items()}
        ids = {signature: index + 1 for index, signature in enumerate(sorted(signatures.values()))}
        classes = {
            key: MemberClass(
                id=ids[signatures[key]],
                signature=signatures[key],
                exchange=member.exchange,
                segment=member.segment.uid,
                home=member.home if member.is_exit else None,
                from_mask=key[-2],
                to_mask=key[-1],
                weight=rendezvous_weight(*signatures[key]),
            )
            for key, member in examples.items()
        }
        return {member_id: classes[key] for member_id, key in keys.items()}

    def _key(
        self, member: Member, from_masks: Mapping[str, int], to_masks: Mapping[str, int]
    ) -> tuple[str, str, int, int, int]:
        """What the members of one class have in common. Equal keys have equal signatures, and are made faster."""
        if member.is_exit:
            return (member.connector.uid, "", 0, 0, 0)
        from_mask = to_mask = 0
        for name in (ANY, member.connector.uid, *member.attachment.member_of):
            from_mask, to_mask = from_mask | from_masks.get(name, 0), to_mask | to_masks.get(name, 0)
        shard = member.connector.number % SHARDS_PER_EXCHANGE
        return (member.exchange.uid, member.segment.uid, shard, from_mask, to_mask)

    def _steering_masks(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return name → the steerings (as bits) that hold it in ``from``, and in ``to``."""
        masks: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for k, steering in enumerate(self._steerings):
            for sides in steering.sides:
                for masks_of_side, names in zip(masks, sides, strict=True):
                    for name in names:
                        masks_of_side[name] = masks_of_side.get(name, 0) | 1 << k
        return masks

    def _segment_key(self, uid: str | None) -> str:
        return self.routes.routing_tables[uid].segment.key if uid else ""

    def _signature(self, member: Member, key: tuple[str, str, int, int, int]) -> tuple[str, ...]:
        """Made of keys, which outlive renames."""
        if member.is_exit:
            return ("exit", member.connector.key)
        steered = [
            f"{'+'.join(exchange.key for exchange in steering.candidates)}{side}{self._segment_key(steering.other)}"
            for k, steering in enumerate(self._steerings)
            for side, mask in (("<", key[-2]), (">", key[-1]))
            if mask >> k & 1
        ]
        segment = "" if member.segment.uid == self.routes.segment.uid else member.segment.key
        return ("at", member.exchange.key, segment, str(key[2]), *steered)

    @cached_property
    def classes(self) -> list[MemberClass]:
        """By id, from 1."""
        by_id = {member_class.id: member_class for member_class in self.class_of.values()}
        return [by_id[number] for number in sorted(by_id)]

    # Anchors

    @cached_property
    def nodes(self) -> dict[tuple[int, int], str]:
        """(lower class id, higher class id) → id of the node that decides their flows."""
        own = self.routes.segment.uid
        common: dict[tuple[int, str | None], CandidateExchanges] = {}
        exchanges: dict[tuple[str, str, CandidateExchanges], Exchange] = {}
        nodes: dict[tuple[int, int], str] = {}
        for index, low in enumerate(self.classes):
            for high in self.classes[index:]:
                if own not in (low.segment, high.segment):
                    continue
                if low.home or high.home:
                    nodes[low.id, high.id] = min(filter(None, (low.home, high.home)))
                    continue
                other = high.segment if low.segment == own else low.segment
                steered = (low.from_mask & high.to_mask) | (high.from_mask & low.to_mask)
                steering = steered, None if other == own else other
                if steering not in common:
                    common[steering] = self._common_candidates(*steering)
                key = low.exchange.uid, high.exchange.uid, common[steering]
                if key not in exchanges:
                    exchanges[key] = self._exchange(low.exchange, high.exchange, common[steering])
                # The segment's number takes part, so that one node is not the first choice of all segments.
                shard = low.weight + high.weight + self.routes.segment.number
                nodes[low.id, high.id] = f"{exchanges[key].key}/{1 + shard % 2}"
        return nodes

    def node(self, one: Member, other: Member) -> str:
        """Return the node that decides the flows of a pair, whichever side initiates."""
        low, high = sorted((self.class_of[one.id].id, self.class_of[other.id].id))
        return self.nodes[low, high]

    def _exchange(self, one: Exchange, other: Exchange, candidates: CandidateExchanges) -> Exchange:
        """One of the ends' exchanges if the services are there, else the nearest that has them."""
        ends = {one.uid: one, other.uid: other}
        local = [exchange for exchange in candidates if exchange.uid in ends]
        if not candidates:
            local = list(ends.values())
        if not local:
            return nearest_exchange(self.catalog, candidates, *ends.values()) or one
        pair = sorted(exchange.key for exchange in ends.values())
        return max(local, key=lambda exchange: rendezvous_weight(pair, exchange.key)) if len(local) > 1 else local[0]

    def _common_candidates(self, steered: int, other: str | None) -> CandidateExchanges:
        """The exchanges that all steerings of a pair can use; where they have none in common, those of the first."""
        common: CandidateExchanges = ()
        for k, steering in enumerate(self._steerings):
            if steered >> k & 1 and steering.other == other:
                common = tuple(e for e in common if e in steering.candidates) or common or steering.candidates
        return common
