"""The links of connectors: one for each circuit and segment, with addresses that no other link there has."""

from __future__ import annotations

from typing import Any

from provisioning.core.addresses import BadPrefix
from provisioning.core.intent import Circuit, Connector, Intent
from provisioning.core.intent.circuits import LINK_SLOTS, link_addresses, link_slot
from provisioning.core.intent.connectors import CONNECTOR_KINDS

Place = tuple[str, int, str]
"""Exchange uid, node, segment uid: the namespace a link ends in."""


def links(intent: Intent) -> dict[str, list[dict[str, Any]]]:
    """Connector uid → its links.

    Addresses that a person gave come first; the others follow from the connector's number, so two whose numbers are
    far apart may want the same: the younger one then takes the next free place.
    """
    taken: set[tuple[Place, str]] = set()
    found: dict[str, list[dict[str, Any]]] = {}
    connectors = sorted((one for one in intent.connectors.values() if one.enabled), key=lambda one: one.number)
    for connector in connectors:
        for circuit, place in _ends(connector):
            if _is_given(connector, circuit):
                taken.add((place, circuit.local))
    for connector in connectors:
        mine = found.setdefault(connector.uid, [])
        for circuit, place in _ends(connector):
            local, peer = circuit.local, circuit.peer
            if not _is_given(connector, circuit):
                local, peer = _free(connector, circuit, place, taken)
                taken.add((place, local))
            mine.append(_link(intent, connector, circuit, place[2], local, peer))
    return found


def _ends(connector: Connector) -> list[tuple[Circuit, Place]]:
    segments = dict.fromkeys(attachment.segment for attachment in connector.attachments)
    return [
        (circuit, (connector.exchange, circuit.node, segment)) for circuit in connector.circuits for segment in segments
    ]


def _slot(connector: Connector, circuit: Circuit) -> int:
    return link_slot(connector.number, connector.circuits.index(circuit))


def _is_given(connector: Connector, circuit: Circuit) -> bool:
    return (circuit.local, circuit.peer) != link_addresses(_slot(connector, circuit))


def _free(connector: Connector, circuit: Circuit, place: Place, taken: set[tuple[Place, str]]) -> tuple[str, str]:
    start = LINK_SLOTS.index(_slot(connector, circuit))
    for step in range(len(LINK_SLOTS)):
        local, peer = link_addresses(LINK_SLOTS[(start + step) % len(LINK_SLOTS)])
        if (place, local) not in taken:
            return local, peer
    raise BadPrefix("out_of_range", "There is no link address left in this segment.")


def _link(
    intent: Intent, connector: Connector, circuit: Circuit, segment_uid: str, local: str, peer: str
) -> dict[str, Any]:
    exchange, segment = intent.exchanges[connector.exchange], intent.segments[segment_uid]
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
        "local": local,
        "peer": peer,
        "prefixes": sorted(
            {
                prefix
                for attachment in connector.attachments
                if attachment.segment == segment_uid
                for prefix in attachment.prefixes
            }
        ),
        "transport": transport,
        "nat": public if transport == "internet" else None,
    }
