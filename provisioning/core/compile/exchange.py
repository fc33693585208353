"""What exchanges run: presences, segments, connectors and service instances, as sections of node documents."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.compile import connectors
from provisioning.core.compile.resource_addresses import (
    exchange_nodes,
    instance_address,
    presence_address,
    segment_address,
    vrf_address,
)
from provisioning.core.compile.sections import segment_body, services_for_exchange, vrf_body
from provisioning.core.compile.service_instances import instance_body, service_segments
from provisioning.core.intent import Intent, Segment
from provisioning.core.node_document import VERSION, PresenceBody, ServiceEntry
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.fabric import ServiceInstance
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.resource import Resource

_SEGMENT_RESOURCES = DerivedKey[list[Resource]]("segment resources")


def exchange_resources(network: Network) -> Iterator[Resource]:
    yield from _presence_resources(network.intent)
    for resolved in network.resolved_segments.values():
        yield from _segment_resources(network, resolved)
    yield from connectors.connector_resources(network)
    if network.instances:
        arms = service_segments(network)
        for instance in network.instances:
            yield _instance_resource(network, instance, arms[instance.service.uid])


def _presence_resources(intent: Intent) -> Iterator[Resource]:
    for exchange in intent.exchanges.values():
        body: PresenceBody = {
            "version": VERSION,
            "nodes": exchange_nodes(exchange),
            "location": exchange.location,
            "size": exchange.size,
            "rate": intent.catalog.sizes.get(exchange.size, 0),
        }
        yield Resource(presence_address(exchange.key), "exchange.presence", body, subjects=(exchange.uid,))


def _segment_resources(network: Network, resolved: ResolvedSegment) -> list[Resource]:
    """Return a segment's resources. They depend on nothing but the resolved segment and are kept with it."""
    return resolved.derived.get(_SEGMENT_RESOURCES, (), lambda: list(_build_segment_resources(network, resolved)))


def _build_segment_resources(network: Network, resolved: ResolvedSegment) -> Iterator[Resource]:
    """Yield the part that all nodes share, and each node's own.

    Neither waits for the other: a node carries a segment out when it has both, and a change of both reaches it at once.
    Nothing waits for the shared part, which is done when the last node has it: a dead exchange stops no other.
    """
    segment = resolved.segment
    yield Resource(
        segment_address(segment.key), "exchange.segment", segment_body(network, resolved), subjects=(segment.uid,)
    )
    services: dict[str, dict[str, ServiceEntry]] = {}
    for node in network.nodes:
        if node.exchange.uid not in services:
            services[node.exchange.uid] = services_for_exchange(network, resolved, node.exchange)
        yield Resource(
            vrf_address(node.id, segment.key),
            "exchange.vrf",
            vrf_body(resolved, node, services[node.exchange.uid]),
            subjects=(segment.uid, node.exchange.uid),
        )


def _instance_resource(network: Network, instance: ServiceInstance, segments: list[Segment]) -> Resource:
    service, exchange = instance.service, instance.exchange
    needed = {presence_address(exchange.key), *(vrf_address(instance.host, segment.key) for segment in segments)}
    return Resource(
        instance_address(service.key, exchange.key, instance.ordinal),
        "exchange.instance",
        instance_body(network, instance, segments),
        tuple(sorted(needed)),
        (service.uid, exchange.uid),
    )
