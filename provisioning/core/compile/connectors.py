"""Connectors on the exchange side: one resource with all links, whatever the kind."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.core.compile.connector_edges import edge_entries
from provisioning.core.compile.links import LinkEnd, link_ends, link_entry
from provisioning.core.compile.resource_addresses import connector_address, presence_address, vrf_address
from provisioning.core.intent import Connector
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.node_document import VERSION, ConnectorBody, EdgeEntry
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource

_CONNECTOR_RESOURCES = DerivedKey[Resource]("connector resources")


def connector_resources(network: Network) -> list[Resource]:
    """Return the connectors' resources by number; what an edit did not touch is the one of the version before."""
    intent, ends = network.intent, link_ends(network)
    edges = {uid: edge_entries(resolved) for uid, resolved in network.resolved_segments.items()}
    reads = {
        uid: (
            connector,
            intent.catalog.sizes.get(connector.size, 0),
            *ends[uid],
            *(intent.exchanges[exchange] for exchange in _exchange_uids(connector)),
            *(edges[end.segment][uid] for end in ends[uid]),
        )
        for uid, connector in intent.connectors.items()
        if connector.enabled
    }
    return network.derived.get_each(
        _CONNECTOR_RESOURCES, reads, lambda uid: _connector_resource(network, intent.connectors[uid], ends[uid], edges)
    )


def _exchange_uids(connector: Connector) -> list[str]:
    return [uid for uid in (connector.exchange, connector.failover_exchange) if uid]


def _connector_resource(
    network: Network,
    connector: Connector,
    ends: tuple[LinkEnd, ...],
    edges: Mapping[str, Mapping[str, EdgeEntry]],
) -> Resource:
    """Return the connector with its links. edges: by uid of the segment, then of the connector."""
    intent = network.intent
    links = [link_entry(intent, connector, end, edges[end.segment][connector.uid]) for end in ends]
    exchanges = [intent.exchanges[uid] for uid in _exchange_uids(connector)]
    body: ConnectorBody = {
        "version": VERSION,
        "nodes": {link["node"]: intent.exchanges[end.exchange].location for link, end in zip(links, ends, strict=True)},
        "number": connector.number,
        "kind": connector.kind,
        "size": connector.size,
        "rate": intent.catalog.sizes.get(connector.size, 0),
        "exchange": exchanges[0].key,
        "failover_exchange": exchanges[1].key if len(exchanges) > 1 else None,
        "links": links,
    }
    if not CONNECTOR_KINDS[connector.kind].cloud:
        # What a connector is in its cloud is the business of that cloud's driver.
        body["settings"] = connector.settings
    needed = {presence_address(exchange.key) for exchange in exchanges}
    needed |= {vrf_address(link["node"], link["segment"]) for link in links}
    return Resource(
        connector_address(connector.key),
        "exchange.connector",
        body,
        tuple(sorted(needed)),
        (connector.uid, *(exchange.uid for exchange in exchanges)),
    )
