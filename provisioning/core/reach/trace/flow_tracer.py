"""One packet followed hop by hop, to its destination and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisioning.core.intent import Connector, IntentObject, Policy, Segment, capitalise
from provisioning.core.reach.trace.blockers import (
    Blocker,
    application_blockers,
    inter_segment_blockers,
    intra_segment_blockers,
    object_path,
    rejected_route_blockers,
)
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
    decide_inter_segment,
    decide_intra_segment,
    decide_to_application,
)
from provisioning.core.reach.trace.endpoints import TraceEndpoint
from provisioning.core.reach.trace.hops import Hop, PathBuilder
from provisioning.core.reach.trace.reasons import explain_exit, explain_rule, explain_share, explain_unrouted
from provisioning.core.reach.trace.senders import Published
from provisioning.core.reach.trace.waypoints import PassedWaypoint
from provisioning.core.resolve.nat import Packet, translate_outbound
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import (
    EXAMPLE_INTERNET_ADDRESS,
    EXAMPLE_INTERNET_V6_ADDRESS,
    V6_OFFSET,
    address_text,
    contains,
)
from provisioning.core.values.headers import Headers, PacketHeaders, header_fields
from provisioning.core.values.l4 import begins_flow, icmp_type, is_in_family


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """The path of the replies; they pass the same anchor and the same service instances, in reverse."""

    disposition: str
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """``rule``: id of the rule that decided, None where none did. ``return_``: None when nothing is delivered.

    chain: uids of the services passed. segment, to_segment: names of those the two ends are in; empty where unknown.
    blockers: all that stops it, in the order it is met; empty where it arrives.
    via, avoid: whether the path passes what it was asked about.
    """

    packet: PacketHeaders
    disposition: str
    hops: tuple[Hop, ...]
    rule: str | None
    return_: ReturnPath | None
    chain: tuple[str, ...] = ()
    segment: str = ""
    to_segment: str = ""
    blockers: tuple[Blocker, ...] = ()
    via: tuple[PassedWaypoint, ...] = ()
    avoid: tuple[PassedWaypoint, ...] = ()


class FlowTracer:
    """One packet, hop by hop."""

    def __init__(self, network: Network, start: TraceEndpoint, end: TraceEndpoint, headers: Headers) -> None:
        self.network, self.start, self.end, self.headers = network, start, end, headers
        self.path = PathBuilder(network)
        self.segments = ("", "")
        self.blockers: list[Blocker] = []

    # From a member

    def follow(self, resolved: ResolvedSegment, towards: Segment) -> Trace:
        self.segments = (resolved.segment.name, towards.name)
        destination_segment = self.network.resolved(towards.uid)
        # icmpv6 means the ends' IPv6 addresses.
        family = next((like for like in (0, V6_OFFSET) if not is_in_family(self.headers.l4, like < V6_OFFSET)), None)
        family = self.start.address if family is None else family
        if self.end.internet:
            target = self._internet_target(resolved, family)
        else:
            target = self._target(destination_segment, family)
        inner_address = self.start.inner_address(resolved, family if target is None else target)
        if inner_address is None:
            self.path.add_hop("connector", self.start.name)
            return self._stop_without_address(self.start, resolved.segment)
        owner = resolved.owner(inner_address) if self.start.connector is None else None
        connector = self.start.connector or (owner.connector if owner else None)
        assert connector is not None, "a bare address that nobody owns is the internet's"
        if target is None:
            self.path.add_hop("connector", connector.name, address_text(inner_address))
            return self._stop_without_address(self.end, towards)
        packet = began = Packet(inner_address, target, *self.headers)
        rules = resolved.routing_table.nat.get(connector.uid, ())
        translated = translate_outbound(rules, resolved.prefixes, packet) if rules else None
        packet = translated.packet if translated else packet
        start = resolved.source(connector, packet.source)
        if start is None:
            self.path.add_hop("connector", connector.name, address_text(inner_address))
            reason = f"{address_text(packet.source)} is not behind this connector in segment “{resolved.segment.name}”"
            self._add_blockers_behind_spoofing(resolved, connector, packet)
            remedy = "Attach a prefix that holds this address, or send from one of its own."
            rejecting = rejected_route_blockers(resolved, packet.source, connector)
            return self._stop("denied_spoofed", f"{reason}; dropped.", "spoofed_source", connector, remedy, rejecting)
        self.path.add_source(start, began, translated)
        return self._route(resolved, destination_segment, start, packet)

    def _target(self, resolved: ResolvedSegment, family: int | None) -> int | None:
        """Return the address that the packet is sent to; None where the end has none."""
        if self.end.app is None:
            return self.end.presented_address(resolved, family)
        return next((app.public for app in resolved.apps if app.app.uid == self.end.app.uid), None)

    def _internet_target(self, resolved: ResolvedSegment, family: int | None) -> int | None:
        """Return an address on the internet as the source's segment sees it, in a family that the source has."""
        source = self.start.inner_address(resolved, family or 0)
        is_v6 = (family or 0 if source is None else source) >= V6_OFFSET
        return resolved.internet_address(EXAMPLE_INTERNET_V6_ADDRESS if is_v6 else EXAMPLE_INTERNET_ADDRESS)

    def _route(self, resolved: ResolvedSegment, towards: ResolvedSegment, start: Member, packet: Packet) -> Trace:
        """Follow a packet that is in the segment, and meant for one, to where it is routed."""
        if (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
            family = "IPv6" if packet.destination >= V6_OFFSET else "IPv4"
            reason = f"{self.start.label} has no {family} address here to send from."
            remedy = f"Attach an {family} prefix to it in segment “{resolved.segment.name}”."
            return self._stop("no_route", reason, "address_family", start.connector, remedy)
        if not is_in_family(packet.l4, packet.source >= V6_OFFSET):
            reason = "ICMP is IPv4's and ICMPv6 is IPv6's; neither is carried by the other."
            return self._stop("no_route", reason, "address_family", None, "Ask with the protocol of the addresses.")
        if not begins_flow(packet.l4):
            reason = (
                f"An ICMP message of type {icmp_type(packet.l4)} begins no flow; it passes with the one it is about."
            )
            remedy = "Ask for the flow that it answers, or for a type that asks, such as echo-request."
            return self._stop("no_route", reason, "icmp_type", None, remedy)
        where = resolved.owner(packet.destination)
        apart = self._end_elsewhere(resolved, towards, packet.destination)
        if apart and (where is None or where.segment.name != self.segments[1]):
            reason = f"No share shows {self.end.label} to segment “{resolved.segment.name}”."
            return self._stop("isolated", reason, "isolated", apart, "Let a side of a share hold it.")
        if where is None:
            if self.end.connector:
                reason = f"{self.end.label} has no such address in “{self.segments[1]}”."
                remedy = "Attach a prefix that holds this address, or ask for one of its own."
                rejecting = rejected_route_blockers(resolved, packet.destination, self.end.connector)
                return self._stop("no_route", reason, "no_route", self.end.connector, remedy, rejecting)
            if app := resolved.find_app(packet.destination, packet.l4):
                return self._to_application(resolved, start, app, packet)
            way = resolved.way_out(start)
            if way.policy and way.exit is None and resolved.is_on_internet(packet.destination):
                return self._stop_without_exit(resolved, way.policy)
            if way.segment is None or not contains(resolved.exit_ranges_of(way.segment), packet.destination):
                reason = explain_unrouted(self.network, resolved, packet.destination)
                remedy = "Attach a prefix that holds it to a connector of the segment, or add an internet exit."
                rejecting = rejected_route_blockers(resolved, packet.destination)
                return self._stop("no_route", reason, "no_route", resolved.segment, remedy, rejecting)
            if way.segment != resolved.segment.uid:
                return self._inter_segment(resolved, start, self.network.resolved(way.segment), packet)
            return self._intra_segment(resolved, start, None, packet)
        if where.connector.uid == start.connector.uid and not where.connector.has_clients:
            del self.path.hops[1:]
            self.path.explain_last_hop(f"Both ends are behind “{where.connector.name}”; the packet never leaves it.")
            return self._trace("local")
        if self.end.connector and where.connector.uid != self.end.connector.uid:
            reason = f"This address belongs to “{where.connector.name}”, not to {self.end.label}."
            remedy = f"Ask for “{where.connector.name}”, or for an address of {self.end.label}."
            rejecting = rejected_route_blockers(resolved, packet.destination, self.end.connector)
            return self._stop("no_route", reason, "no_route", self.end.connector, remedy, rejecting)
        if where.segment.uid == resolved.segment.uid:
            return self._intra_segment(resolved, start, where, packet)
        return self._inter_segment(resolved, start, self.network.resolved(where.segment.uid), packet)

    def _end_elsewhere(self, resolved: ResolvedSegment, towards: ResolvedSegment, address: int) -> Connector | None:
        """Return the connector in another segment that a packet is meant for; None within one segment."""
        if towards.segment.uid == resolved.segment.uid:
            return None
        owner = towards.owner(address)
        return self.end.connector or (owner.connector if owner else None)

    def _intra_segment(self, resolved: ResolvedSegment, start: Member, end: Member | None, packet: Packet) -> Trace:
        self.segments = (resolved.segment.name, resolved.segment.name)
        outcome = decide_intra_segment(resolved, start, end, packet)
        if not outcome.delivered:
            self.blockers += intra_segment_blockers(resolved, start, end, packet)
        if outcome.disposition == "no_route":
            return self._stop_without_route()
        way = None if end else resolved.way_out(start)
        leaving = end or (way.exit if way else None)
        assert leaving is not None, "a flow without a way out has no route"
        origin = resolved.owner(packet.source) or start
        anchor = resolved.anchor(origin, leaving)
        return self._decided(
            anchor,
            outcome,
            explain_rule(resolved, outcome, "" if end else "the internet") + explain_exit(way),
            resolved,
            start,
            leaving,
            packet,
        )

    def _to_application(self, resolved: ResolvedSegment, start: Member, app: PublishedApp, packet: Packet) -> Trace:
        """Follow a packet from a member to an application's public address: it goes to the exit's home node, and back
        inside from there."""
        self.segments = (resolved.segment.name, resolved.segment.name)
        outcome = decide_to_application(resolved, start, app, packet)
        if not outcome.delivered:
            self.blockers += application_blockers(resolved, start, app, packet)
        reason = explain_rule(resolved, outcome, "an internet application")
        return self._decided(app.exit.home, outcome, reason, resolved, start, app.target, packet, app)

    def _inter_segment(self, resolved: ResolvedSegment, start: Member, other: ResolvedSegment, packet: Packet) -> Trace:
        """Follow a packet through a share: to a member of another segment, or out by its exits."""
        self.segments = (resolved.segment.name, other.segment.name)
        directed_share = resolved.directed_share(other.segment.uid, packet.source, packet.destination)
        if directed_share is None:
            self.blockers += inter_segment_blockers(resolved, other, None, start, packet)
            return self._stop_isolated(resolved, other.segment, packet)
        outcome = decide_inter_segment(resolved, other, directed_share, start, packet)
        if not outcome.delivered:
            self.blockers += inter_segment_blockers(resolved, other, directed_share, start, packet)
        if outcome.disposition == "no_route":
            return self._stop_without_route()
        host = resolved if resolved.is_decider(other.segment.uid) else other
        owner = resolved.owner(packet.destination)
        way = None if owner else resolved.way_out(start)
        leaving = owner or (way.exit if way else None)
        assert leaving is not None, "a flow without a way out has no route"
        ends = [host.owner(packet.source), leaving if leaving.is_exit else host.owner(packet.destination)]
        assert ends[0] is not None and ends[1] is not None, "both ends of a shared flow are seen in the host"
        anchor = host.anchor(ends[0], ends[1])
        reason = explain_share(outcome, directed_share, other) + explain_exit(way)
        return self._decided(anchor, outcome, reason, resolved, start, leaving, packet)

    def _stop_isolated(self, resolved: ResolvedSegment, other: Segment, packet: Packet) -> Trace:
        """Stop a flow between two segments that shares join, and none carries it."""
        for directed_share in resolved.directed_shares:
            covers = contains(directed_share.near, packet.source) and contains(directed_share.far, packet.destination)
            if directed_share.other == other.uid and covers:
                share = directed_share.share
                reason = f"Share “{share.name}” joins the two, but only the other side may begin."
                remedy = f"Let flows begin on both sides of share “{share.name}”."
                return self._stop("isolated", reason, "share_direction", share, remedy)
        names = f"segment “{resolved.segment.name}” and segment “{other.name}”"
        reason = f"No share between {names} covers this pair of addresses."
        remedy = "Widen the sides of a share between the two, or add one."
        return self._stop("isolated", reason, "isolated", other, remedy)

    def _stop_without_exit(self, resolved: ResolvedSegment, policy: Policy) -> Trace:
        """Stop a flow whose policy chooses an exit that is not there; it never takes another one instead."""
        chosen = self.network.intent.connectors.get(policy.via or "")
        if chosen and not chosen.enabled:
            reason = f"Policy “{policy.name}” sends it through internet exit “{chosen.name}”, which is disabled."
            remedy = "Enable it, or let the policy choose another one."
            return self._stop("no_route", reason, "exit_disabled", chosen, remedy)
        reason = (
            f"Policy “{policy.name}” sends it through an exit that segment “{resolved.segment.name}” does not have."
        )
        remedy = "Attach the exit to the segment, or share its segment's way to the internet with it."
        return self._stop("no_route", reason, "exit_not_reachable", policy, remedy)

    def _stop_without_route(self) -> Trace:
        """Stop a flow that a filter leaves without a route: the first of the blockers."""
        self.path.explain_last_hop(self.blockers[0].message if self.blockers else "There is no route.")
        return self._trace("no_route")

    def _stop_without_address(self, end: TraceEndpoint, segment: Segment) -> Trace:
        if end.internet:
            reason = f"In segment “{segment.name}” no exit and no default route leads to the internet."
            remedy = "Attach an internet exit to the segment, or a member that has a default route."
            return self._stop("no_route", reason, "no_route", segment, remedy)
        reason = f"{end.label} has no address in segment “{segment.name}”."
        disabled = end.connector is not None and not end.connector.enabled
        remedy = "Enable it." if disabled else f"Attach it to segment “{segment.name}” with a prefix."
        resolved = self.network.resolved(segment.uid)
        address = end.inner_address(resolved)
        rejecting = () if address is None else rejected_route_blockers(resolved, address, end.connector)
        return self._stop("no_route", reason, "no_address", end.connector or end.app, remedy, rejecting)

    def _add_blockers_behind_spoofing(self, resolved: ResolvedSegment, connector: Connector, packet: Packet) -> None:
        """Add what would stop a spoofed packet to a member of the segment, where it is certain which group sends it."""
        members, end = resolved.members_of(connector), resolved.owner(packet.destination)
        if len(members) != 1 or end is None or end.segment is not resolved.segment:
            return
        if end.connector.uid != connector.uid or connector.has_clients:
            self.blockers += intra_segment_blockers(resolved, members[0], end, packet)

    # From the internet

    def from_nobody(self, reason: str) -> Trace:
        """Stop a packet whose source address no member has, and the internet neither."""
        self.path.add_hop("address", self.start.name)
        remedy = "Attach a prefix that holds it to a connector, or ask from an address that one has."
        return self._stop("no_route", reason, "unknown_address", None, remedy)

    def from_internet(self, published: Published | None) -> Trace:
        source = self.start.address if self.start.address is not None else EXAMPLE_INTERNET_ADDRESS
        self.path.add_hop("internet", self.start.name)
        if published is None:
            reason = "From the internet only internet applications can be reached; this is none."
            remedy = "Publish what is to be reached as an internet application, on this protocol and port."
            return self._stop("no_route", reason, "not_published", self.end.app or self.end.connector, remedy)
        resolved, app = published
        self.segments = ("", resolved.segment.name)
        packet = Packet(source, app.public, *self.headers)
        outcome = decide_to_application(resolved, None, app, packet)
        if not outcome.delivered:
            self.blockers += application_blockers(resolved, None, app, packet)
        self.path.add_home_node(app.exit)
        why = (
            capitalise(outcome.decided_by)
            if outcome.rule
            else "No policy allows it; the default action is not for the internet."
        )
        verb = {"denied_by_rule": " denies it.", "delivered": " allows it."}.get(outcome.disposition, " inspects it.")
        return self._decided(
            app.exit.home, outcome, why + (verb if outcome.rule else ""), resolved, app.exit, app.target, packet, app
        )

    # Hops

    def _stop(
        self,
        disposition: str,
        reason: str,
        code: str,
        item: IntentObject | None,
        remedy: str,
        rejecting: Iterable[Blocker] = (),
    ) -> Trace:
        """Stop at the last hop. item: the object to change, if there is one. rejecting: route policies that are the
        reason, if any are."""
        blockers = (*rejecting,) or (Blocker(code, object_path(item), None, reason, remedy),)
        self.path.explain_last_hop(blockers[0].message)
        self.blockers[:0] = blockers
        return self._trace(disposition)

    def _trace(self, disposition: str, outcome: FlowOutcome | None = None, reply: ReturnPath | None = None) -> Trace:
        rule, chain = (outcome.rule, outcome.chain) if outcome else (None, ())
        packet = PacketHeaders(**header_fields(self.headers))
        return Trace(
            packet, disposition, tuple(self.path.hops), rule, reply, chain, *self.segments, tuple(self.blockers)
        )

    def _decided(
        self,
        anchor: str,
        outcome: FlowOutcome,
        reason: str,
        resolved: ResolvedSegment,
        start: Member,
        leaving: Member,
        packet: Packet,
        app: PublishedApp | None = None,
    ) -> Trace:
        """At the anchor: through the chain, out at the other end, and the way back."""
        self.path.add_node(anchor, "owner node, keeps the flow's state", reason)
        exchange = next(
            exchange for exchange in resolved.exchanges.values() if exchange.key == anchor.rpartition("/")[0]
        )
        for uid in outcome.chain:
            if uid != outcome.stopped_by:
                self.path.add_service(resolved, uid, exchange, "lets it through")
        if outcome.stopped_by:
            stopped = "drops it" if outcome.disposition == "denied_by_service" else "has no instance, so it is dropped"
            self.path.add_service(resolved, outcome.stopped_by, exchange, stopped)
        if not outcome.delivered:
            return self._trace(outcome.disposition, outcome)
        if outcome.chain:
            self.path.add_hop("node", anchor, "owner node, keeps the flow's state", "Back from inspection.")
        if app:
            self.path.add_application(app, app.source_nat if start.is_exit else app.hairpin_source)
        self.path.add_egress(leaving, packet, app, "" if self.end.address is None else self.end.name)
        owner = None if start.is_exit else resolved.owner(packet.source)
        other = owner if owner is not None and owner.connector.uid != start.connector.uid else None
        reply_hops = ReturnPath(outcome.disposition, self.path.reply_hops(packet.source, other))
        return self._trace(outcome.disposition, outcome, reply_hops)
