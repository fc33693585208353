"""The reference evaluator: docs/semantics.md implemented a second time, slowly and literally.

It reads only the bodies of an IntentBuilder and nothing from the core, so that tests can compare the core with it. It
decides one packet at a time: the edge that accepts it, the owner of its destination, then the route filter, rule,
share or default action that applies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from tests.core.flow_headers import FlowHeaders
from tests.core.reference_edges import ReferenceEdge, accepts, is_within
from tests.core.reference_objects import ObjectRow, parse_address, prefix_span
from tests.core.reference_routes import PRIVATE, V6, ReferenceRoutes
from tests.core.sample_networks import CATALOG, IntentBuilder

TIERS = ("mandatory", "standard", "baseline")


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


class ReferenceEvaluator(ReferenceRoutes):
    """Evaluates one IntentBuilder, whose bodies must not change meanwhile."""

    def __init__(self, draw: IntentBuilder, catalog: Any = CATALOG) -> None:
        super().__init__(draw)
        self.catalog = catalog
        self._policies: dict[str, list[dict[str, Any]]] = {}

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
        share = self.carrying(segment, other, packet.source, packet.destination)
        if share is None:
            return ReferenceOutcome("isolated")
        if self.closed(segment, start, end, packet) or self.closed(other, start, end, packet):
            return ReferenceOutcome("no_route")
        return self.through(share, segment, other, start.names, end.names, packet)

    def through(
        self, share: ObjectRow, segment: str, other: str, starts: set[str], ends: set[str], packet: ReferencePacket
    ) -> ReferenceOutcome:
        """Return the outcome of a flow that a share carries, by the rules of both segments."""
        matched = [self.first(uid, starts, ends, packet) for uid in (segment, other)]
        if ends == {"internet"} and not any(matched):
            return ReferenceOutcome("denied_by_default")
        chain = [*share.body["services"]]
        if matched[0]:
            chain = [*matched[0][1]["services"], *chain]
        if matched[1]:
            chain = [*chain, *matched[1][1]["services"]]
        return self.ruled([match for match in matched if match], [*dict.fromkeys(chain)], packet, f"share/{share.key}")

    def outwards(self, segment: str, start: ReferenceEdge, packet: ReferencePacket) -> ReferenceOutcome:
        """Return the outcome of a flow to an address that no member has: an application's, or one on the internet: IPv4
        and public addresses only, and none of our own; no default action applies."""
        if packet.source < V6 and (app := self.application(packet, segment)) is not None:
            return self.to_application(segment, start.names, app, packet)
        if packet.destination >= V6 or packet.source >= V6 or is_within(PRIVATE, packet.destination):
            return ReferenceOutcome("no_route")
        if packet.destination in self.own_addresses():
            return ReferenceOutcome("no_route")
        other = self.way_out(segment, start)
        if other is None:
            return ReferenceOutcome("no_route")
        if other != segment:
            if not all(self.is_unknown(uid, packet.destination) for uid in (segment, other)):
                return ReferenceOutcome("no_route")
            share = self.carrying(segment, other, packet.source, packet.destination)
            if share is None:
                return ReferenceOutcome("isolated")
            return self.through(share, segment, other, start.names, {"internet"}, packet)
        matched = self.first(segment, start.names, {"internet"}, packet)
        return (
            self.ruled([matched], matched[1]["services"], packet) if matched else ReferenceOutcome("denied_by_default")
        )

    def way_out(self, segment: str, start: ReferenceEdge) -> str | None:
        """Return the segment by whose exits an edge leaves: as the first policy about it that chooses says, else the
        first that has some; None where the exit is not there."""
        ways = self.ways_out(segment)
        for policy in sorted(self.policies(segment), key=lambda policy: TIERS.index(policy["tier"])):
            via = policy["via"]
            if via and start.names.intersection(policy["from"]):
                return next((way for way in ways if via == way or via in self.exits(way)), None)
        return ways[0] if ways else None

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
        public = self.is_public(address)
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
        for tier in TIERS:
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
                routed = self.routed(segment.uid, parse_address(app["target"]["addresses"][0]))
                if routed and routed[0] == segment.uid and routed[1].connector == app["target"]["connector"]:
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
