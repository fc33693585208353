"""The reference evaluator: docs/semantics.md implemented a second time, slowly and literally.

It reads only the bodies of an IntentBuilder and nothing from the core, so that tests can compare the core with it. It
decides one packet at a time: the edge that accepts it, the owner of its destination, then the route filter, rule,
share or default action that applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.core.flow_headers import FlowHeaders
from tests.core.reference_edges import ReferenceEdge, accepts, edges_of, is_within, prefix_spans
from tests.core.reference_objects import ObjectRow, ObjectRows, parse_address, prefix_span
from tests.core.sample_networks import CATALOG, IntentBuilder

V6 = 1 << 128
"""IPv6 addresses lie above."""

PRIVATE = prefix_spans(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"])
PRIVATE += prefix_spans(["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"])
V6_PUBLIC = prefix_span("2000::/3")


@dataclass(frozen=True, slots=True)
class ReferenceOutcome:
    """disposition: as in the API. chain: uids of the services passed; empty unless delivered."""

    disposition: str
    rule: str | None = None
    chain: tuple[str, ...] = ()

    @property
    def delivered(self) -> bool:
        return self.disposition.startswith("delivered")


@dataclass(frozen=True, slots=True)
class ReferencePacket:
    """Addresses as numbers (see ``reference_objects.parse_address``); ``port`` is the type of ICMP, and 0 for protocols
    without."""

    source: int
    destination: int
    protocol: str
    port: int = 0
    source_port: int = 49152
    dscp: int = 0

    @property
    def headers(self) -> FlowHeaders:
        return FlowHeaders(self.protocol, self.port, self.source_port, self.dscp)


class ReferenceEvaluator:
    """Evaluates one IntentBuilder, whose bodies must not change meanwhile."""

    def __init__(self, draw: IntentBuilder, catalog: Any = CATALOG) -> None:
        self.rows = ObjectRows(draw)
        self.catalog = catalog
        self._edges: dict[str, list[ReferenceEdge]] = {}
        self._policies: dict[str, list[dict[str, Any]]] = {}

    # Owners of addresses

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
        return edge if listed or edge.groups.intersection(side["groups"]) else None

    def destination_segment(self, segment: str, address: int) -> str:
        """Return the uid of the segment that an address's owner is in, as a segment sees it, or ``beyond``."""
        routed = self.routed(segment, address)
        return routed[0] if routed else "beyond"

    # Outcomes of a packet

    def sent(self, segment: str, connector: str, packet: ReferencePacket) -> ReferenceOutcome:
        """Return the outcome of a flow that starts behind a connector, into one segment."""
        return self.presented(segment, connector, self.translated(segment, connector, packet))

    def presented(self, segment: str, connector: str, packet: ReferencePacket) -> ReferenceOutcome:
        """Return the outcome of a flow after its connector's NAT."""
        start = self.source(segment, connector, packet.source)
        if start is None or self.is_another_segments(segment, start, packet.source):
            return ReferenceOutcome("denied_spoofed")
        if (packet.source >= V6) != (packet.destination >= V6):
            return ReferenceOutcome("no_route")
        if packet.protocol == ("icmp" if packet.source >= V6 else "icmpv6"):
            return ReferenceOutcome("no_route")
        if not packet.headers.begins_flow:
            return ReferenceOutcome("no_route")
        routed = self.routed(segment, packet.destination)
        if routed is None:
            return self.outwards(segment, start, packet)
        if routed[1].is_local_to(connector):
            return ReferenceOutcome("local")
        if routed[0] == segment:
            return self.inside(segment, start, routed[1], packet)
        return self.across(segment, start, *routed, packet)

    def is_another_segments(self, segment: str, start: ReferenceEdge, address: int) -> bool:
        """Return whether a share brings an address by a longer prefix than the default route it is sent by."""
        shown = self.shown(segment, address)
        return start.sends_by_default(address) and any(not edge.has_by_default(address) for _, edge in shown)

    def inside(
        self, segment: str, start: ReferenceEdge, end: ReferenceEdge, packet: ReferencePacket
    ) -> ReferenceOutcome:
        if self.closed(segment, start, end, packet):
            return ReferenceOutcome("no_route")
        matched = self.first(segment, start.names, end.names, packet)
        if matched is not None:
            return self.ruled([matched], matched[1]["services"], packet)
        default_action = self.rows.body(segment)["default_action"]
        return ReferenceOutcome("delivered" if default_action == "allow" else "denied_by_default")

    def across(
        self, segment: str, start: ReferenceEdge, other: str, end: ReferenceEdge, packet: ReferencePacket
    ) -> ReferenceOutcome:
        share = self.carrying(segment, other, packet)
        if share is None:
            return ReferenceOutcome("isolated")
        if self.closed(segment, start, end, packet) or self.closed(other, start, end, packet):
            return ReferenceOutcome("no_route")
        matched = [self.first(uid, start.names, end.names, packet) for uid in (segment, other)]
        chain = [*share.body["services"]]
        if matched[0]:
            chain = [*matched[0][1]["services"], *chain]
        if matched[1]:
            chain = [*chain, *matched[1][1]["services"]]
        return self.ruled([match for match in matched if match], [*dict.fromkeys(chain)], packet, f"share/{share.key}")

    def carrying(self, segment: str, other: str, packet: ReferencePacket) -> ObjectRow | None:
        """Return the first share between two segments that contains both addresses and lets this side initiate."""
        for share, near, to, far, begins in self.directed_shares(segment):
            sender = self.shared(segment, near, packet.source) if to == other and begins else None
            if sender is None or self.shared(to, far, packet.destination) is None:
                continue
            if not sender.has_by_default(packet.source) or self.routed(to, packet.source) == (segment, sender):
                return share
        return None

    def outwards(self, segment: str, start: ReferenceEdge, packet: ReferencePacket) -> ReferenceOutcome:
        """Return the outcome of a flow to an address that no member has: an application's, or one on the internet: IPv4
        and public addresses only, and none of our own; no default action applies."""
        if packet.source < V6 and (app := self.application(packet, segment)) is not None:
            return self.to_application(segment, start.names, app, packet)
        exits = any(edge.is_exit for edge in self.edges(segment))
        if not exits or packet.destination >= V6 or packet.source >= V6 or is_within(PRIVATE, packet.destination):
            return ReferenceOutcome("no_route")
        if packet.destination in self.own_addresses():
            return ReferenceOutcome("no_route")
        matched = self.first(segment, start.names, {"internet"}, packet)
        return (
            self.ruled([matched], matched[1]["services"], packet) if matched else ReferenceOutcome("denied_by_default")
        )

    def from_internet(self, packet: ReferencePacket) -> ReferenceOutcome:
        """Return the outcome of a flow from the internet: it reaches only applications that a policy allows."""
        app = self.application(packet)
        segment = self.home(app.body) if app else None
        if app is None or segment is None:
            return ReferenceOutcome("no_route")
        return self.to_application(segment, {"internet"}, app, packet)

    def is_internet(self, end: ReferenceEdge | None, address: int) -> bool:
        """Return whether a question about the internet means an address: a public one that is not ours, and that nobody
        has, or that a member has by nothing but a default route."""
        public = address in V6_PUBLIC if address >= V6 else not is_within(PRIVATE, address)
        routes = [route for route in end.routes if address in route] if end else []
        return public and address not in self.own_addresses() and all(route.length == 0 for route in routes)

    def from_behind_a_member(self, packet: ReferencePacket) -> tuple[str, str] | None:
        """Return (segment, connector) of the first default route that an address of the internet is behind."""
        for segment in self.rows.of("segments"):
            routed = self.routed(segment.uid, packet.source)
            if routed and routed[0] == segment.uid and self.is_internet(routed[1], packet.source):
                return segment.uid, routed[1].connector
        return None

    def application(self, packet: ReferencePacket, segment: str | None = None) -> ObjectRow | None:
        """Return the internet application at a packet's destination: of one segment, or the first of any."""
        applications = [
            (self.rows[home].number, app.number, app)
            for app in self.rows.of("internet-apps")
            if (app.body["protocol"], app.body["port"]) == (packet.protocol, packet.port)
            and (home := self.home(app.body)) is not None
            and segment in (None, home)
            and self.public(app.body) == packet.destination
        ]
        return min(applications)[2] if applications else None

    def to_application(
        self, segment: str, starts: set[str], app: ObjectRow, packet: ReferencePacket
    ) -> ReferenceOutcome:
        """Return the outcome of a flow to an application's public address; no default action applies."""
        matched = self.first(segment, starts, {app.uid}, packet)
        return (
            self.ruled([matched], matched[1]["services"], packet) if matched else ReferenceOutcome("denied_by_default")
        )

    # Decisions

    def first(
        self, segment: str, starts: set[str], ends: set[str], packet: ReferencePacket
    ) -> tuple[str, dict[str, Any]] | None:
        """Return (id, body) of the first matching rule that is enforced; one that passes leaves it to the next tier."""
        for tier in ("mandatory", "standard", "baseline"):
            rules = [
                (policy, rule)
                for policy in self.policies(segment)
                if policy["tier"] == tier and starts.intersection(policy["from"]) and ends.intersection(policy["to"])
                for rule in policy["rules"]
            ]
            matching = [pair for pair in rules if pair[1]["mode"] == "enforce" and self.rows.matches(pair[1], packet)]
            if matching and matching[0][1]["action"] != "pass":
                policy, rule = matching[0]
                return f"{policy['key']}/{slug(rule['name'])}", rule
        return None

    def policies(self, segment: str) -> list[dict[str, Any]]:
        if segment not in self._policies:
            policies = [
                {**row.body, "key": row.key} for row in self.rows.of("policies") if segment in row.body["segments"]
            ]
            policies = [policy for policy in policies if policy["enabled"]]
            self._policies[segment] = sorted(policies, key=lambda policy: policy["position"])
        return self._policies[segment]

    def ruled(
        self,
        matched: list[tuple[str, dict[str, Any]]],
        chain: list[str],
        packet: ReferencePacket,
        otherwise: str | None = None,
    ) -> ReferenceOutcome:
        for rule_name, rule in matched:
            if rule["action"] == "deny":
                return ReferenceOutcome("denied_by_rule", rule_name)
        name = matched[0][0] if matched else otherwise
        passed = []
        for uid in chain:
            service = self.rows.body(uid)
            placed = any(
                placement["min_instances"] and placement["exchange"] in self.rows for placement in service["placements"]
            )
            if placed:
                settings = service["settings"]
                inner = next((rule for rule in settings["rules"] if self.rows.matches(rule, packet)), None)
                if (inner["action"] if inner else settings["default"]) == "deny":
                    return ReferenceOutcome("denied_by_service", name)
                passed.append(uid)
            elif service["on_failure"] == "closed":
                return ReferenceOutcome("service_unavailable", name)
        return ReferenceOutcome("delivered_inspected" if passed else "delivered", name, tuple(passed))

    # Route filters

    def closed(self, segment: str, start: ReferenceEdge, end: ReferenceEdge, packet: ReferencePacket) -> bool:
        """Return whether a route is missing in this segment in either direction, or no NAT rule accepts the flow.

        Replies go to the owner of the source, which may differ from the sender.
        """
        routed = self.routed(segment, packet.source)
        for edge in (start, routed[1]) if routed else (start,):
            if edge.segment == segment and self.filtered_routes(segment, edge, packet.destination):
                return True
        if segment != end.segment:
            return False
        return self.filtered_routes(segment, end, packet.source) or not end.takes_in(packet, self.rows)

    def filtered_routes(self, segment: str, target: ReferenceEdge, address: int) -> bool:
        """Return whether route policies withhold the routes to an address from a connector of this segment."""
        routed = self.routed(segment, address)
        if routed is None or routed[1].connector == target.connector:
            return False
        other = routed[1]
        routes = [route for route in other.routes if address in route]
        return any(
            not accepts(self.rows, target.out_policies, route, other, set(other.communities[route])) for route in routes
        )

    # Edges

    def translated(self, segment: str, connector: str, packet: ReferencePacket) -> ReferencePacket:
        """Return the packet after the connector's outbound NAT."""
        for body in self.rows.nat(segment, connector, "outbound"):
            if self.rows.matches(body["match"], packet):
                source, destination, port = packet.source, packet.destination, packet.port
                if body["source"]["type"] == "pool":
                    source = prefix_span(body["source"]["prefixes"][0]).low
                elif body["source"]["type"] == "static":
                    source = self.rows.mapped(source, body["match"]["source"], body["source"]["prefixes"])
                if body["destination"]["type"] == "static":
                    inner = body["destination"]
                    destination = self.rows.mapped(destination, body["match"]["destination"], inner["prefixes"])
                    port = inner["port"] or port
                return replace(packet, source=source, destination=destination, port=port)
        return packet

    # The internet

    def home(self, app: dict[str, Any]) -> str | None:
        """Return the first segment that exit and target are both attached to and where the target owns the address."""
        ends = [self.rows.get(uid) for uid in (app["connector"], app["target"]["connector"])]
        if not all(end and end.body["enabled"] for end in ends):
            return None
        segments = [{attachment["segment"] for attachment in end.body["attachments"]} for end in ends if end]
        for segment in self.rows.of("segments"):
            if segment.uid in segments[0] & segments[1]:
                edge = self.owner(segment.uid, parse_address(app["target"]["addresses"][0]))
                if edge is not None and edge.connector == app["target"]["connector"]:
                    return segment.uid
        return None

    def own_addresses(self) -> set[int]:
        """Return the public addresses of all nodes and applications."""
        locations = [self.catalog.locations[row.body["location"]] for row in self.rows.of("exchanges")]
        nodes = {parse_address(node.public_ip) for location in locations for node in location.nodes}
        return nodes | {self.public(app.body) for app in self.rows.of("internet-apps") if self.home(app.body)}

    def public(self, app: dict[str, Any]) -> int:
        if app["public_ip"]:
            return parse_address(app["public_ip"])
        way_in = self.rows.body(app["connector"])
        node = next(circuit["node"] for circuit in way_in["circuits"] if circuit["role"] == "active")
        location = self.catalog.locations[self.rows.body(way_in["exchange"])["location"]]
        return parse_address(next(candidate.public_ip for candidate in location.nodes if candidate.index == node))


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
