"""What exchanges run: presences, segment sections, connectors and service instances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.core.compile.links import links
from provisioning.core.compile.sections import instance_section, segment_section, services_section, vrf_section
from provisioning.core.fabric import Instance
from provisioning.core.intent import Intent
from provisioning.core.network import Network
from provisioning.core.realm import Realm
from provisioning.core.resource import Resource


def presence_address(exchange: str) -> str:
    return f"exchange/{exchange}"


def segment_address(segment: str) -> str:
    return f"segment/{segment}"


def vrf_address(node: str, segment: str) -> str:
    return f"exchange/{node}/segment/{segment}"


def resources(network: Network) -> Iterator[Resource]:
    intent = network.intent
    yield from _presences(intent)
    for realm in network.realms.values():
        yield from _segments(network, realm)
    yield from _connectors(intent)
    for instance in network.instances:
        yield _instance(network, instance)


def _presences(intent: Intent) -> Iterator[Resource]:
    for exchange in intent.exchanges.values():
        yield Resource(
            presence_address(exchange.key),
            "exchange.presence",
            {
                "location": exchange.location,
                "size": exchange.size,
                "rate": intent.catalog.sizes.get(exchange.size, 0),
            },
            subjects=(exchange.uid,),
        )


def _segments(network: Network, realm: Realm) -> Iterator[Resource]:
    """The part that all nodes share, and each node's own.

    Neither waits for the other: a node carries a segment out when it has both, and a change of both is to reach it at
    once. Nothing waits for the shared part, which is done when the last node has it: a dead exchange stops no other.
    """
    segment = realm.segment
    yield Resource(
        segment_address(segment.key), "exchange.segment", segment_section(network, realm), subjects=(segment.uid,)
    )
    served: dict[str, dict[str, Any]] = {}
    for node in network.nodes:
        if node.exchange.uid not in served:
            served[node.exchange.uid] = services_section(network, realm, node.exchange)
        yield Resource(
            vrf_address(node.id, segment.key),
            "exchange.vrf",
            vrf_section(realm, node, served[node.exchange.uid]),
            subjects=(segment.uid, node.exchange.uid),
        )


def _connectors(intent: Intent) -> Iterator[Resource]:
    by_connector = links(intent)
    for connector in intent.connectors.values():
        if not connector.enabled:
            continue
        exchange = intent.exchanges[connector.exchange]
        mine = by_connector[connector.uid]
        yield Resource(
            f"connector/{connector.key}",
            "exchange.connector",
            {
                "number": connector.number,
                "kind": connector.kind,
                "size": connector.size,
                "rate": intent.catalog.sizes.get(connector.size, 0),
                "exchange": exchange.key,
                "links": mine,
            },
            depends=(
                presence_address(exchange.key),
                *(vrf_address(link["node"], link["segment"]) for link in mine),
            ),
            subjects=(connector.uid, exchange.uid),
        )


def _instance(network: Network, instance: Instance) -> Resource:
    section = instance_section(network, instance)
    service, exchange = instance.service, instance.exchange
    return Resource(
        f"service/{service.key}/{exchange.key}/instance/{instance.ordinal}",
        "exchange.instance",
        section,
        depends=(
            presence_address(exchange.key),
            *(vrf_address(instance.host, arm["segment"]) for arm in section["segments"]),
        ),
        subjects=(service.uid, exchange.uid),
    )
