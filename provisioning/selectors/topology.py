"""The topology as pages draw it: what is live, where it is, its state, and its traffic."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max

from provisioning.catalog import catalog
from provisioning.core.intent import Connector, Exchange, Intent
from provisioning.models import Revision
from provisioning.selectors.network_health import Health, ObservedHealth, RecordedHealth
from provisioning.selectors.traffic_history import Span, recorded_traffic
from provisioning.selectors.traffic_rates import current_rates
from provisioning.snapshots import queries, tenant_cache
from provisioning.snapshots.queries import Snapshot

UNSEEN = ("pending", "unknown")
"""States in which nothing is known of the nodes."""


def load_topology(now: datetime) -> dict[str, Any]:
    """Return the nodes and edges of the live network with their states and last rates.

    Edge ids are those of the socket's rates: ``connector/{key}`` and ``mesh/{a}/{b}`` (exchanges in order of key).
    States: up, degraded, down, pending (live but not provisioned yet).
    """
    return _draw(queries.live_snapshot(), now, ObservedHealth(now), current_rates(now))


def load_past_topology(at: datetime, span: Span) -> dict[str, Any]:
    """Return what ``load_topology`` does, of the slot of a span that begins at an instant.

    The network is the one that was live then, the rates are means of the slot. A node is up that was heard in it; where
    none was, all states are unknown.
    """
    revision = Revision.objects.filter(created_at__lte=at + span.slot).aggregate(newest=Max("number"))["newest"] or 0
    recorded = recorded_traffic(at, span)
    return _draw(queries.Snapshot(revision), at, RecordedHealth(recorded.heard), recorded.rates)


def _draw(snapshot: Snapshot, at: datetime, health: Health, rates: dict[str, list[float]]) -> dict[str, Any]:
    intent = tenant_cache.load_network(snapshot).intent
    return {
        "revision": snapshot.revision,
        "at": at,
        "simulated": health.simulated,
        "nodes": [
            *(_exchange_node(exchange, health) for exchange in intent.exchanges.values()),
            *(
                _connector_node(connector, intent, health)
                for connector in intent.connectors.values()
                if connector.enabled
            ),
            *(_service_node(uid, intent, health) for uid in intent.services),
        ],
        "edges": [*_connector_edges(intent, health, rates), *_mesh_edges(intent, health, rates)],
    }


def _exchange_node(exchange: Exchange, health: Health) -> dict[str, Any]:
    location = catalog().locations[exchange.location]
    up = health.nodes_up(exchange.location)
    state = health.resource_state(f"exchange/{exchange.key}")
    return {
        "id": f"exchange/{exchange.key}",
        "uid": exchange.uid,
        "kind": "exchange",
        "name": exchange.name,
        "state": state if state in UNSEEN else ("down", "degraded", "up")[up],
        "location": exchange.location,
        "place": location.name,
        "provider": location.provider,
        "latitude": location.latitude,
        "longitude": location.longitude,
        "size": exchange.size,
        "nodes_up": up,
        "nodes": 2,
    }


def _connector_node(connector: Connector, intent: Intent, health: Health) -> dict[str, Any]:
    exchange = intent.exchanges[connector.exchange]
    return {
        "id": f"connector/{connector.key}",
        "uid": connector.uid,
        "kind": "connector",
        "type": connector.kind,
        "name": connector.name,
        "state": _connector_state(connector, exchange, health),
        "exchange": f"exchange/{exchange.key}",
        "size": connector.size,
        "rate": catalog().sizes.get(connector.size),
        "segments": sorted({intent.segments[a.segment].name for a in connector.attachments}),
        "groups": sorted({intent.groups[uid].name for a in connector.attachments for uid in a.member_of}),
        "attachments": [
            {
                "segment": intent.segments[a.segment].name,
                "color": intent.segments[a.segment].color,
                "groups": [intent.groups[uid].name for uid in a.member_of],
                "prefixes": list(a.prefixes),
            }
            for a in connector.attachments
        ],
        "circuits": [
            {
                "name": circuit.name,
                "node": circuit.node,
                "role": circuit.role,
                "local": circuit.local,
                "peer": circuit.peer,
                "state": "up" if health.is_node_up(exchange.location, circuit.node) else "down",
            }
            for circuit in connector.circuits
        ],
    }


def _connector_state(connector: Connector, exchange: Exchange, health: Health) -> str:
    state = health.resource_state(f"connector/{connector.key}")
    if state != "up":
        return state
    circuits = [health.is_node_up(exchange.location, circuit.node) for circuit in connector.circuits]
    return "up" if all(circuits) else "degraded" if any(circuits) else "down"


def _service_node(uid: str, intent: Intent, health: Health) -> dict[str, Any]:
    service = intent.services[uid]
    instances = [
        f"service/{service.key}/{intent.exchanges[placement.exchange].key}/instance/{number}"
        for placement in service.placements
        for number in range(1, placement.min_instances + 1)
    ]
    states = {health.resource_state(address) for address in instances}
    return {
        "id": f"service/{service.key}",
        "uid": service.uid,
        "kind": "service",
        "type": service.product,
        "name": service.name,
        "state": states.pop() if len(states) == 1 else "degraded" if states else "down",
        "exchanges": [f"exchange/{intent.exchanges[p.exchange].key}" for p in service.placements],
        "instances": len(instances),
        "segments": sorted(intent.segments[segment].name for segment in service.segments),
    }


def _connector_edges(intent: Intent, health: Health, rates: dict[str, list[float]]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"connector/{connector.key}",
            "kind": "circuit",
            "from": f"connector/{connector.key}",
            "to": f"exchange/{intent.exchanges[connector.exchange].key}",
            "state": _connector_state(connector, intent.exchanges[connector.exchange], health),
            "rates": rates.get(f"connector/{connector.key}", [0, 0]),
        }
        for connector in intent.connectors.values()
        if connector.enabled
    ]


def _mesh_edges(intent: Intent, health: Health, rates: dict[str, list[float]]) -> list[dict[str, Any]]:
    exchanges = sorted(intent.exchanges.values(), key=lambda exchange: exchange.key)
    return [
        {
            "id": f"mesh/{a.key}/{b.key}",
            "kind": "mesh",
            "from": f"exchange/{a.key}",
            "to": f"exchange/{b.key}",
            "state": _mesh_state(a, b, health),
            "rates": rates.get(f"mesh/{a.key}/{b.key}", [0, 0]),
        }
        for number, a in enumerate(exchanges)
        for b in exchanges[number + 1 :]
    ]


def _mesh_state(a: Exchange, b: Exchange, health: Health) -> str:
    states = [health.resource_state(f"exchange/{exchange.key}") for exchange in (a, b)]
    if unseen := [state for state in states if state in UNSEEN]:
        return unseen[0]
    return ("down", "degraded", "up")[min(health.nodes_up(a.location), health.nodes_up(b.location))]
