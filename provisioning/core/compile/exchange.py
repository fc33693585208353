"""What exchanges run: presences, segment sections, connectors and service instances."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.compile.links import links
from provisioning.core.compile.sections import SegmentSections, instance_section
from provisioning.core.fabric import Instance, Node, instances, nodes
from provisioning.core.intent import Intent
from provisioning.core.realm import Realm
from provisioning.core.resource import Resource


def presence_address(exchange: str) -> str:
    return f"exchange/{exchange}"


def segment_address(node: str, segment: str) -> str:
    return f"exchange/{node}/segment/{segment}"


def resources(intent: Intent) -> Iterator[Resource]:
    mesh, running = nodes(intent), instances(intent)
    yield from _presences(intent)
    for uid in intent.segments:
        yield from _segments(Realm(intent, uid), mesh, running)
    yield from _connectors(intent)
    for instance in running:
        yield _instance(intent, instance)


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


def _segments(realm: Realm, mesh: list[Node], running: list[Instance]) -> Iterator[Resource]:
    sections = SegmentSections(realm, mesh, running)
    for node in mesh:
        yield Resource(
            segment_address(node.id, realm.segment.key),
            "exchange.segment",
            sections.on(node),
            subjects=(realm.segment.uid, node.exchange.uid),
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
                *(segment_address(link["node"], link["segment"]) for link in mine),
            ),
            subjects=(connector.uid, exchange.uid),
        )


def _instance(intent: Intent, instance: Instance) -> Resource:
    section = instance_section(intent, instance)
    service, exchange = instance.service, instance.exchange
    return Resource(
        f"service/{service.key}/{exchange.key}/instance/{instance.ordinal}",
        "exchange.instance",
        section,
        depends=(
            presence_address(exchange.key),
            *(segment_address(instance.host, arm["segment"]) for arm in section["segments"]),
        ),
        subjects=(service.uid, exchange.uid),
    )
