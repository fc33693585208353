"""Which exchange is nearest to a region of a cloud."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

from provisioning.catalog import catalog
from provisioning.drivers.cloud import Cloud
from provisioning.snapshots.queries import StoredObject

Position = tuple[float, float]
"""Latitude and longitude in degrees."""


def nearest_exchange(cloud: Cloud, region: str, exchanges: Sequence[StoredObject]) -> StoredObject | None:
    """Return the exchange nearest to a region, one in the region itself before others; None where it is not known."""
    locations = catalog().locations
    placed = [(exchange, locations[exchange.body["location"]]) for exchange in exchanges]
    here = next(
        (exchange for exchange, place in placed if (place.provider, place.region) == (cloud.name, region)), None
    )
    if here is not None or region not in cloud.regions:
        return here
    distances = [
        (distance(cloud.regions[region], (place.latitude, place.longitude)), exchange.name, exchange)
        for exchange, place in placed
    ]
    return min(distances)[2] if distances else None


def distance(a: Position, b: Position) -> float:
    """Return the great-circle distance of two places as an angle in radians (haversine formula)."""
    (latitude_a, longitude_a), (latitude_b, longitude_b) = (map(radians, place) for place in (a, b))
    half_chord = (
        sin((latitude_b - latitude_a) / 2) ** 2
        + cos(latitude_a) * cos(latitude_b) * sin((longitude_b - longitude_a) / 2) ** 2
    )
    return 2 * asin(sqrt(half_chord))
