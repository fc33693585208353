"""The edges of connectors in a segment, for the reference evaluator: inside prefixes, and prefixes others see."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.core.reference_objects import ObjectRow, ObjectRows, Span, prefix_span


@dataclass(slots=True)
class ReferenceEdge:
    """One attachment: its inside prefixes and the prefixes that the segment sees.

    inside: its own prefixes. hidden: inside addresses of the connector that are always translated. outside: prefixes
    that outbound rules translate to; inward: those that inbound rules accept. out_policies: the route policies that
    filter the routes announced to the connector.
    """

    segment: str
    connector: str
    preference: int
    age: int
    index: int
    groups: set[str]
    is_exit: bool
    has_clients: bool
    as_path: str
    names: set[str]
    inside: list[Span]
    whole: list[Span] = field(default_factory=list)
    hidden: list[Span] = field(default_factory=list)
    outside: list[Span] = field(default_factory=list)
    inward: list[Span] = field(default_factory=list)
    denied: set[Span] = field(default_factory=set)
    communities: dict[Span, set[str]] = field(default_factory=dict)
    out_policies: list[dict[str, Any]] = field(default_factory=list)

    def is_local_to(self, connector: str) -> bool:
        """Return whether a connector's own packets to this edge stay behind it; those of clients do not."""
        return self.connector == connector and not self.has_clients

    @property
    def routes(self) -> list[Span]:
        """The prefixes announced for it; a prefix that is hidden in part is still one route."""
        shown = [span for span in self.inside if not is_subset(span, self.hidden)] if self.hidden else self.inside
        return [span for span in (*shown, *self.outside, *self.inward) if span not in self.denied]

    @property
    def sends(self) -> list[Span]:
        return [span for span in (*self.inside, *self.outside) if span not in self.denied]

    def has_by_default(self, address: int) -> bool:
        """Return whether it has an address by nothing but a default route."""
        return all(route.length == 0 for route in self.routes if address in route)

    def sends_by_default(self, address: int) -> bool:
        return all(route.length == 0 for route in self.sends if address in route)

    def rank(self, route: Span) -> tuple[int, int, int, int]:
        return route.length, self.preference, -self.age, -self.index

    def may_send(self, address: int) -> bool:
        return is_within(self.sends, address) and (
            is_within(self.outside, address) or not is_within(self.hidden, address)
        )

    def takes_in(self, packet: Any, rows: ObjectRows) -> bool:
        """Return whether the destination is inside without translation, or an inbound NAT rule matches the packet."""
        if is_within(self.whole, packet.destination) and not is_within(self.hidden, packet.destination):
            return True
        return any(rows.matches(body["match"], packet) for body in rows.nat(self.segment, self.connector, "inbound"))


def accepts(
    rows: ObjectRows, policies: list[dict[str, Any]], route: Span, edge: ReferenceEdge, carried: set[str]
) -> bool:
    """Return whether route policies, one after the other, allow a route to an edge's prefix; add what they set to its
    communities (``carried``). In each the first match decides; without one the route is allowed."""
    for policy in policies:
        matching = (rule for rule in policy["rules"] if _is_route_match(rows, rule["match"], route, edge, carried))
        rule = next(matching, None)
        if rule is not None and rule["action"] == "deny":
            return False
        carried |= set(rule["set"]["communities"]) if rule else set()
    return True


def _is_route_match(
    rows: ObjectRows, match: dict[str, Any], route: Span, edge: ReferenceEdge, carried: set[str]
) -> bool:
    if match["communities"] != ["any"] and not carried.issuperset(match["communities"]):
        return False
    if match["as_path"] and not re.search(match["as_path"], edge.as_path):
        return False
    return match["prefixes"] == ["any"] or any(_is_prefix_match(rows, name, route) for name in match["prefixes"])


def _is_prefix_match(rows: ObjectRows, name: str, route: Span) -> bool:
    if "/" in name:
        return prefix_span(name) == route
    body = rows.body(name)
    return any(_is_entry_match(entry, route) for entry in body["entries"]) or any(
        _is_prefix_match(rows, inner, route) for inner in body["contains"]
    )


def _is_entry_match(entry: dict[str, Any], route: Span) -> bool:
    outer = prefix_span(entry["prefix"])
    if entry["ge"] is None and entry["le"] is None:
        return outer == route
    shortest = outer.length if entry["ge"] is None else entry["ge"]
    longest = 128 if entry["le"] is None else entry["le"]
    return route.low in outer and route.high in outer and shortest <= route.length <= longest


def is_within(spans: list[Span], address: int) -> bool:
    return any(address in span for span in spans)


def is_subset(inner: Span, outer: list[Span]) -> bool:
    """Return whether prefixes together contain every address of another prefix."""
    low = inner.low
    for span in sorted(outer, key=lambda span: span.low):
        if span.low <= low <= span.high:
            low = span.high + 1
    return low > inner.high


def prefix_spans(prefixes: list[str]) -> list[Span]:
    return [prefix_span(prefix) for prefix in prefixes]


def edges_of(rows: ObjectRows, segment: str) -> list[ReferenceEdge]:
    edges: list[ReferenceEdge] = []
    policies = [row.body for row in rows.of("route-policies") if row.body["segment"] == segment and row.body["enabled"]]
    for row in rows.of("connectors"):
        body = row.body
        here = [attachment for attachment in body["attachments"] if attachment["segment"] == segment]
        if not here or not body["enabled"] or body["exchange"] not in rows:
            continue
        mine = [_edge(rows, row, segment, index, attachment) for index, attachment in enumerate(here)]
        _translate(rows, row.uid, mine)
        names = {row.uid}.union(*(edge.groups for edge in mine))
        targeting = [policy for policy in policies if not names.isdisjoint(policy["targets"])]
        for edge in mine:
            edge.out_policies = [policy for policy in targeting if policy["direction"] == "out"]
            incoming = [policy for policy in targeting if policy["direction"] == "in"]
            edge.communities = {route: set() for route in edge.routes}
            edge.denied = {
                route
                for route, carried in edge.communities.items()
                if not accepts(rows, incoming, route, edge, carried)
            }
        edges += mine
    return edges


def _edge(rows: ObjectRows, row: ObjectRow, segment: str, index: int, attachment: dict[str, Any]) -> ReferenceEdge:
    body, groups = row.body, rows.groups_of(row.body, attachment)
    active = next((circuit for circuit in body["circuits"] if circuit["role"] == "active"), body["circuits"][0])
    is_exit = body["kind"] == "internet-exit"
    return ReferenceEdge(
        segment=segment,
        connector=row.uid,
        preference=body["preference"],
        age=row.number,
        index=index,
        groups=groups,
        is_exit=is_exit,
        has_clients=body["kind"] == "remote-access",
        as_path=str(active["bgp"]["peer_asn"]) if active["bgp"] else "",
        names={"internet"} if is_exit else {"any", row.uid, *groups},
        inside=prefix_spans(attachment["prefixes"]),
    )


def _translate(rows: ObjectRows, connector: str, edges: list[ReferenceEdge]) -> None:
    """Set the prefixes that the connector's NAT rules hide and present; an outside prefix belongs to its inner edge."""
    segment = edges[0].segment
    whole = [span for edge in edges for span in edge.inside]
    hidden: list[Span] = []
    for body in rows.nat(segment, connector, "outbound"):
        match, source = body["match"], body["source"]
        if source["type"] == "none":
            continue
        behind = rows.spelled(match["source"])
        if match["protocol"] == "any" and match["destination"] == ["any"]:
            hidden += whole if behind == ["any"] else prefix_spans(behind)
        for index, prefix in enumerate(source["prefixes"]):
            inner = behind[index] if source["type"] == "static" else behind[0]
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
        span = prefix_span(prefix)
        candidates = [
            (inside.length, -edge.index, edge) for edge in edges for inside in edge.inside if span.low in inside
        ]
        if candidates:
            return max(candidates, key=lambda candidate: candidate[:2])[2]
    return edges[0]
