"""The links of connectors: one for each circuit and segment, with addresses that no other link there has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from provisioning.core.compile.connector_edges import EdgeSection
from provisioning.core.intent import Circuit, Connector, Intent
from provisioning.core.intent.circuits import LINK_SLOTS, link_addresses, link_slot
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.addresses import BadPrefix


class LinkEnd(NamedTuple):
    """Where a circuit ends in a segment: the exchange's end is ``local``, the far one ``peer``."""

    circuit: Circuit
    exchange: str
    segment: str
    local: str
    peer: str

    @property
    def interface(self) -> tuple[str, int, str, str]:
        """The namespace it ends in, and its address there."""
        return self.exchange, self.circuit.node, self.segment, self.local


class LinkRequest(NamedTuple):
    """The ends a connector would like to have. ``free``: place among them → the slot it may be moved from; those whose
    addresses a person gave stay."""

    connector: Connector
    ends: tuple[LinkEnd, ...]
    interfaces: tuple[tuple[str, int, str, str], ...]
    free: dict[int, int]


LinkEnds = dict[str, tuple[LinkEnd, ...]]
_LINK_ENDS = DerivedKey[LinkEnds]("link ends")
_LINK_REQUESTS = DerivedKey[LinkRequest]("link requests")


def link_ends(network: Network) -> LinkEnds:
    """Connector uid → the ends of its circuits.

    Addresses that a person gave come first; the others follow from the connector's number, so two whose numbers are
    far apart may want the same: the younger one then takes the next free place.
    """
    enabled = sorted((one for one in network.intent.connectors.values() if one.enabled), key=lambda one: one.number)
    return network.derived.get(
        _LINK_ENDS, tuple(enabled), lambda: _allocate_addresses(_link_requests(network, enabled))
    )


def _link_requests(network: Network, connectors: list[Connector]) -> list[LinkRequest]:
    """By connector number; kept for connectors that did not change."""
    by_uid = {connector.uid: connector for connector in connectors}
    reads = {uid: (connector,) for uid, connector in by_uid.items()}
    return network.derived.get_each(_LINK_REQUESTS, reads, lambda uid: _link_request(by_uid[uid]))


def _link_request(connector: Connector) -> LinkRequest:
    segments = dict.fromkeys(attachment.segment for attachment in connector.attachments)
    found: list[LinkEnd] = []
    free: dict[int, int] = {}
    for nth, (circuit, exchange) in enumerate(circuits_with_exchange(connector)):
        slot = link_slot(connector.number, nth)
        for segment in segments:
            if (circuit.local, circuit.peer) == link_addresses(slot):
                free[len(found)] = slot
            found.append(LinkEnd(circuit, exchange, segment, circuit.local, circuit.peer))
    return LinkRequest(connector, tuple(found), tuple(end.interface for end in found), free)


def _allocate_addresses(wishes: list[LinkRequest]) -> LinkEnds:
    taken = {
        interface
        for wish in wishes
        if len(wish.free) < len(wish.interfaces)
        for place, interface in enumerate(wish.interfaces)
        if place not in wish.free
    }
    found: LinkEnds = {}
    for wish in wishes:
        mine = wish.ends
        for place, slot in wish.free.items():
            if wish.interfaces[place] in taken:
                moved = _move_to_free_slot(mine[place], slot, taken)
                mine = (*mine[:place], moved, *mine[place + 1 :])
            taken.add(mine[place].interface if mine is not wish.ends else wish.interfaces[place])
        found[wish.connector.uid] = mine
    return found


def circuits_with_exchange(connector: Connector) -> Iterator[tuple[Circuit, str]]:
    """Each with the exchange it ends at. At the failover exchange C and D stand ready, for the same far devices."""
    for circuit in connector.circuits:
        yield circuit, connector.exchange
    if connector.failover_exchange:
        for nth, (name, circuit) in enumerate(zip("CD", connector.circuits, strict=True), start=2):
            local, peer = link_addresses(link_slot(connector.number, nth))
            yield replace(circuit, name=name, role="standby", local=local, peer=peer), connector.failover_exchange


def _move_to_free_slot(end: LinkEnd, slot: int, taken: set[tuple[str, int, str, str]]) -> LinkEnd:
    start = LINK_SLOTS.index(slot)
    for step in range(len(LINK_SLOTS)):
        local, peer = link_addresses(LINK_SLOTS[(start + step) % len(LINK_SLOTS)])
        moved = end._replace(local=local, peer=peer)
        if moved.interface not in taken:
            return moved
    raise BadPrefix("out_of_range", "There is no link address left in this segment.")


def link_section(intent: Intent, connector: Connector, end: LinkEnd, edge: EdgeSection) -> dict[str, Any]:
    circuit, exchange, segment = end.circuit, intent.exchanges[end.exchange], intent.segments[end.segment]
    transport = CONNECTOR_KINDS[connector.kind].transport
    public = intent.catalog.locations[exchange.location].node(circuit.node).public_ip
    return {
        "circuit": circuit.name,
        "node": f"{exchange.key}/{circuit.node}",
        "role": circuit.role,
        "segment": segment.key,
        "segment_number": segment.number,
        # Fifteen characters are all that Linux allows.
        "interface": f"c{connector.number}{circuit.name.lower()}{segment.number}"[:15],
        "local": end.local,
        "peer": end.peer,
        "vlan": circuit.vlan,
        "bgp": circuit.bgp,
        "transport": transport,
        "remote": _peer_address(connector.settings, circuit.name),
        "nat": public if transport == "internet" else None,
        **edge,
    }


def _peer_address(settings: Mapping[str, Any], circuit: str) -> str | None:
    """The public address of the device at the far end; None where it calls from anywhere, or has none."""
    devices: list[str] = settings.get("peer_addresses") or []
    return devices["ABCD".index(circuit) % len(devices)] if devices else None
