"""Instances of services: what their hosts run."""

from __future__ import annotations

from collections.abc import Sequence

from provisioning.core.compile.resource_addresses import exchange_nodes
from provisioning.core.compile.rules import flow_match_entry
from provisioning.core.compile.shares import services_in_use
from provisioning.core.intent import FirewallSettings, Intent, Segment, Service
from provisioning.core.node_document import VERSION, InstanceBody, ZoneEntry
from provisioning.core.resolve.fabric import ServiceInstance
from provisioning.core.resolve.network import Network


def service_segments(network: Network) -> dict[str, list[Segment]]:
    """Return service uid → the segments it has an arm in, by number: its own, and those that decide flows for it."""
    arms: dict[str, set[str]] = {uid: set(service.segments) for uid, service in network.intent.services.items()}
    for uid, resolved in network.resolved_segments.items():
        for service in services_in_use(resolved):
            arms[service].add(uid)
    segments = network.intent.segments
    return {
        service: sorted((segments[uid] for uid in uids), key=lambda segment: segment.number)
        for service, uids in arms.items()
    }


def instance_body(network: Network, instance: ServiceInstance, segments: Sequence[Segment]) -> InstanceBody:
    """Return the body of an instance with an arm in each of ``segments``. Both nodes of its exchange get it; the host
    runs it."""
    service = instance.service
    body: InstanceBody = {
        "version": VERSION,
        "nodes": exchange_nodes(instance.exchange),
        "service": service.key,
        "number": service.number,
        "product": service.product,
        "license": service.license,
        "exchange": instance.exchange.key,
        "instance": instance.ordinal,
        "host": instance.host,
        "segments": [
            {"segment": segment.key, "number": segment.number, "index": instance.mesh_index} for segment in segments
        ],
        "zones": _zone_entries(network.intent, service),
        "default_action": service.firewall_default,
        "rules": [
            {"action": rule.action, **flow_match_entry(network.prefixes, rule)} for rule in service.firewall_rules
        ],
    }
    if not isinstance(service.settings, FirewallSettings):
        body["settings"] = service.settings
    return body


def _zone_entries(intent: Intent, service: Service) -> list[ZoneEntry]:
    return [
        {
            "name": zone.name,
            "segment": intent.segments[zone.segment].key,
            "groups": [intent.groups[uid].key for uid in zone.groups],
        }
        for zone in service.zones
    ]
