"""One packet followed hop by hop, to its destination and back."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.core.intent import Segment
from provisioning.core.reach.trace.decision import (
    FlowOutcome,
    decide_inter_segment,
    decide_intra_segment,
    decide_to_application,
    find_filtering_rule,
)
from provisioning.core.reach.trace.endpoints import TraceEndpoint
from provisioning.core.reach.trace.hops import Hop, PathBuilder
from provisioning.core.resolve.nat import Packet, translate_outbound
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare
from provisioning.core.values.addresses import EXAMPLE_INTERNET_ADDRESS, V6_OFFSET, address_text, contains, is_public
from provisioning.core.values.l4 import is_in_family


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """The path of the replies; they pass the same anchor and the same service instances, in reverse."""

    disposition: str
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """``rule``: id of the rule that decided, None where none did. ``return_``: None when nothing is delivered.

    chain: uids of the services passed. segment, to_segment: names of those the two ends are in; empty where unknown.
    """

    disposition: str
    hops: tuple[Hop, ...]
    rule: str | None
    return_: ReturnPath | None
    chain: tuple[str, ...] = ()
    segment: str = ""
    to_segment: str = ""


class FlowTracer:
    """One packet, hop by hop."""

    def __init__(self, network: Network, start: TraceEndpoint, end: TraceEndpoint, l4: int) -> None:
        self.network, self.start, self.end, self.l4 = network, start, end, l4
        self.path = PathBuilder(network)
        self.segments = ("", "")

    # From a member

    def follow(self, resolved: ResolvedSegment, towards: Segment) -> Trace:
        self.segments = (resolved.segment.name, towards.name)
        destination_segment = self.network.resolved(towards.uid)
        # icmpv6 means the ends' IPv6 addresses.
        family = next((like for like in (0, V6_OFFSET) if not is_in_family(self.l4, like < V6_OFFSET)), None)
        target = self._target(destination_segment, family)
        inner_address = self.start.inner_address(resolved, family if target is None else target)
        if inner_address is None:
            self.path.add_hop("connector", self.start.name)
            return self._stop("no_route", f"{self.start.label} has no address in segment “{resolved.segment.name}”.")
        owner = resolved.owner(inner_address) if self.start.connector is None else None
        connector = self.start.connector or (owner.connector if owner else None)
        assert connector is not None, "a bare address that nobody owns is the internet's"
        if target is None and (self.end.connector or self.end.app):
            self.path.add_hop("connector", connector.name, address_text(inner_address))
            return self._stop("no_route", f"{self.end.label} has no address in segment “{towards.name}”.")
        packet = began = Packet(inner_address, EXAMPLE_INTERNET_ADDRESS if target is None else target, self.l4)
        rules = resolved.routing_table.nat.get(connector.uid, ())
        translated = translate_outbound(rules, resolved.prefixes, packet) if rules else None
        packet = translated.packet if translated else packet
        start = resolved.source(connector, packet.source)
        if start is None:
            self.path.add_hop("connector", connector.name, address_text(inner_address))
            reason = f"{address_text(packet.source)} is not behind this connector in segment “{resolved.segment.name}”"
            return self._stop("denied_spoofed", f"{reason}; dropped.")
        self.path.add_source(start, began, translated)
        return self._route(resolved, start, packet, target is None)

    def _target(self, resolved: ResolvedSegment, family: int | None) -> int | None:
        """Return the address that the packet is sent to; None stands for the internet in general."""
        if self.end.app is None:
            return self.end.presented_address(resolved, family)
        return next((app.public for app in resolved.apps if app.app.uid == self.end.app.uid), None)

    def _route(self, resolved: ResolvedSegment, start: Member, packet: Packet, general: bool) -> Trace:
        """Follow a packet that is in the segment to where it is routed. general: to the internet in general."""
        if not general and (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
            family = "IPv6" if packet.destination >= V6_OFFSET else "IPv4"
            return self._stop("no_route", f"{self.start.label} has no {family} address here to send from.")
        if not is_in_family(packet.l4, packet.source >= V6_OFFSET):
            return self._stop("no_route", "ICMP is IPv4's and ICMPv6 is IPv6's; neither is carried by the other.")
        where = None if general else resolved.owner(packet.destination)
        apart = self.end.connector is not None and self.segments[0] != self.segments[1]
        if apart and (where is None or where.segment.name != self.segments[1]):
            return self._stop("isolated", f"No share shows {self.end.label} to segment “{resolved.segment.name}”.")
        if where is None:
            if self.end.connector:
                return self._stop("no_route", f"{self.end.label} has no such address in “{self.segments[1]}”.")
            if app := resolved.find_app(packet.destination, packet.l4):
                return self._to_application(resolved, start, app, packet)
            if not resolved.exits or packet.source >= V6_OFFSET or not resolved.is_on_internet(packet.destination):
                return self._stop("no_route", self._explain_unrouted(resolved, packet.destination))
            return self._intra_segment(resolved, start, None, packet)
        if where.connector.uid == start.connector.uid:
            del self.path.hops[1:]
            return self._stop("local", f"Both ends are behind “{where.connector.name}”; the packet never leaves it.")
        if self.end.connector and where.connector.uid != self.end.connector.uid:
            reason = f"This address belongs to “{where.connector.name}”, not to {self.end.label}."
            return self._stop("no_route", reason)
        if where.segment.uid == resolved.segment.uid:
            return self._intra_segment(resolved, start, where, packet)
        return self._inter_segment(resolved, start, where, packet)

    def _intra_segment(self, resolved: ResolvedSegment, start: Member, end: Member | None, packet: Packet) -> Trace:
        self.segments = (resolved.segment.name, resolved.segment.name)
        outcome = decide_intra_segment(resolved, start, end, packet)
        if outcome.disposition == "no_route":
            return self._stop_at_filter((resolved, start.connector.uid), packet=packet)
        leaving = end or resolved.exits[start.exchange.uid]
        origin = resolved.owner(packet.source) or start
        anchor = resolved.anchor(origin, leaving)
        return self._decided(
            anchor,
            outcome,
            self._explain_rule(resolved, outcome, "" if end else "the internet"),
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
        reason = self._explain_rule(resolved, outcome, "an internet application")
        return self._decided(app.exit.home, outcome, reason, resolved, start, app.target, packet, app)

    def _inter_segment(
        self, resolved: ResolvedSegment, start: Member, imported_member: Member, packet: Packet
    ) -> Trace:
        other = self.network.resolved(imported_member.segment.uid)
        self.segments = (resolved.segment.name, other.segment.name)
        directed_share = resolved.directed_share(imported_member.segment.uid, packet.source, packet.destination)
        if directed_share is None:
            return self._stop("isolated", self._explain_isolation(resolved, imported_member, packet))
        outcome = decide_inter_segment(resolved, other, directed_share, start, packet)
        if outcome.disposition == "no_route":
            return self._stop_at_filter((resolved, start.connector.uid), (other, ""), packet=packet)
        host = resolved if resolved.is_decider(imported_member.segment.uid) else other
        ends = [host.owner(packet.source), host.owner(packet.destination)]
        assert ends[0] is not None and ends[1] is not None, "both ends of a shared flow are seen in the host"
        anchor = host.anchor(ends[0], ends[1])
        reason = self._explain_share(outcome, directed_share, other)
        return self._decided(anchor, outcome, reason, resolved, start, imported_member, packet)

    def _explain_unrouted(self, resolved: ResolvedSegment, address: int) -> str:
        """Return why no exit carries packets to an address that no member has."""
        apps = [app.app for app in resolved.apps if app.public == address]
        if apps:
            published = ", ".join(f"“{app.name}” ({app.protocol}/{app.port})" for app in apps)
            return f"At this public address of ours there is {published} and nothing else."
        if is_public(address) and resolved.exits and not resolved.is_on_internet(address):
            return f"This public address is ours; no application of segment “{resolved.segment.name}” is there."
        return f"No member of segment “{resolved.segment.name}” has this address, and no exit carries it."

    def _explain_isolation(self, resolved: ResolvedSegment, imported_member: Member, packet: Packet) -> str:
        """Why no share carries a flow between two segments that shares join."""
        names = f"segment “{resolved.segment.name}” and segment “{imported_member.segment.name}”"
        for directed_share in resolved.directed_shares:
            covers = contains(directed_share.near, packet.source) and contains(directed_share.far, packet.destination)
            if directed_share.other == imported_member.segment.uid and covers:
                return f"Share “{directed_share.share.name}” joins the two, but only the other side may begin."
        return f"No share between {names} covers this pair of addresses."

    def _stop_at_filter(self, *segments: tuple[ResolvedSegment, str], packet: Packet) -> Trace:
        """segments: each with the uid of its connector where the flow begins, or an empty text."""
        rules = (find_filtering_rule(resolved, packet, connector) for resolved, connector in segments)
        first = next(filter(None, rules), None)
        return self._stop("no_route", first.reason if first else "There is no route.")

    # From the internet

    def from_internet(self, ends: list[Segment]) -> Trace:
        source = self.start.address if self.start.address is not None else EXAMPLE_INTERNET_ADDRESS
        self.path.add_hop("internet", self.start.name)
        wanted = self.end.app.uid if self.end.app else None
        published = next(
            (
                (self.network.resolved(segment.uid), app)
                for segment in ends
                for app in self.network.resolved(segment.uid).apps
                if app.l4 == self.l4 and (app.app.uid == wanted or app.public == self.end.address)
            ),
            None,
        )
        if published is None:
            return self._stop("no_route", "From the internet only internet applications can be reached; this is none.")
        resolved, app = published
        self.segments = ("", resolved.segment.name)
        packet = Packet(source, app.public, self.l4)
        outcome = decide_to_application(resolved, None, app, packet)
        self.path.add_home_node(app.exit)
        why = (
            f"Rule {outcome.rule}"
            if outcome.rule
            else "No policy allows it; the default action is not for the internet."
        )
        verb = {"denied_by_rule": " denies it.", "delivered": " allows it."}.get(outcome.disposition, " inspects it.")
        return self._decided(
            app.exit.home, outcome, why + (verb if outcome.rule else ""), resolved, app.exit, app.target, packet, app
        )

    # Hops

    def _stop(self, disposition: str, reason: str) -> Trace:
        self.path.explain_last_hop(reason)
        return Trace(disposition, tuple(self.path.hops), None, None, (), *self.segments)

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
            return Trace(outcome.disposition, tuple(self.path.hops), outcome.rule, None, outcome.chain, *self.segments)
        if outcome.chain:
            self.path.add_hop("node", anchor, "owner node, keeps the flow's state", "Back from inspection.")
        if app:
            self.path.add_application(app, app.source_nat if start.is_exit else app.hairpin_source)
        self.path.add_egress(leaving, packet, app, "" if self.end.address is None else self.end.name)
        owner = None if start.is_exit else resolved.owner(packet.source)
        other = owner if owner is not None and owner.connector.uid != start.connector.uid else None
        reply_hops = ReturnPath(outcome.disposition, self.path.reply_hops(packet.source, other))
        return Trace(
            outcome.disposition, tuple(self.path.hops), outcome.rule, reply_hops, outcome.chain, *self.segments
        )

    # Reasons

    def _explain_rule(self, resolved: ResolvedSegment, outcome: FlowOutcome, uncovered: str) -> str:
        """uncovered: what the flow goes to, where the default action does not cover that."""
        if outcome.rule is None:
            if uncovered:
                return f"The default action never covers {uncovered}; a policy has to name it."
            segment = resolved.segment
            return f"No rule matches; the default action of segment “{segment.name}” is {segment.default_action}."
        verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
        return f"Rule {outcome.rule} {verb} it."

    def _explain_share(self, outcome: FlowOutcome, directed_share: DirectedShare, other: ResolvedSegment) -> str:
        share = f"Share “{directed_share.share.name}” joins it with segment “{other.segment.name}”"
        if outcome.rule is None or outcome.rule.startswith("share/"):
            return f"{share}; no rule of either segment matches, so the share allows it."
        verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
        return f"{share}; rule {outcome.rule} {verb} it."
