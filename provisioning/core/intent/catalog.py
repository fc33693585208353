"""What the operator offers: locations with their two nodes, sizes, marketplace products."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CatalogNode:
    """One routing node of a location: ``index`` 1 or 2, address inside the mesh, address on the internet."""

    index: int
    underlay: str
    public_ip: str


@dataclass(frozen=True, slots=True)
class Location:
    key: str
    provider: str
    region: str
    name: str
    latitude: float
    longitude: float
    nodes: tuple[CatalogNode, ...]

    def node(self, index: int) -> CatalogNode:
        return next(node for node in self.nodes if node.index == index)


@dataclass(frozen=True, slots=True)
class Catalog:
    """``sizes``: name → bits per second; ``products``: keys of the marketplace products on offer;
    ``provisioned_kinds``: kinds of cloud connectors whose side in the cloud is set up too, not by hand."""

    locations: Mapping[str, Location] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    products: Collection[str] = ()
    provisioned_kinds: Collection[str] = ()

    def distance_km(self, origin: str, destination: str) -> float:
        """Great-circle distance of two locations in kilometres (haversine); infinite where one is unknown."""
        a, b = self.locations.get(origin), self.locations.get(destination)
        if a is None or b is None:
            return math.inf
        lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
        half_lat, half_lon = (lat2 - lat1) / 2, math.radians(b.longitude - a.longitude) / 2
        chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
        return 2 * 6371.0 * math.asin(min(1.0, math.sqrt(chord)))
