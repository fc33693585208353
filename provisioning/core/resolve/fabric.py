"""The exchange nodes and service instances of a network, and their indexes in the mesh.

Everything here is computed from the intent alone, so that plans, traces and node documents agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from provisioning.core.intent import Catalog, Exchange, Intent, Service
from provisioning.core.node_document import MAX_INSTANCES

MAX_EXCHANGES = 50
"""Nodes have the mesh indexes 1 to 100, service instances those from 101."""

FIRST_INSTANCE_INDEX = 101

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class ExchangeNode:
    """One of the two nodes of an exchange. id: like ``eu/1``; mesh_index: its index in every segment's mesh."""

    id: str
    exchange: Exchange
    index: int
    mesh_index: int
    underlay: str
    public_ip: str


@dataclass(frozen=True, slots=True)
class ServiceInstance:
    """One running copy of a service. id: like ``fw/eu/1``; host: id of the node it runs on."""

    id: str
    service: Service
    exchange: Exchange
    ordinal: int
    mesh_index: int
    host: str
    underlay: str


def allocate_indexes(wanted: Iterable[tuple[Key, int]], size: int) -> dict[Key, int]:
    """Return an index from 0 to size-1 for each key: the wanted one or the next that is free; the first is never moved.

    This is hashing with linear probing, in the order of ``wanted``. Raise ValueError when there are more than ``size``.
    """
    indexes: dict[Key, int] = {}
    taken: set[int] = set()
    for key, preferred in wanted:
        if len(taken) == size:
            raise ValueError(f"no index is left of {size}")
        index = preferred % size
        while index in taken:
            index = (index + 1) % size
        taken.add(index)
        indexes[key] = index
    return indexes


def sort_by_number(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return sorted(exchanges, key=lambda exchange: exchange.number)


def exchange_nodes(intent: Intent) -> list[ExchangeNode]:
    """Return both nodes of every exchange, by exchange number; of at most MAX_EXCHANGES, at known locations."""
    exchanges = sort_by_number(_available_exchanges(intent).values())[:MAX_EXCHANGES]
    indexes = allocate_indexes(((exchange.uid, exchange.number) for exchange in exchanges), MAX_EXCHANGES)
    nodes = []
    for exchange in exchanges:
        location = intent.catalog.locations[exchange.location]
        for index in (1, 2):
            site = location.node(index)
            nodes.append(
                ExchangeNode(
                    id=f"{exchange.key}/{index}",
                    exchange=exchange,
                    index=index,
                    mesh_index=2 * indexes[exchange.uid] + index,
                    underlay=site.underlay,
                    public_ip=site.public_ip,
                )
            )
    return nodes


def _available_exchanges(intent: Intent) -> dict[str, Exchange]:
    """Those at locations that the catalogue has; ``check`` reports the others."""
    return {
        uid: exchange for uid, exchange in intent.exchanges.items() if exchange.location in intent.catalog.locations
    }


def service_instances(intent: Intent) -> list[ServiceInstance]:
    """Return the minimum of instances of each placement, by service and exchange, spread over the exchange's nodes."""
    available = _available_exchanges(intent)
    wanted = [
        (service, exchange, ordinal)
        for service in sorted(intent.services.values(), key=lambda service: service.number)
        for placements in ({placement.exchange: placement for placement in service.placements},)
        for exchange in sort_by_number(available[uid] for uid in placements if uid in available)
        for ordinal in range(1, placements[exchange.uid].min_instances + 1)
    ]
    indexes = allocate_indexes(
        (
            (position, 64 * service.number + 16 * exchange.number + ordinal)
            for position, (service, exchange, ordinal) in enumerate(wanted)
        ),
        MAX_INSTANCES,
    )
    instances = []
    for position, (service, exchange, ordinal) in enumerate(wanted):
        node = 1 + (ordinal - 1) % 2
        instances.append(
            ServiceInstance(
                id=f"{service.key}/{exchange.key}/{ordinal}",
                service=service,
                exchange=exchange,
                ordinal=ordinal,
                mesh_index=FIRST_INSTANCE_INDEX + indexes[position],
                host=f"{exchange.key}/{node}",
                underlay=intent.catalog.locations[exchange.location].node(node).underlay,
            )
        )
    return instances


def placement_exchanges(exchanges: Mapping[str, Exchange], service: Service) -> list[Exchange]:
    """Return those of some exchanges (by uid) at which a service has instances, by number."""
    uids = {placement.exchange for placement in service.placements if placement.min_instances > 0}
    return sort_by_number(exchanges[uid] for uid in uids if uid in exchanges)


def serving_exchange(
    catalog: Catalog, exchanges: Mapping[str, Exchange], service: Service, here: Exchange
) -> Exchange | None:
    """Return the exchange whose instances serve flows anchored at ``here``: itself, else the nearest placement."""
    return nearest_exchange(catalog, placement_exchanges(exchanges, service), here)


def nearest_exchange(catalog: Catalog, candidates: Iterable[Exchange], *here: Exchange) -> Exchange | None:
    """Return the candidate with the least sum of distances to all of ``here``; of equal ones the lowest number."""
    return min(
        candidates,
        default=None,
        key=lambda exchange: (
            sum(
                0.0 if origin.uid == exchange.uid else catalog.distance_km(origin.location, exchange.location)
                for origin in here
            ),
            exchange.number,
        ),
    )
