"""Instances of services: what their hosts run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioning.core.compile.rules import match_section
from provisioning.core.compile.shares import services_in_use
from provisioning.core.intent import FirewallSettings, Intent, Segment, Service
from provisioning.core.resolve.fabric import ServiceInstance
from provisioning.core.resolve.network import Network


def service_segments(network: Network) -> dict[str, list[Segment]]:
    """Service uid → the segments it has an arm in, by number: its own, and those that decide flows for it."""
    found: dict[str, set[str]] = {uid: set(one.segments) for uid, one in network.intent.services.items()}
    for uid, resolved in network.resolved_segments.items():
        for service in services_in_use(resolved):
            found[service].add(uid)
    segments = network.intent.segments
    return {
        uid: sorted((segments[one] for one in held), key=lambda segment: segment.number) for uid, held in found.items()
    }


def instance_section(network: Network, instance: ServiceInstance, segments: Sequence[Segment]) -> dict[str, Any]:
    """``segments``: those it has an arm in."""
    service = instance.service
    section: dict[str, Any] = {
        "service": service.key,
        "number": service.number,
        "product": service.product,
        "license": service.license,
        "exchange": instance.exchange.key,
        "instance": instance.ordinal,
        "host": instance.host,
        "segments": [
            {"segment": segment.key, "number": segment.number, "index": instance.mesh} for segment in segments
        ],
        "zones": _zones(network.intent, service),
        "default": service.firewall_default,
        "rules": [{"action": rule.action, **match_section(network, rule)} for rule in service.firewall_rules],
    }
    if not isinstance(service.settings, FirewallSettings):
        section["settings"] = service.settings
    return section


def _zones(intent: Intent, service: Service) -> list[dict[str, Any]]:
    """The firewall's names for groups of a segment."""
    return [
        {
            "name": zone.name,
            "segment": intent.segments[zone.segment].key,
            "groups": [intent.groups[uid].key for uid in zone.groups],
        }
        for zone in service.zones
    ]
