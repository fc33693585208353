"""One packet followed hop by hop, there and back."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.core.values.addresses import V6_OFFSET, address_text, contains, is_public
from provisioning.core.values.l4 import is_in_family, l4_index
from provisioning.core.intent import ANY, InvalidIntent, Segment
from provisioning.core.intent.field_reader import PROTOCOL_NUMBERS
from provisioning.core.nat import Packet, outbound
from provisioning.core.network import Network
from provisioning.core.reach.decision import Outcome, closed, decide, decide_app, decide_shared
from provisioning.core.reach.ends import End, find_end, find_segment, home_segments
from provisioning.core.reach.hops import Hop, Way
from provisioning.core.realm import App, Passage, Realm
from provisioning.core.values.resource import Problem
from provisioning.core.roster import Member


@dataclass(frozen=True, slots=True)
class Return:
    """The way of the replies; they pass the same anchor and the same service instances, in reverse."""

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
    return_: Return | None
    chain: tuple[str, ...] = ()
    segment: str = ""
    to_segment: str = ""


def trace(
    network: Network,
    source: str,
    destination: str,
    protocol: str | int = "tcp",
    port: int | None = None,
    segment: str | None = None,
    from_segment: str | None = None,
    to_segment: str | None = None,
) -> Trace:
    """What becomes of a flow, assuming everything healthy.

    source, destination: uid, name or key of a connector, an address, ``connector@address``, ``internet``, and as
    destination an internet application. segment: uid, name or key of the one both ends are in; from_segment, to_segment
    where a share joins two. What is left out is the first that fits. Raises Invalid for unknown ends and segments, and
    for tcp or udp without a port.
    """
    start, end = find_end(network, "from", source), find_end(network, "to", destination)
    cell = _cell(protocol, port, end)
    starts = _candidates(network, start, "from_segment" if from_segment else "segment", from_segment or segment)
    ends = _candidates(network, end, "to_segment" if to_segment else "segment", to_segment or segment)
    if start.internet or (start.connector is None and not _inside(network, start, starts)):
        return _Follow(network, start, end, cell).from_internet(ends)
    for one, other in _joined(network, starts, ends):
        return _Follow(network, start, end, cell).follow(network.realm(one.uid), other)
    reason = f"{start.label} and {end.label} have no segment in common, and no share joins theirs."
    first = Hop("connector" if start.connector else "internet", start.name, reason=reason)
    return Trace("isolated", (first,), None, None)


def _cell(protocol: str | int, port: int | None, end: End) -> int:
    if end.app and port is None:
        protocol, port = end.app.protocol, end.app.port
    if protocol == ANY:
        raise InvalidIntent([Problem("bad_protocol", "protocol", "Name one protocol; a packet has exactly one.")])
    protocol = _protocol(protocol)
    if protocol in ("tcp", "udp") and port is None:
        raise InvalidIntent([Problem("required", "port", f"Say which port; {protocol} needs one.")])
    if port is not None and not 0 <= port <= 65535:
        raise InvalidIntent([Problem("bad_port", "port", f"“{port}” is not a port. Use 0 to 65535.")])
    return l4_index(protocol, port)


def _protocol(told: str | int) -> str | int:
    """By its name where it has one: ports belong to tcp, whether it is called so or 6."""
    names = {str(number): name for name, number in PROTOCOL_NUMBERS.items()}
    name = names.get(str(told), told)
    if name in PROTOCOL_NUMBERS or (str(name).isdecimal() and int(name) <= 255):
        return name
    message = f"“{told}” is not a protocol. Use tcp, udp, icmp, icmpv6 or a number up to 255."
    raise InvalidIntent([Problem("bad_protocol", "protocol", message)])


def _candidates(network: Network, end: End, field: str, wanted: str | None) -> list[Segment]:
    homes = home_segments(network, end)
    if wanted is None:
        return homes
    found = find_segment(network, field, wanted)
    # An address may be reached in a segment that does not own it: through a share, or on the internet.
    return [found] if end.connector is None or found in homes else []


def _inside(network: Network, start: End, starts: list[Segment]) -> bool:
    """Whether a bare source address belongs to somebody."""
    assert start.address is not None
    return any(network.realm(one.uid).owner(start.address) is not None for one in starts)


def _joined(network: Network, starts: list[Segment], ends: list[Segment]) -> list[tuple[Segment, Segment]]:
    """Segments both ends are in, then pairs that a share joins; in order."""
    uids = {one.uid: one for one in ends}
    shared = [(one, one) for one in starts if one.uid in uids]
    return shared or [
        (one, uids[uid])
        for one in starts
        for uid in dict.fromkeys(passage.other for passage in network.realm(one.uid).passages)
        if uid in uids
    ]


class _Follow:
    """One packet, hop by hop."""

    def __init__(self, network: Network, start: End, end: End, cell: int) -> None:
        self.network, self.start, self.end, self.cell = network, start, end, cell
        self.way = Way(network)
        self.segments = ("", "")

    # From a member

    def follow(self, realm: Realm, towards: Segment) -> Trace:
        self.segments = (realm.segment.name, towards.name)
        there = self.network.realm(towards.uid)
        # Who says icmpv6 means the ends' IPv6 addresses.
        family = next((like for like in (0, V6_OFFSET) if not is_in_family(self.cell, like < V6_OFFSET)), None)
        target = self.end.presented(there, family)
        inside = self.start.inside(realm, family if target is None else target)
        if inside is None:
            self.way.add("connector", self.start.name)
            return self._stop("no_route", f"{self.start.label} has no address in segment “{realm.segment.name}”.")
        owner = realm.owner(inside) if self.start.connector is None else None
        connector = self.start.connector or (owner.connector if owner else None)
        assert connector is not None, "a bare address that nobody owns is the internet's"
        if target is None and self.end.connector:
            self.way.add("connector", connector.name, address_text(inside))
            return self._stop("no_route", f"{self.end.label} has no address in segment “{towards.name}”.")
        packet = began = Packet(inside, _SOMEWHERE if target is None else target, self.cell)
        rules = realm.ground.nat.get(connector.uid, ())
        translated = outbound(rules, realm.prefixes, packet) if rules else None
        packet = translated.packet if translated else packet
        start = realm.source(connector, packet.source)
        if start is None:
            self.way.add("connector", connector.name, address_text(inside))
            reason = f"{address_text(packet.source)} is not behind this connector in segment “{realm.segment.name}”"
            return self._stop("denied_spoofed", f"{reason}; dropped.")
        self.way.enter(start, began, translated)
        return self._towards(realm, start, packet, target is None)

    def _towards(self, realm: Realm, start: Member, packet: Packet, general: bool) -> Trace:
        """The packet is in the segment; where is it routed to?"""
        if not general and (packet.source >= V6_OFFSET) != (packet.destination >= V6_OFFSET):
            family = "IPv6" if packet.destination >= V6_OFFSET else "IPv4"
            return self._stop("no_route", f"{self.start.label} has no {family} address here to send from.")
        if not is_in_family(packet.cell, packet.source >= V6_OFFSET):
            return self._stop("no_route", "ICMP is IPv4's and ICMPv6 is IPv6's; neither is carried by the other.")
        where = None if general else realm.owner(packet.destination)
        apart = self.end.connector is not None and self.segments[0] != self.segments[1]
        if apart and (where is None or where.segment.name != self.segments[1]):
            return self._stop("isolated", f"No share shows {self.end.label} to segment “{realm.segment.name}”.")
        if where is None:
            if self.end.connector:
                return self._stop("no_route", f"{self.end.label} has no such address in “{self.segments[1]}”.")
            if not realm.exits or packet.source >= V6_OFFSET or not is_public(packet.destination):
                reason = f"No member of segment “{realm.segment.name}” has this address, and no exit carries it."
                return self._stop("no_route", reason)
            return self._own(realm, start, None, packet)
        if where.connector.uid == start.connector.uid:
            del self.way.hops[1:]
            return self._stop("local", f"Both ends are behind “{where.connector.name}”; the packet never leaves it.")
        if self.end.connector and where.connector.uid != self.end.connector.uid:
            reason = f"This address belongs to “{where.connector.name}”, not to {self.end.label}."
            return self._stop("no_route", reason)
        if where.segment.uid == realm.segment.uid:
            return self._own(realm, start, where, packet)
        return self._shared(realm, start, where, packet)

    def _own(self, realm: Realm, start: Member, end: Member | None, packet: Packet) -> Trace:
        self.segments = (realm.segment.name, realm.segment.name)
        outcome = decide(realm, start, end, packet)
        if outcome.disposition == "no_route":
            return self._gated((realm, start.connector.uid), packet=packet)
        leaving = end or realm.exits[start.exchange.uid]
        origin = realm.owner(packet.source) or start
        anchor = realm.anchor(origin, leaving)
        return self._decided(anchor, outcome, self._because(realm, outcome, end is None), realm, start, leaving, packet)

    def _shared(self, realm: Realm, start: Member, guest: Member, packet: Packet) -> Trace:
        there = self.network.realm(guest.segment.uid)
        self.segments = (realm.segment.name, there.segment.name)
        passage = realm.passage(guest.segment.uid, packet.source, packet.destination)
        if passage is None:
            return self._stop("isolated", self._isolated(realm, guest, packet))
        outcome = decide_shared(realm, there, passage, start, packet)
        if outcome.disposition == "no_route":
            return self._gated((realm, start.connector.uid), (there, ""), packet=packet)
        host = realm if realm.hosts(guest.segment.uid) else there
        ends = [host.owner(packet.source), host.owner(packet.destination)]
        assert ends[0] is not None and ends[1] is not None, "both ends of a shared flow are seen in the host"
        anchor = host.anchor(ends[0], ends[1])
        reason = self._through(outcome, passage, there)
        return self._decided(anchor, outcome, reason, realm, start, guest, packet)

    def _isolated(self, realm: Realm, guest: Member, packet: Packet) -> str:
        """Why no share carries a flow between two segments that shares join."""
        names = f"segment “{realm.segment.name}” and segment “{guest.segment.name}”"
        for passage in realm.passages:
            covers = contains(passage.near, packet.source) and contains(passage.far, packet.destination)
            if passage.other == guest.segment.uid and covers:
                return f"Share “{passage.share.name}” joins the two, but only the other side may begin."
        return f"No share between {names} covers this pair of addresses."

    def _gated(self, *places: tuple[Realm, str], packet: Packet) -> Trace:
        """places: realms, each with the connector of it where the flow starts."""
        gate = next((found for realm, connector in places if (found := closed(realm, packet, connector))), None)
        return self._stop("no_route", gate.reason if gate else "There is no route.")

    # From the internet

    def from_internet(self, ends: list[Segment]) -> Trace:
        source = self.start.address if self.start.address is not None else _SOMEWHERE
        self.way.add("internet", self.start.name)
        wanted = self.end.app.uid if self.end.app else None
        found = next(
            (
                (self.network.realm(segment.uid), app)
                for segment in ends
                for app in self.network.realm(segment.uid).apps
                if app.cell == self.cell and (app.app.uid == wanted or app.public == self.end.address)
            ),
            None,
        )
        if found is None:
            return self._stop("no_route", "From the internet only internet applications can be reached; this is none.")
        realm, app = found
        self.segments = ("", realm.segment.name)
        packet = Packet(source, app.public, self.cell)
        outcome = decide_app(realm, app, packet)
        self.way.home(app.exit)
        why = f"Rule {outcome.rule}" if outcome.rule else "No policy allows it; the stance never covers the internet."
        verb = {"denied_by_rule": " denies it.", "delivered": " allows it."}.get(outcome.disposition, " inspects it.")
        return self._decided(
            app.exit.home, outcome, why + (verb if outcome.rule else ""), realm, app.exit, app.target, packet, app
        )

    # Hops

    def _stop(self, disposition: str, reason: str) -> Trace:
        self.way.because(reason)
        return Trace(disposition, tuple(self.way.hops), None, None, (), *self.segments)

    def _decided(
        self,
        anchor: str,
        outcome: Outcome,
        reason: str,
        realm: Realm,
        start: Member,
        leaving: Member,
        packet: Packet,
        app: App | None = None,
    ) -> Trace:
        """At the anchor: through the chain, out at the other end, and the way back."""
        self.way.at(anchor, "anchor of this flow", reason)
        exchange = next(one for one in realm.exchanges.values() if one.key == anchor.rpartition("/")[0])
        for uid in outcome.chain:
            if uid != outcome.stopped_by:
                self.way.serve(realm, uid, exchange, "lets it through")
        if outcome.stopped_by:
            stopped = "drops it" if outcome.disposition == "denied_by_service" else "has no instance, so it is dropped"
            self.way.serve(realm, outcome.stopped_by, exchange, stopped)
        if not outcome.delivered:
            return Trace(outcome.disposition, tuple(self.way.hops), outcome.rule, None, outcome.chain, *self.segments)
        if outcome.chain:
            self.way.add("node", anchor, "anchor of this flow", "Back from inspection.")
        if app:
            self.way.publish(app)
        self.way.leave(leaving, packet, app, "" if self.end.address is None else self.end.name)
        owner = None if start.is_exit else realm.owner(packet.source)
        other = owner if owner is not None and owner.connector.uid != start.connector.uid else None
        back = Return(outcome.disposition, self.way.back(packet.source, other))
        return Trace(outcome.disposition, tuple(self.way.hops), outcome.rule, back, outcome.chain, *self.segments)

    # Reasons

    def _because(self, realm: Realm, outcome: Outcome, internet: bool) -> str:
        if outcome.rule is None:
            if internet:
                return "The stance never covers the internet; a policy has to name it."
            return f"No rule matches; segment “{realm.segment.name}” is {realm.segment.stance}."
        verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
        return f"Rule {outcome.rule} {verb} it."

    def _through(self, outcome: Outcome, passage: Passage, there: Realm) -> str:
        share = f"Share “{passage.share.name}” joins it with segment “{there.segment.name}”"
        if outcome.rule is None or outcome.rule.startswith("share/"):
            return f"{share}; no rule of either segment matches, so the share allows it."
        verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
        return f"{share}; rule {outcome.rule} {verb} it."


_SOMEWHERE = 0xC633640A
"""198.51.100.10, for “the internet” in general."""
