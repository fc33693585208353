"""One segment seen whole: its members with disjoint ranges, its policies, its exits and the anchors of its flows.

Sections, traces and reachability read this one value, so that the model and the data plane cannot differ about it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from provisioning.core.addresses import Range, flatten, span
from provisioning.core.fabric import nearest, placed_at, rank
from provisioning.core.intent import ANY, INTERNET, Attachment, Connector, Exchange, Intent, Policy, Segment

SHARDS = 2
"""Members of one exchange that policies treat alike still spread over the two nodes in this many classes."""


@dataclass(frozen=True, slots=True)
class Member:
    """One attachment of a connector in a segment.

    ranges: what it owns after longest prefix flattening, empty for an internet exit.
    home:   node of the connector's active circuit.
    froms, tos: bit p set when the p-th policy of the realm names it on that side.
    """

    id: int
    connector: Connector
    attachment: Attachment
    exchange: Exchange
    home: str
    ranges: tuple[Range, ...]
    froms: int
    tos: int

    @property
    def is_exit(self) -> bool:
        return self.connector.kind == "internet-exit"


@dataclass(frozen=True, slots=True)
class Class:
    """Members whose flows have equal anchors: same exchange, named alike by policies that inspect, same shard."""

    id: int
    signature: tuple[str, ...]
    exchange: Exchange
    home: str | None
    froms: int
    tos: int


class Realm:
    """``Realm(intent, segment uid)``; everything is computed when first asked for."""

    def __init__(self, intent: Intent, segment: str) -> None:
        self.intent = intent
        self.segment: Segment = intent.segments[segment]
        self._chains: dict[int, Sequence[Exchange]] = {}

    @cached_property
    def policies(self) -> list[Policy]:
        """Enabled policies that hold this segment, in the order they are tried."""
        held = (policy for policy in self.intent.policies.values() if policy.enabled)
        return sorted(
            (policy for policy in held if self.segment.uid in policy.segments),
            key=lambda policy: (policy.position, policy.number),
        )

    @cached_property
    def members(self) -> list[Member]:
        attached = [
            (connector, attachment)
            for connector in sorted(self.intent.connectors.values(), key=lambda connector: connector.number)
            if connector.enabled and connector.exchange in self.intent.exchanges
            for attachment in connector.attachments
            if attachment.segment == self.segment.uid
        ]
        # Of equal prefixes the last claim wins: the highest preference, then the oldest connector.
        claims = [
            (span(prefix), place)
            for place, (connector, attachment) in sorted(
                enumerate(attached), key=lambda item: (item[1][0].preference, -item[0])
            )
            for prefix in attachment.prefixes
        ]
        owned = flatten(claims)
        return [
            self._member(place, connector, attachment, owned.get(place, ()))
            for place, (connector, attachment) in enumerate(attached)
        ]

    def _member(self, place: int, connector: Connector, attachment: Attachment, ranges: tuple[Range, ...]) -> Member:
        exchange = self.intent.exchanges[connector.exchange]
        is_exit = connector.kind == "internet-exit"
        names: set[str | None] = {INTERNET} if is_exit else {ANY, connector.uid, attachment.group}
        return Member(
            id=place + 1,
            connector=connector,
            attachment=attachment,
            exchange=exchange,
            home=f"{exchange.key}/{connector.active.node}",
            ranges=ranges,
            froms=self._naming(names, [policy.from_ for policy in self.policies]),
            tos=self._naming(names, [policy.to for policy in self.policies]),
        )

    @staticmethod
    def _naming(names: set[str | None], sides: list[tuple[str, ...]]) -> int:
        return sum(1 << place for place, side in enumerate(sides) if not names.isdisjoint(side))

    @cached_property
    def _owners(self) -> tuple[list[int], list[tuple[int, Member]]]:
        rows = sorted((low, high, member.id) for member in self.members for low, high in member.ranges)
        by_id = {member.id: member for member in self.members}
        return [low for low, _, _ in rows], [(high, by_id[owner]) for _, high, owner in rows]

    def owner(self, address: int) -> Member | None:
        """The member an address belongs to."""
        lows, rows = self._owners
        place = bisect_right(lows, address) - 1
        return rows[place][1] if place >= 0 and address <= rows[place][0] else None

    @cached_property
    def exits(self) -> dict[str, Member]:
        """Exchange uid → the internet exit of flows that start there: same exchange, highest preference, nearest."""
        exits = [member for member in self.members if member.is_exit]
        chosen = {}
        for exchange in self.intent.exchanges.values() if exits else ():
            at_home = [member for member in exits if member.exchange.uid == exchange.uid]
            pool = at_home or exits
            best = max(member.connector.preference for member in pool)
            pool = [member for member in pool if member.connector.preference == best]
            where = nearest(self.intent, {member.exchange.uid: member.exchange for member in pool}.values(), exchange)
            chosen[exchange.uid] = next(member for member in pool if member.exchange is where)
        return chosen

    # Anchors

    @cached_property
    def _inspecting(self) -> int:
        """Bit mask of the policies with a rule that inspects."""
        return sum(
            1 << place
            for place, policy in enumerate(self.policies)
            if any(rule.action == "inspect" for rule in policy.rules)
        )

    def _signature(self, member: Member) -> tuple[str, ...]:
        if member.is_exit:
            return ("exit", member.connector.key)
        named = [
            f"{policy.key}{side}"
            for place, policy in enumerate(self.policies)
            if self._inspecting >> place & 1
            for side, mask, names in (("<", member.froms, policy.from_), (">", member.tos, policy.to))
            if mask >> place & 1 and ANY not in names
        ]
        return ("at", member.exchange.key, str(rank(member.connector.key) % SHARDS), *sorted(named))

    @cached_property
    def _class_of(self) -> dict[int, Class]:
        signatures = {member.id: self._signature(member) for member in self.members}
        numbers = {signature: place + 1 for place, signature in enumerate(sorted(set(signatures.values())))}
        return {
            member.id: Class(
                id=numbers[signatures[member.id]],
                signature=signatures[member.id],
                exchange=member.exchange,
                home=member.home if member.is_exit else None,
                froms=member.froms & self._inspecting,
                tos=member.tos & self._inspecting,
            )
            for member in self.members
        }

    def class_of(self, member: Member) -> Class:
        return self._class_of[member.id]

    @cached_property
    def anchors(self) -> dict[tuple[int, int], str]:
        """(lower class id, higher class id) → the node that decides their flows, whichever side starts."""
        classes = sorted({found.id: found for found in self._class_of.values()}.values(), key=lambda found: found.id)
        return {
            (low.id, high.id): self._anchor(low, high) for place, low in enumerate(classes) for high in classes[place:]
        }

    def anchor(self, one: Member, other: Member) -> str:
        low, high = sorted((self.class_of(one).id, self.class_of(other).id))
        return self.anchors[low, high]

    def _anchor(self, one: Class, other: Class) -> str:
        homes = sorted(found.home for found in (one, other) if found.home)
        if homes:
            return homes[0]
        exchange = self._anchor_exchange(one, other)
        pair = sorted((one.signature, other.signature))
        return max((f"{exchange.key}/1", f"{exchange.key}/2"), key=lambda node: rank(self.segment.key, pair, node))

    def _anchor_exchange(self, one: Class, other: Class) -> Exchange:
        ends = {found.exchange.uid: found.exchange for found in (one, other)}
        candidates = self._chain_exchanges((one.froms & other.tos) | (other.froms & one.tos))
        near = [exchange for exchange in candidates if exchange.uid in ends] or (
            [] if candidates else list(ends.values())
        )
        if not near:
            chosen = nearest(self.intent, candidates, *ends.values())
            return chosen or one.exchange
        pair = sorted(exchange.key for exchange in ends.values())
        return max(near, key=lambda exchange: rank(pair, exchange.key))

    def _chain_exchanges(self, policies: int) -> Sequence[Exchange]:
        """The exchanges where the chains of these policies can all be served; the first ones count when they differ."""
        if policies not in self._chains:
            self._chains[policies] = self._find_chain_exchanges(policies)
        return self._chains[policies]

    def _find_chain_exchanges(self, policies: int) -> Sequence[Exchange]:
        common: list[Exchange] = []
        chains = (
            rule.services
            for place, policy in enumerate(self.policies)
            if policies >> place & 1
            for rule in policy.rules
            if rule.action == "inspect"
        )
        for chain in dict.fromkeys(chains):
            for uid in chain:
                service = self.intent.services.get(uid)
                here = placed_at(self.intent, service) if service else []
                both = [exchange for exchange in common if exchange in here] if common else here
                common = both or common
        return common
