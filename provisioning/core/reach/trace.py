"""One packet followed hop by hop, there and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioning.core.addresses import address_text
from provisioning.core.fabric import instances, serving
from provisioning.core.flows import cell_of
from provisioning.core.intent import Exchange, Intent, Invalid, Segment
from provisioning.core.reach.decision import Outcome, Packet, decide
from provisioning.core.reach.ends import End, find_end, home_segments
from provisioning.core.realm import Member, Realm
from provisioning.core.resource import Problem


@dataclass(frozen=True, slots=True)
class Hop:
    """kind: connector, node, service or internet. detail: what it is there; reason: why the packet goes on or stops."""

    kind: str
    name: str
    detail: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """The way of the replies; they pass the same anchor and the same service instances, in reverse."""

    disposition: str
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """``rule``: id of the rule that decided, None where none did. ``return_``: None when nothing is delivered."""

    disposition: str
    hops: tuple[Hop, ...]
    rule: str | None
    return_: Return | None


def trace(
    intent: Intent,
    source: str,
    destination: str,
    protocol: str | int = "tcp",
    port: int | None = None,
    segment: str | None = None,
) -> Trace:
    """What becomes of a flow, assuming everything healthy.

    source, destination: uid, name or key of a connector, an address, ``connector@address``, or ``internet``.
    segment: uid, name or key; where left out, the first one that both ends are in. Raises Invalid for unknown ends, an
    unknown segment, and tcp or udp without a port.
    """
    start, end = find_end(intent, "from", source), find_end(intent, "to", destination)
    cell = _cell(protocol, port)
    chosen = _segment(intent, start, end, segment)
    if chosen is None:
        reason = f"{start.label} and {end.label} have no segment in common; segments reach each other by shares only."
        first = Hop("connector" if start.connector else "internet", start.name, reason=reason)
        return Trace("isolated", (first,), None, None)
    return _Follow(Realm(intent, chosen.uid), start, end, cell).follow()


def _cell(protocol: str | int, port: int | None) -> int:
    if protocol in ("tcp", "udp") and port is None:
        raise Invalid([Problem("required", "port", f"Say which port; {protocol} needs one.")])
    if port is not None and not 0 <= port <= 65535:
        raise Invalid([Problem("bad_port", "port", f"“{port}” is not a port. Use 0 to 65535.")])
    try:
        return cell_of(protocol, port)
    except ValueError:
        message = f"“{protocol}” is not a protocol. Use tcp, udp, icmp, icmpv6 or a number up to 255."
        raise Invalid([Problem("bad_protocol", "protocol", message)]) from None


def _segment(intent: Intent, start: End, end: End, wanted: str | None) -> Segment | None:
    if wanted:
        found: Segment | None = intent.find("segments", wanted)
        if found is None:
            raise Invalid([Problem("unknown_reference", "segment", f"There is no segment “{wanted}”.")])
        for one in (start, end):
            if one.connector and found not in home_segments(intent, one):
                return None
        return found
    ends = home_segments(intent, end)
    return next((one for one in home_segments(intent, start) if one in ends), None)


class _Follow:
    """One packet in one segment."""

    def __init__(self, realm: Realm, start: End, end: End, cell: int) -> None:
        self.realm, self.start, self.end, self.cell = realm, start, end, cell
        self.hops: list[Hop] = []

    def follow(self) -> Trace:
        source = self._first_address(self.start)
        target = self._first_address(self.end)
        if source is None or self.start.internet or (member := self.realm.owner(source)) is None:
            if self.start.connector and source is not None:
                return self._spoofed(source)
            return self._no_source()
        if self.start.connector and member.connector.uid != self.start.connector.uid:
            return self._spoofed(source)
        self._enter(member, source)
        other = self.realm.owner(target) if target is not None and not self.end.internet else None
        if other is None and (self.end.connector or not self.realm.exits):
            segment = self.realm.segment.name
            if self.end.connector:
                return self._stop("no_route", f"{self.end.label} has no such address in segment “{segment}”.")
            return self._stop("no_route", f"No member of segment “{segment}” has this address, and it has no exit.")
        if other is not None and other.connector is member.connector:
            return self._local(other)
        if self.end.connector and other is not None and other.connector.uid != self.end.connector.uid:
            return self._stop("no_route", f"This address belongs to “{other.connector.name}”, not to {self.end.label}.")
        packet = Packet(source, target if target is not None else _SOMEWHERE, self.cell)
        return self._decide(member, other, packet)

    def _first_address(self, end: End) -> int | None:
        """The address meant: the one given, or the connector's first host in this segment."""
        return end.address if end.address is not None else end.first_host(self.realm)

    def _stop(self, disposition: str, reason: str, rule: str | None = None) -> Trace:
        self.hops[-1] = replace(self.hops[-1], reason=reason)
        return Trace(disposition, tuple(self.hops), rule, None)

    def _spoofed(self, source: int) -> Trace:
        assert self.start.connector is not None
        reason = f"{address_text(source)} is not behind this connector in segment “{self.realm.segment.name}”; dropped."
        self.hops.append(Hop("connector", self.start.connector.name, address_text(source)))
        return self._stop("denied_spoofed", reason)

    def _no_source(self) -> Trace:
        if self.start.connector:
            self.hops.append(Hop("connector", self.start.name))
            return self._stop("no_route", f"{self.start.label} has no address in segment “{self.realm.segment.name}”.")
        self.hops.append(Hop("internet", self.start.name))
        return self._stop("no_route", "From the internet only internet applications can be reached; there is none.")

    def _enter(self, member: Member, source: int) -> None:
        connector = member.connector
        group = self.realm.intent.groups.get(member.attachment.group or "")
        where = f"{address_text(source)} in segment {self.realm.segment.name}"
        self.hops.append(Hop("connector", connector.name, f"{where}, group {group.name}" if group else where))
        self._at(member.home, f"circuit {connector.active.name} of {connector.name}")

    def _local(self, member: Member) -> Trace:
        del self.hops[1:]
        return self._stop("local", f"Both ends are behind “{member.connector.name}”; the packet never leaves it.")

    def _at(self, node: str, detail: str, reason: str = "") -> None:
        """A node; consecutive visits of the same one are one hop."""
        if self.hops and (self.hops[-1].kind, self.hops[-1].name) == ("node", node):
            last = self.hops[-1]
            self.hops[-1] = replace(last, detail=f"{last.detail}; {detail}", reason=reason or last.reason)
        else:
            self.hops.append(Hop("node", node, detail, reason))

    def _decide(self, member: Member, other: Member | None, packet: Packet) -> Trace:
        outcome = decide(self.realm, member, other, packet)
        leaving = other or self.realm.exits[member.exchange.uid]
        anchor = self.realm.anchor(member, leaving)
        self._at(anchor, "anchor of this flow", self._because(outcome, other is None))
        exchange = next(one for one in self.realm.intent.exchanges.values() if one.key == anchor.rpartition("/")[0])
        for uid in outcome.chain:
            if uid != outcome.stopped_by:
                self.hops.append(self._service(uid, exchange, "lets it through"))
        if outcome.stopped_by:
            stopped = "drops it" if outcome.disposition == "denied_by_service" else "has no instance, so it is dropped"
            self.hops.append(self._service(outcome.stopped_by, exchange, stopped))
        if not outcome.delivered:
            return Trace(outcome.disposition, tuple(self.hops), outcome.rule, None)
        if outcome.chain:
            self.hops.append(Hop("node", anchor, "anchor of this flow", "Back from inspection."))
        self._at(leaving.home, f"circuit {leaving.connector.active.name} of {leaving.connector.name}")
        self.hops.append(
            Hop("connector", leaving.connector.name, address_text(packet.destination) if other else "exit")
        )
        if other is None:
            self.hops.append(Hop("internet", "internet", "" if self.end.address is None else self.end.name))
        back = tuple(replace(hop, reason=_back(hop)) for hop in reversed(self.hops))
        return Trace(outcome.disposition, tuple(self.hops), outcome.rule, Return(outcome.disposition, back))

    def _because(self, outcome: Outcome, internet: bool) -> str:
        if outcome.rule is None:
            if internet:
                return "The stance never covers the internet; a policy has to name it."
            return f"No rule matches; segment “{self.realm.segment.name}” is {self.realm.segment.stance}."
        verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
        return f"Rule {outcome.rule} {verb} it."

    def _service(self, uid: str, exchange: Exchange, verb: str) -> Hop:
        intent = self.realm.intent
        service = intent.services.get(uid)
        if service is None:
            return Hop("service", uid, reason="It does not exist any more, so the flow is dropped.")
        where = serving(intent, service, exchange)
        running = [one.id for one in instances(intent) if one.service.uid == uid and one.exchange is where]
        reason = f"Service “{service.name}” {verb}."
        if verb == "lets it through" and service.product != "linux-firewall":
            reason = f"Subject to the policy of “{service.name}” itself."
        return Hop("service", service.name, f"one of {', '.join(running)}" if running else "", reason)


_SOMEWHERE = 0xC633640A
"""198.51.100.10, for “the internet” in general."""


def _back(hop: Hop) -> str:
    return "Reply of a permitted flow; same anchor." if "anchor" in hop.detail else ""
