"""What a network stands on: its nodes, its service instances, and the places they get in the mesh.

Everything here is computed from the intent alone, so that plans, traces and node documents agree without asking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from provisioning.core.intent import Catalog, Exchange, Intent, Service
from provisioning.core.node_document import MAX_INSTANCES

MAX_EXCHANGES = 50
"""Nodes have the mesh places 1 to 100, service instances those from 101."""

FIRST_INSTANCE_INDEX = 101

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class ExchangeNode:
    """``id`` is ``eu/1``; ``mesh`` is its place in every segment's mesh."""

    id: str
    exchange: Exchange
    index: int
    mesh: int
    underlay: str
    public_ip: str


@dataclass(frozen=True, slots=True)
class ServiceInstance:
    """One running copy of a service; ``id`` is ``fw/eu/1``."""

    id: str
    service: Service
    exchange: Exchange
    ordinal: int
    mesh: int
    host: str
    underlay: str


def rendezvous_weight(*parts: object) -> int:
    """The weight of a candidate in a rendezvous hash; the highest wins."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def allocate_indexes(wanted: Iterable[tuple[Key, int]], size: int) -> dict[Key, int]:
    """Places 0 … size-1: everyone gets the place they want or the next free one; who comes first is never moved.

    Raises ValueError when there are more than ``size``.
    """
    places: dict[Key, int] = {}
    taken: set[int] = set()
    for key, wish in wanted:
        if len(taken) == size:
            raise ValueError(f"no place is left of {size}")
        place = wish % size
        while place in taken:
            place = (place + 1) % size
        taken.add(place)
        places[key] = place
    return places


def sort_by_number(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return sorted(exchanges, key=lambda exchange: exchange.number)


def exchange_nodes(intent: Intent) -> list[ExchangeNode]:
    """Both nodes of every exchange, by exchange number; of as many exchanges, at known locations, as there can be."""
    exchanges = sort_by_number(_available_exchanges(intent).values())[:MAX_EXCHANGES]
    places = allocate_indexes(((exchange.uid, exchange.number) for exchange in exchanges), MAX_EXCHANGES)
    found = []
    for exchange in exchanges:
        location = intent.catalog.locations[exchange.location]
        for index in (1, 2):
            site = location.node(index)
            found.append(
                ExchangeNode(
                    id=f"{exchange.key}/{index}",
                    exchange=exchange,
                    index=index,
                    mesh=2 * places[exchange.uid] + index,
                    underlay=site.underlay,
                    public_ip=site.public_ip,
                )
            )
    return found


def _available_exchanges(intent: Intent) -> dict[str, Exchange]:
    """Of a location that is gone from the catalogue ``check`` complains; nothing can be there."""
    return {uid: one for uid, one in intent.exchanges.items() if one.location in intent.catalog.locations}


def service_instances(intent: Intent) -> list[ServiceInstance]:
    """Each placement's minimum of instances, spread over the two nodes of its exchange, by (service, exchange, i)."""
    there = _available_exchanges(intent)
    wanted = [
        (service, exchange, ordinal)
        for service in sorted(intent.services.values(), key=lambda service: service.number)
        for placements in ({placement.exchange: placement for placement in service.placements},)
        for exchange in sort_by_number(there[uid] for uid in placements if uid in there)
        for ordinal in range(1, placements[exchange.uid].min_instances + 1)
    ]
    places = allocate_indexes(
        ((place, 64 * one.number + 16 * where.number + ordinal) for place, (one, where, ordinal) in enumerate(wanted)),
        MAX_INSTANCES,
    )
    found = []
    for place, (service, exchange, ordinal) in enumerate(wanted):
        node = 1 + (ordinal - 1) % 2
        found.append(
            ServiceInstance(
                id=f"{service.key}/{exchange.key}/{ordinal}",
                service=service,
                exchange=exchange,
                ordinal=ordinal,
                mesh=FIRST_INSTANCE_INDEX + places[place],
                host=f"{exchange.key}/{node}",
                underlay=intent.catalog.locations[exchange.location].node(node).underlay,
            )
        )
    return found


def placement_exchanges(exchanges: Mapping[str, Exchange], service: Service) -> list[Exchange]:
    """The exchanges (of these, by uid) at which a service has instances, by number."""
    uids = {placement.exchange for placement in service.placements if placement.min_instances > 0}
    return sort_by_number(exchanges[uid] for uid in uids if uid in exchanges)


def serving_exchange(
    catalog: Catalog, exchanges: Mapping[str, Exchange], service: Service, here: Exchange
) -> Exchange | None:
    """The exchange whose instances serve flows anchored at ``here``: itself, else the nearest placement."""
    return nearest_exchange(catalog, placement_exchanges(exchanges, service), here)


def nearest_exchange(catalog: Catalog, candidates: Iterable[Exchange], *here: Exchange) -> Exchange | None:
    """The candidate with the least distance to all of ``here`` together; equal ones by number."""
    return min(
        candidates,
        default=None,
        key=lambda exchange: (
            sum(
                0.0 if spot.uid == exchange.uid else catalog.distance_km(spot.location, exchange.location)
                for spot in here
            ),
            exchange.number,
        ),
    )
