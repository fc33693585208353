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

    @property
    def spot(self) -> tuple[str, int, str, str]:
        """The namespace it ends in, and its address there."""
        return self.exchange, self.circuit.node, self.segment, self.local


class Wish(NamedTuple):
    """The ends a connector would like to have. ``free``: place among them → the slot it may be moved from; those whose
    addresses a person gave stay."""

    connector: Connector
    ends: tuple[End, ...]
    spots: tuple[tuple[str, int, str, str], ...]
    free: dict[int, int]


Ends = dict[str, tuple[End, ...]]
_WISHES = "link wishes"


def ends(network: Network) -> Ends:
    """Connector uid → the ends of its circuits.

    Addresses that a person gave come first; the others follow from the connector's number, so two whose numbers are
    far apart may want the same: the younger one then takes the next free place.
    """
    enabled = sorted((one for one in network.intent.connectors.values() if one.enabled), key=lambda one: one.number)
    return network.keep("link ends", tuple(enabled), lambda: _placed(_wishes(network, enabled)))


def _wishes(network: Network, connectors: list[Connector]) -> list[Wish]:
    """By connector number; kept for connectors that did not change."""
    before: dict[str, Wish] = network.kept.get(_WISHES, ((), {}))[1]
    after: dict[str, Wish] = {}
    for connector in connectors:
        held = before.get(connector.uid)
        after[connector.uid] = held if held and held.connector == connector else _wish(connector)
    network.kept[_WISHES] = ((), after)
    return list(after.values())


def _wish(connector: Connector) -> Wish:
    segments = dict.fromkeys(attachment.segment for attachment in connector.attachments)
    found: list[End] = []
    free: dict[int, int] = {}
    for nth, (circuit, exchange) in enumerate(circuits(connector)):
        slot = link_slot(connector.number, nth)
        for segment in segments:
            if (circuit.local, circuit.peer) == link_addresses(slot):
                free[len(found)] = slot
            found.append(End(circuit, exchange, segment, circuit.local, circuit.peer))
    return Wish(connector, tuple(found), tuple(end.spot for end in found), free)


def _placed(wishes: list[Wish]) -> Ends:
    taken = {
        spot
        for wish in wishes
        if len(wish.free) < len(wish.spots)
        for place, spot in enumerate(wish.spots)
        if place not in wish.free
    }
    found: Ends = {}
    for wish in wishes:
        mine = wish.ends
        for place, slot in wish.free.items():
            if wish.spots[place] in taken:
                moved = _next_free(mine[place], slot, taken)
                mine = (*mine[:place], moved, *mine[place + 1 :])
            taken.add(mine[place].spot if mine is not wish.ends else wish.spots[place])
        found[wish.connector.uid] = mine
    return found


def circuits(connector: Connector) -> Iterator[tuple[Circuit, str]]:
    """Each with the exchange it ends at. At the failover exchange C and D stand ready, for the same far devices."""
    for circuit in connector.circuits:
        yield circuit, connector.exchange
    if connector.failover_exchange:
        for nth, (name, circuit) in enumerate(zip("CD", connector.circuits, strict=True), start=2):
            local, peer = link_addresses(link_slot(connector.number, nth))
            yield replace(circuit, name=name, role="standby", local=local, peer=peer), connector.failover_exchange


def _next_free(end: End, slot: int, taken: set[tuple[str, int, str, str]]) -> End:
    start = LINK_SLOTS.index(slot)
    for step in range(len(LINK_SLOTS)):
        local, peer = link_addresses(LINK_SLOTS[(start + step) % len(LINK_SLOTS)])
        moved = end._replace(local=local, peer=peer)
        if moved.spot not in taken:
            return moved
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
