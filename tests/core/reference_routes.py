"""Who has which addresses in a segment and through shares: routes, for the reference evaluator.

The longest prefix wins, of members and of what shares bring; then default routes, then internet exits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.core.reference_edges import ReferenceEdge, edges_of, is_within, prefix_spans
from tests.core.reference_objects import ObjectRow, ObjectRows, prefix_span
from tests.core.sample_networks import IntentBuilder

V6 = 1 << 128
"""IPv6 addresses lie above."""

PRIVATE = prefix_spans(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"])
PRIVATE += prefix_spans(["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"])
V6_PUBLIC = prefix_span("2000::/3")


class ReferenceRoutes:
    """The routes of one IntentBuilder, whose bodies must not change meanwhile."""

    def __init__(self, draw: IntentBuilder) -> None:
        self.rows = ObjectRows(draw)
        self._edges: dict[str, list[ReferenceEdge]] = {}

    def edges(self, segment: str) -> list[ReferenceEdge]:
        """Every attachment of an enabled connector in a segment."""
        if segment not in self._edges:
            self._edges[segment] = edges_of(self.rows, segment)
        return self._edges[segment]

    def owner(self, segment: str, address: int) -> ReferenceEdge | None:
        """Return the edge with the longest presented prefix, then the higher preference, then the older connector."""
        candidates = [
            (edge.rank(route), edge) for edge in self.edges(segment) for route in edge.routes if address in route
        ]
        return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else None

    def source(self, segment: str, connector: str, address: int) -> ReferenceEdge | None:
        """Return the attachment a connector's packet comes from: the longest match among its own presented prefixes."""
        own = [edge for edge in self.edges(segment) if edge.connector == connector and edge.may_send(address)]
        candidates = [(route.length, -edge.index, edge) for edge in own for route in edge.sends if address in route]
        return max(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None

    def routed(self, segment: str, address: int) -> tuple[str, ReferenceEdge] | None:
        """Return (segment, edge) that an address goes to as a segment sees it. The longest prefix wins, of members and
        of what shares bring; of default routes the segment's own, then that of the oldest segment that shares one."""
        own, imported = self.owner(segment, address), self.shown(segment, address)
        if own is not None and not own.has_by_default(address):
            return segment, own
        longer = [pair for pair in imported if not pair[1].has_by_default(address)]
        if longer:
            return longer[0]
        if own is not None:
            return segment, own
        if not imported:
            return None
        other, edge = min(imported, key=lambda pair: self.rows[pair[0]].number)
        elsewhere = [pair for pair in self.shown(other, address) if not pair[1].has_by_default(address)]
        return None if elsewhere else (other, edge)

    def shown(self, segment: str, address: int) -> list[tuple[str, ReferenceEdge]]:
        """Return (other segment, its owner of an address) of each share that shows it to this segment."""
        shown = [(other, self.shared(other, far, address)) for _, _, other, far, _ in self.directed_shares(segment)]
        return [(other, edge) for other, edge in shown if edge is not None]

    def directed_shares(self, segment: str) -> Iterator[tuple[ObjectRow, dict[str, Any], str, dict[str, Any], bool]]:
        """Yield (share, near side, other segment, far side, whether the near side may initiate) by share number."""
        for share in self.rows.of("shares"):
            for near, far, forbidden in (("a", "b", "b-to-a"), ("b", "a", "a-to-b")):
                near_side, far_side = share.body[near], share.body[far]
                if near_side["segment"] == segment != far_side["segment"]:
                    yield share, near_side, far_side["segment"], far_side, share.body["direction"] != forbidden

    def shared(self, segment: str, side: dict[str, Any], address: int) -> ReferenceEdge | None:
        """Return the owner of an address if a side of a share contains it."""
        edge = self.owner(segment, address)
        if edge is None:
            return None
        listed = any(address in prefix_span(prefix) for prefix in side["prefixes"])
        way_out = side["internet"] and edge.has_by_default(address) and self.is_public(address)
        return edge if listed or way_out or edge.groups.intersection(side["groups"]) else None

    @staticmethod
    def is_public(address: int) -> bool:
        return address in V6_PUBLIC if address >= V6 else not is_within(PRIVATE, address)

    def exits(self, segment: str) -> set[str]:
        return {edge.connector for edge in self.edges(segment) if edge.is_exit}

    def ways_out(self, segment: str) -> list[str]:
        """Return the segments by whose exits a segment may leave: itself, then those that share them, the oldest first.
        Of two that share theirs with each other the older one has no way through the younger."""
        others = {
            other
            for _, _, other, far, begins in self.directed_shares(segment)
            if begins and far["internet"] and self.exits(other)
        }
        mutual = {
            other
            for other in others
            for _, _, to, far, begins in self.directed_shares(other)
            if to == segment and begins and far["internet"] and self.exits(segment)
        }
        ages = {other: self.rows[other].number for other in others}
        younger = {other for other in mutual if ages[other] > self.rows[segment].number}
        return [*([segment] if self.exits(segment) else []), *sorted(others - younger, key=ages.__getitem__)]

    def is_unknown(self, segment: str, address: int) -> bool:
        """Return whether nobody has an address in a segment, and no side of a share has one for it."""
        return self.owner(segment, address) is None and not self.shown(segment, address)

    def destination_segment(self, segment: str, address: int) -> str:
        """Return the uid of the segment that an address's owner is in, as a segment sees it, or ``beyond``."""
        routed = self.routed(segment, address)
        return routed[0] if routed else "beyond"

    def is_another_segments(self, segment: str, start: ReferenceEdge, address: int) -> bool:
        """Return whether a share brings an address by a longer prefix than the default route it is sent by."""
        shown = self.shown(segment, address)
        return start.sends_by_default(address) and any(not edge.has_by_default(address) for _, edge in shown)

    def carrying(self, segment: str, other: str, source: int, destination: int) -> ObjectRow | None:
        """Return the first share between two segments that contains both addresses and lets this side initiate."""
        for share, near, to, far, begins in self.directed_shares(segment):
            sender = self.shared(segment, near, source) if to == other and begins else None
            leaves = far["internet"] and self.is_unknown(to, destination)
            if sender is None or not (leaves or self.shared(to, far, destination)):
                continue
            if not sender.has_by_default(source) or self.routed(to, source) == (segment, sender):
                return share
        return None
