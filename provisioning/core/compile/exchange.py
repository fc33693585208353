"""What exchanges run: presences, segment sections, connectors and service instances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioning.core.compile import connectors
from provisioning.core.compile.resource_addresses import (
    instance_address,
    presence_address,
    segment_address,
    vrf_address,
)
from provisioning.core.compile.sections import segment_section, services_section, vrf_section
from provisioning.core.compile.service_instances import instance_section, service_segments
from provisioning.core.intent import Intent, Segment
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
        reached = service_segments(network)
        for instance in network.instances:
            yield _instance_resource(network, instance, reached[instance.service.uid])


def _presence_resources(intent: Intent) -> Iterator[Resource]:
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


def _segment_resources(network: Network, resolved: ResolvedSegment) -> list[Resource]:
    """A segment's resources; they hang on nothing but its realm and are kept with it."""
    return resolved.derived.get(_SEGMENT_RESOURCES, (), lambda: list(_build_segment_resources(network, resolved)))


def _build_segment_resources(network: Network, resolved: ResolvedSegment) -> Iterator[Resource]:
    """The part that all nodes share, and each node's own.

    Neither waits for the other: a node carries a segment out when it has both, and a change of both is to reach it at
    once. Nothing waits for the shared part, which is done when the last node has it: a dead exchange stops no other.
    """
    segment = resolved.segment
    yield Resource(
        segment_address(segment.key), "exchange.segment", segment_section(network, resolved), subjects=(segment.uid,)
    )
    served: dict[str, dict[str, Any]] = {}
    for node in network.nodes:
        if node.exchange.uid not in served:
            served[node.exchange.uid] = services_section(network, resolved, node.exchange)
        yield Resource(
            vrf_address(node.id, segment.key),
            "exchange.vrf",
            vrf_section(resolved, node, served[node.exchange.uid]),
            subjects=(segment.uid, node.exchange.uid),
        )


def _instance_resource(network: Network, instance: ServiceInstance, segments: list[Segment]) -> Resource:
    service, exchange = instance.service, instance.exchange
    needed = {presence_address(exchange.key), *(vrf_address(instance.host, segment.key) for segment in segments)}
    return Resource(
        instance_address(service.key, exchange.key, instance.ordinal),
        "exchange.instance",
        instance_section(network, instance, segments),
        tuple(sorted(needed)),
        (service.uid, exchange.uid),
    )
