"""The links of connectors: one for each circuit and segment, with addresses that no other link there has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from provisioning.core.addresses import BadPrefix
from provisioning.core.compile.edges import Edge
from provisioning.core.intent import Circuit, Connector, Intent
from provisioning.core.intent.circuits import LINK_SLOTS, link_addresses, link_slot
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.network import Network


class End(NamedTuple):
    """Where a circuit ends in a segment: the exchange's end is ``local``, the far one ``peer``."""

    circuit: Circuit
    exchange: str
    segment: str
    local: str
    peer: str


Ends = dict[str, tuple[End, ...]]


def ends(network: Network) -> Ends:
    """Connector uid → the ends of its circuits.

    Addresses that a person gave come first; the others follow from the connector's number, so two whose numbers are
    far apart may want the same: the younger one then takes the next free place.
    """
    enabled = sorted((one for one in network.intent.connectors.values() if one.enabled), key=lambda one: one.number)
    return network.keep("link ends", tuple(enabled), lambda: _ends(enabled))


def _ends(connectors: list[Connector]) -> Ends:
    wanted = [(connector, list(_wanted(connector))) for connector in connectors]
    taken = {(_place(end), end.local) for _, some in wanted for end, slot in some if _is_given(end, slot)}
    found: Ends = {}
    for connector, some in wanted:
        mine = []
        for end, slot in some:
            if not _is_given(end, slot):
                if (_place(end), end.local) in taken:
                    end = _next_free(end, slot, taken)
                taken.add((_place(end), end.local))
            mine.append(end)
        found[connector.uid] = tuple(mine)
    return found


def _wanted(connector: Connector) -> Iterator[tuple[End, int]]:
    """Every end with the address it would like, and the slot that stands for."""
    segments = dict.fromkeys(attachment.segment for attachment in connector.attachments)
    for nth, (circuit, exchange) in enumerate(circuits(connector)):
        slot = link_slot(connector.number, nth)
        for segment in segments:
            yield End(circuit, exchange, segment, circuit.local, circuit.peer), slot


def circuits(connector: Connector) -> Iterator[tuple[Circuit, str]]:
    """Each with the exchange it ends at. At the failover exchange C and D stand ready, for the same far devices."""
    for circuit in connector.circuits:
        yield circuit, connector.exchange
    if connector.failover_exchange:
        for nth, (name, circuit) in enumerate(zip("CD", connector.circuits, strict=True), start=2):
            local, peer = link_addresses(link_slot(connector.number, nth))
            yield replace(circuit, name=name, role="standby", local=local, peer=peer), connector.failover_exchange


def _place(end: End) -> tuple[str, int, str]:
    """The namespace a link ends in."""
    return end.exchange, end.circuit.node, end.segment


def _is_given(end: End, slot: int) -> bool:
    return (end.local, end.peer) != link_addresses(slot)


def _next_free(end: End, slot: int, taken: set[tuple[tuple[str, int, str], str]]) -> End:
    start = LINK_SLOTS.index(slot)
    for step in range(len(LINK_SLOTS)):
        local, peer = link_addresses(LINK_SLOTS[(start + step) % len(LINK_SLOTS)])
        if (_place(end), local) not in taken:
            return end._replace(local=local, peer=peer)
    raise BadPrefix("out_of_range", "There is no link address left in this segment.")


def link(intent: Intent, connector: Connector, end: End, edge: Edge) -> dict[str, Any]:
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
        "remote": _remote(connector.settings, circuit.name),
        "nat": public if transport == "internet" else None,
        **edge,
    }


def _remote(settings: Mapping[str, Any], circuit: str) -> str | None:
    """The public address of the device at the far end; None where it calls from anywhere, or has none."""
    devices: list[str] = settings.get("peer_addresses") or []
    return devices["ABCD".index(circuit) % len(devices)] if devices else None
