"""The path of one packet as people read it: what it passes, with reasons, and the same in reverse for its replies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioning.core.intent import INTERNET, Exchange
from provisioning.core.resolve.fabric import serving_exchange
from provisioning.core.resolve.nat import Packet, TranslatedPacket, translate_inbound
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import address_text
from provisioning.core.values.l4 import protocol_and_port


@dataclass(frozen=True, slots=True)
class Hop:
    """kind: connector, nat, node, service, app, internet, or address where nobody has it. detail: what it is there;
    reason: why it goes on or stops."""

    kind: str
    name: str
    detail: str = ""
    reason: str = ""


class PathBuilder:
    """Collects hops. hops: those passed so far."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.hops: list[Hop] = []
        self._undone: dict[str, str] = {}  # what a NAT hop does → what its reply sees

    def add_hop(self, kind: str, name: str, detail: str = "", reason: str = "") -> None:
        self.hops.append(Hop(kind, name, detail, reason))

    def explain_last_hop(self, reason: str) -> None:
        """Set the reason why the last hop is the last."""
        self.hops[-1] = replace(self.hops[-1], reason=reason)

    def add_node(self, node: str, detail: str, reason: str = "") -> None:
        """Add a node; consecutive visits of the same one are one hop."""
        if self.hops and (self.hops[-1].kind, self.hops[-1].name) == ("node", node):
            last = self.hops[-1]
            self.hops[-1] = replace(last, detail=f"{last.detail}; {detail}", reason=reason or last.reason)
        else:
            self.add_hop("node", node, detail, reason)

    def add_home_node(self, member: Member) -> None:
        """Add the node of a member's active circuit."""
        self.add_node(member.home, f"circuit {member.connector.active_circuit.name} of {member.connector.name}")

    def add_source(self, start: Member, inside: Packet, translated: TranslatedPacket | None) -> None:
        """Add the source. inside: the packet as it is behind the connector."""
        connector = start.connector
        groups = [group.name for uid in start.attachment.member_of if (group := self.network.intent.groups.get(uid))]
        detail = f"{address_text(inside.source)} in segment {start.segment.name}"
        word = "groups" if len(groups) > 1 else "group"
        self.add_hop("connector", connector.name, f"{detail}, {word} {', '.join(groups)}" if groups else detail)
        if translated:
            self._translate(translated, inside, "outwards")
        self.add_home_node(start)

    def add_service(self, resolved: ResolvedSegment, uid: str, exchange: Exchange, verb: str) -> None:
        """Add a service as flows that are decided at this exchange meet it."""
        service = resolved.services.get(uid)
        if service is None:
            self.add_hop("service", uid, reason="It does not exist any more, so the flow is dropped.")
            return
        serving = serving_exchange(resolved.catalog, resolved.exchanges, service, exchange)
        instances = (one for one in self.network.instances if one.service.uid == uid)
        running = [instance.id for instance in instances if serving and instance.exchange.uid == serving.uid]
        reason = f"Service “{service.name}” {verb}."
        if verb == "lets it through" and service.product != "linux-firewall":
            reason = f"Subject to the policy of “{service.name}” itself."
        self.add_hop("service", service.name, f"one of {', '.join(running)}" if running else "", reason)

    def add_application(self, app: PublishedApp, client: int | None) -> None:
        """Add the translation to the target. client: the address it sees instead of the client's own."""
        inside = ", ".join(f"{address_text(address)}:{app.port}" for address in app.addresses)
        source = "" if client is None else f"; the client appears as {address_text(client)}"
        public = _format_destination(Packet(0, app.public, app.l4))
        self.add_hop("app", app.app.name, f"{public} → {inside}{source}", "Published to the internet.")

    def add_egress(self, leaving: Member, packet: Packet, app: PublishedApp | None, far: str) -> None:
        """Add where the packet leaves the network. far: the address on the internet, where one was asked about."""
        self.add_home_node(leaving)
        if leaving.is_exit:
            self.add_hop("connector", leaving.connector.name, "exit")
            self.add_hop("internet", INTERNET, far)
            return
        if app:
            self.add_hop("connector", leaving.connector.name, address_text(app.addresses[0]))
            return
        resolved = self.network.resolved(leaving.segment.uid)
        rules = resolved.routing_table.nat.get(leaving.connector.uid, ())
        translated = translate_inbound(rules, resolved.prefixes, packet) if rules else None
        if translated:
            self._translate(translated, packet, "inwards")
        arrived = translated.packet if translated else packet
        self.add_hop("connector", leaving.connector.name, address_text(arrived.destination))

    def reply_hops(self, source: int, owner: Member | None) -> tuple[Hop, ...]:
        """Return the path of the replies. owner: the member they are routed to, where that is not the initiator."""
        hops = [
            replace(hop, detail=self._undone.get(hop.detail, hop.detail), reason=_reply_reason(hop))
            for hop in reversed(self.hops)
        ]
        if owner is not None:
            reason = f"Replies go to “{owner.connector.name}”, where {address_text(source)} is routed to."
            hops[-1] = Hop("connector", owner.connector.name, address_text(source), reason)
        return tuple(hops)

    def _translate(self, done: TranslatedPacket, before: Packet, direction: str) -> None:
        changes, undone = [], []
        if done.packet.source != before.source:
            pool = f" (one of {', '.join(done.rule.source.prefixes)})" if done.pool else ""
            inside, outside = address_text(before.source), address_text(done.packet.source)
            changes.append(f"source {inside} → {outside}{pool}")
            undone.append(f"destination {outside}{pool} → {inside}")
        if (done.packet.destination, done.packet.l4) != (before.destination, before.l4):
            changes.append(f"destination {_format_destination(before)} → {_format_destination(done.packet)}")
            undone.append(f"source {_format_destination(done.packet)} → {_format_destination(before)}")
        if changes:
            self.add_hop("nat", done.rule.name, "; ".join(changes), f"NAT rule “{done.rule.name}”, {direction}.")
            self._undone[self.hops[-1].detail] = "; ".join(undone)


def _reply_reason(hop: Hop) -> str:
    if hop.kind == "nat":
        return f"NAT rule “{hop.name}”, undone for the reply."
    return "Reply of a permitted flow; same anchor." if "anchor" in hop.detail else ""


def _format_destination(packet: Packet) -> str:
    port = protocol_and_port(packet.l4)[1]
    return address_text(packet.destination) + ("" if port is None else f":{port}")
