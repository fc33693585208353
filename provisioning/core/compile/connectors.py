"""Connectors on the exchange side: one resource with all links, for every kind."""

from __future__ import annotations

from provisioning.core.compile.connector_edges import edge_sections
from provisioning.core.compile.links import LinkEnd, link_ends, link_section
from provisioning.core.compile.resource_addresses import connector_address, presence_address, vrf_address
from provisioning.core.intent import Connector
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource

_CONNECTOR_RESOURCES = DerivedKey[Resource]("connector resources")


def connector_resources(network: Network) -> list[Resource]:
    """By number. What an edit did not touch is the very resource of the version before."""
    intent, placed = network.intent, link_ends(network)
    reads = {
        uid: (
            connector,
            intent.catalog.sizes.get(connector.size, 0),
            *placed[uid],
            *(intent.exchanges[one] for one in _exchange_uids(connector)),
            *(edge_sections(network.resolved(end.segment))[uid] for end in placed[uid]),
        )
        for uid, connector in intent.connectors.items()
        if connector.enabled
    }
    return network.derived.get_each(
        _CONNECTOR_RESOURCES, reads, lambda uid: _connector_resource(network, intent.connectors[uid], placed[uid])
    )


def _exchange_uids(connector: Connector) -> list[str]:
    return [uid for uid in (connector.exchange, connector.failover_exchange) if uid]


def _connector_resource(network: Network, connector: Connector, mine: tuple[LinkEnd, ...]) -> Resource:
    intent = network.intent
    links = [
        link_section(intent, connector, end, edge_sections(network.resolved(end.segment))[connector.uid])
        for end in mine
    ]
    exchanges = [intent.exchanges[uid] for uid in _exchange_uids(connector)]
    body = {
        "number": connector.number,
        "kind": connector.kind,
        "size": connector.size,
        "rate": intent.catalog.sizes.get(connector.size, 0),
        "exchange": exchanges[0].key,
        "failover_exchange": exchanges[1].key if len(exchanges) > 1 else None,
        "links": links,
    }
    if not CONNECTOR_KINDS[connector.kind].cloud:
        # What a cloud network is there is its cloud's driver's business.
        body["settings"] = connector.settings
    needed = {presence_address(exchange.key) for exchange in exchanges}
    needed |= {vrf_address(one["node"], one["segment"]) for one in links}
    return Resource(
        connector_address(connector.key),
        "exchange.connector",
        body,
        tuple(sorted(needed)),
        (connector.uid, *(exchange.uid for exchange in exchanges)),
    )
