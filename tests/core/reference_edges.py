"""The edge of each connector in a segment, for the second judge: what it holds inside and what others see of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.core.reference_objects import ObjectRow, ObjectRows, Span, prefix_span


@dataclass(slots=True)
class ReferenceEdge:
    """One attachment: what it holds inside and what the segment sees of it.

    inside: its own prefixes. hidden: inside addresses of the connector that are always translated. outside: prefixes
    that outbound rules translate to; inward: those that inbound rules accept. told: the route policies that say what
    the connector is told.
    """

    segment: str
    connector: str
    preference: int
    age: int
    place: int
    group: str | None
    is_exit: bool
    as_path: str
    names: set[str]
    inside: list[Span]
    whole: list[Span] = field(default_factory=list)
    hidden: list[Span] = field(default_factory=list)
    outside: list[Span] = field(default_factory=list)
    inward: list[Span] = field(default_factory=list)
    denied: set[Span] = field(default_factory=set)
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def routes(self) -> list[Span]:
        """What is announced for it: a prefix that is hidden in part is still one route."""
        shown = [one for one in self.inside if not is_subset(one, self.hidden)] if self.hidden else self.inside
        return [one for one in (*shown, *self.outside, *self.inward) if one not in self.denied]

    @property
    def sends(self) -> list[Span]:
        return [one for one in (*self.inside, *self.outside) if one not in self.denied]

    def rank(self, route: Span) -> tuple[int, int, int, int]:
        return route.length, self.preference, -self.age, -self.place

    def may_send(self, address: int) -> bool:
        return is_within(self.sends, address) and (
            is_within(self.outside, address) or not is_within(self.hidden, address)
        )

    def takes_in(self, packet: Any, rows: ObjectRows) -> bool:
        """Plainly inside, or the first inbound rule that matches takes it there."""
        if is_within(self.whole, packet.destination) and not is_within(self.hidden, packet.destination):
            return True
        return any(rows.matches(body["match"], packet) for body in rows.nat(self.segment, self.connector, "inbound"))


def accepts(rows: ObjectRows, policy: dict[str, Any], route: Span, edge: ReferenceEdge) -> bool:
    """Whether a route policy lets a route to an edge's prefix pass: first match, else allowed."""
    for rule in policy["rules"]:
        match = rule["match"]
        if match["communities"] or (match["as_path"] and not re.search(match["as_path"], edge.as_path)):
            continue
        if not match["prefixes"] or any(_is_prefix_match(rows, name, route) for name in match["prefixes"]):
            return bool(rule["action"] == "allow")
    return True


def _is_prefix_match(rows: ObjectRows, name: str, route: Span) -> bool:
    if "/" in name:
        return prefix_span(name) == route
    for entry in rows.body(name)["entries"]:
        outer = prefix_span(entry["prefix"])
        if entry["ge"] is None and entry["le"] is None:
            if outer == route:
                return True
        elif route.low in outer and route.high in outer:
            shortest = outer.length if entry["ge"] is None else entry["ge"]
            if shortest <= route.length <= (128 if entry["le"] is None else entry["le"]):
                return True
    return False


def is_within(spans: list[Span], address: int) -> bool:
    return any(address in one for one in spans)


def is_subset(inner: Span, outer: list[Span]) -> bool:
    """Whether prefixes together hold every address of another one."""
    low = inner.low
    for one in sorted(outer, key=lambda one: one.low):
        if one.low <= low <= one.high:
            low = one.high + 1
    return low > inner.high


def prefix_spans(prefixes: list[str]) -> list[Span]:
    return [prefix_span(prefix) for prefix in prefixes]


def edges_of(rows: ObjectRows, segment: str) -> list[ReferenceEdge]:
    found: list[ReferenceEdge] = []
    policies = [row.body for row in rows.of("route-policies") if row.body["segment"] == segment and row.body["enabled"]]
    for row in rows.of("connectors"):
        body = row.body
        here = [one for one in body["attachments"] if one["segment"] == segment]
        if not here or not body["enabled"] or body["exchange"] not in rows:
            continue
        mine = [_edge(row, segment, place, one) for place, one in enumerate(here)]
        _translate(rows, row.uid, mine)
        names = {row.uid, *(one["group"] for one in here)}
        for policy in policies:
            if not names.isdisjoint(policy["targets"]):
                for edge in mine:
                    if policy["direction"] == "out":
                        edge.told.append(policy)
                    else:
                        edge.denied |= {one for one in set(edge.routes) if not accepts(rows, policy, one, edge)}
        found += mine
    return found


def _edge(row: ObjectRow, segment: str, place: int, attachment: dict[str, Any]) -> ReferenceEdge:
    body, group = row.body, attachment["group"]
    active = next((one for one in body["circuits"] if one["role"] == "active"), body["circuits"][0])
    is_exit = body["kind"] == "internet-exit"
    return ReferenceEdge(
        segment=segment,
        connector=row.uid,
        preference=body["preference"],
        age=row.number,
        place=place,
        group=group,
        is_exit=is_exit,
        as_path=str(active["bgp"]["peer_asn"]) if active["bgp"] else "",
        names={"internet"} if is_exit else {"any", row.uid, *([group] if group else [])},
        inside=prefix_spans(attachment["prefixes"]),
    )


def _translate(rows: ObjectRows, connector: str, edges: list[ReferenceEdge]) -> None:
    """What the connector's NAT rules hide and present; an outside prefix belongs to the attachment behind it."""
    segment = edges[0].segment
    whole = [one for edge in edges for one in edge.inside]
    hidden: list[Span] = []
    for body in rows.nat(segment, connector, "outbound"):
        match, source = body["match"], body["source"]
        if source["type"] == "none":
            continue
        behind = rows.spelled(match["source"])
        if match["protocol"] == "any" and match["destination"] == ["any"]:
            hidden += whole if behind == ["any"] else prefix_spans(behind)
        for place, prefix in enumerate(source["prefixes"]):
            inner = behind[place] if source["type"] == "static" else behind[0]
            _edge_with_prefix(edges, inner).outside.append(prefix_span(prefix))
    for body in rows.nat(segment, connector, "inbound"):
        accepted = rows.spelled(body["match"]["destination"])
        reached = body["destination"]["prefixes"] if body["destination"]["type"] == "static" else accepted
        for prefix, inner in zip(accepted, reached, strict=False):
            if prefix != "any":
                _edge_with_prefix(edges, inner).inward.append(prefix_span(prefix))
    for edge in edges:
        edge.hidden, edge.whole = hidden, whole


def _edge_with_prefix(edges: list[ReferenceEdge], prefix: str) -> ReferenceEdge:
    if prefix != "any":
        wanted = prefix_span(prefix)
        found = [(one.length, -edge.place, edge) for edge in edges for one in edge.inside if wanted.low in one]
        if found:
            return max(found, key=lambda one: one[:2])[2]
    return edges[0]
