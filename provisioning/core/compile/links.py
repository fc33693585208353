"""The links of connectors: one for each circuit and segment, with an address that no other link of that node and
segment has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from provisioning.core.intent import Circuit, Connector, Intent
from provisioning.core.intent.circuits import LINK_SLOTS, circuit_interface, link_addresses, link_slot
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.node_document import EdgeEntry, LinkEntry
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.address_forms import BadAddress


class LinkEnd(NamedTuple):
    """Where a circuit ends in a segment: ``local`` is the exchange's address, ``peer`` that of the far end."""

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
    """The ends a connector asks for. ``movable``: index of an end → the slot it may be moved from; ends whose addresses
    a person gave stay."""

    connector: Connector
    ends: tuple[LinkEnd, ...]
    interfaces: tuple[tuple[str, int, str, str], ...]
    movable: dict[int, int]


LinkEnds = dict[str, tuple[LinkEnd, ...]]
_LINK_ENDS = DerivedKey[LinkEnds]("link ends")
_LINK_REQUESTS = DerivedKey[LinkRequest]("link requests")


def link_ends(network: Network) -> LinkEnds:
    """Return connector uid → the ends of its circuits.

    Addresses that a person gave come first; the others follow from the connector's number. Two connectors whose numbers
    are far apart may ask for the same: the younger one then takes the next free slot.
    """
    enabled = sorted(
        (connector for connector in network.intent.connectors.values() if connector.enabled),
        key=lambda connector: connector.number,
    )
    return network.derived.get(
        _LINK_ENDS, tuple(enabled), lambda: _allocate_addresses(_link_requests(network, enabled))
    )


def _link_requests(network: Network, connectors: list[Connector]) -> list[LinkRequest]:
    """Return the requests by connector number; those of connectors that did not change are kept."""
    by_uid = {connector.uid: connector for connector in connectors}
    reads = {uid: (connector,) for uid, connector in by_uid.items()}
    return network.derived.get_each(_LINK_REQUESTS, reads, lambda uid: _link_request(by_uid[uid]))


def _link_request(connector: Connector) -> LinkRequest:
    segments = dict.fromkeys(attachment.segment for attachment in connector.attachments)
    ends: list[LinkEnd] = []
    movable: dict[int, int] = {}
    for nth, (circuit, exchange) in enumerate(circuits_with_exchange(connector)):
        slot = link_slot(connector.number, nth)
        for segment in segments:
            if (circuit.local, circuit.peer) == link_addresses(slot):
                movable[len(ends)] = slot
            ends.append(LinkEnd(circuit, exchange, segment, circuit.local, circuit.peer))
    return LinkRequest(connector, tuple(ends), tuple(end.interface for end in ends), movable)


def _allocate_addresses(requests: list[LinkRequest]) -> LinkEnds:
    taken = {
        interface
        for request in requests
        if len(request.movable) < len(request.interfaces)
        for index, interface in enumerate(request.interfaces)
        if index not in request.movable
    }
    allocated: LinkEnds = {}
    for request in requests:
        ends = request.ends
        for index, slot in request.movable.items():
            if request.interfaces[index] in taken:
                moved = _move_to_free_slot(ends[index], slot, taken)
                ends = (*ends[:index], moved, *ends[index + 1 :])
            taken.add(ends[index].interface if ends is not request.ends else request.interfaces[index])
        allocated[request.connector.uid] = ends
    return allocated


def circuits_with_exchange(connector: Connector) -> Iterator[tuple[Circuit, str]]:
    """Yield each circuit and its exchange. At the failover exchange, C and D stand by for the same devices."""
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
    raise BadAddress("out_of_range", "There is no link address left in this segment.")


def link_entry(intent: Intent, connector: Connector, end: LinkEnd, edge: EdgeEntry) -> LinkEntry:
    circuit, exchange, segment = end.circuit, intent.exchanges[end.exchange], intent.segments[end.segment]
    transport = CONNECTOR_KINDS[connector.kind].transport
    public = intent.catalog.locations[exchange.location].node(circuit.node).public_ip
    return {
        "circuit": circuit.name,
        "node": f"{exchange.key}/{circuit.node}",
        "role": circuit.role,
        "segment": segment.key,
        "segment_number": segment.number,
        "interface": circuit_interface(connector.number, circuit.name, segment.number),
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
    """Return the public address of the device at the far end; None where it may call from anywhere, or has none."""
    devices: list[str] = settings.get("peer_addresses") or []
    return devices["ABCD".index(circuit) % len(devices)] if devices else None
