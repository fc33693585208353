"""What the operator offers: locations with their node pairs, sizes, marketplace products. Data, served by the API.

Underlay addresses are those of the lab; public addresses are from the documentation blocks (RFC 5737).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from provisioning.core.intent import Catalog, CatalogNode, Location
from provisioning.drivers import CLOUDS

# A location's number makes the addresses of its nodes, so it never changes and is never given twice.
_LOCATIONS = [
    # number, key, provider, region, name, latitude, longitude
    (0, "aws-eu-central-1", "aws", "eu-central-1", "Frankfurt", 50.11, 8.68),
    (1, "aws-us-east-1", "aws", "us-east-1", "Virginia", 38.95, -77.45),
    (2, "aws-ap-southeast-1", "aws", "ap-southeast-1", "Singapore", 1.35, 103.82),
    (3, "azure-westeurope", "azure", "westeurope", "Amsterdam", 52.37, 4.9),
    (4, "gcp-europe-west2", "gcp", "europe-west2", "London", 51.51, -0.13),
    (5, "aws-sa-east-1", "aws", "sa-east-1", "São Paulo", -23.55, -46.63),
]

PROVIDER_NAMES = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}

SIZES: dict[str, int] = {
    "xsmall": 20_000_000,
    "small": 100_000_000,
    "medium": 500_000_000,
    "large": 1_000_000_000,
    "2large": 2_000_000_000,
    "5large": 5_000_000_000,
    "10large": 10_000_000_000,
}


@dataclass(frozen=True, slots=True)
class Product:
    """A marketplace product. ``available`` says whether this installation can run it, ``note`` why not."""

    key: str
    name: str
    vendor: str
    category: str
    licenses: tuple[str, ...]
    available: bool
    note: str


PRODUCTS = [
    Product(
        "linux-firewall",
        "Linux firewall",
        "Causeway",
        "firewall",
        ("payg",),
        True,
        "nftables on the exchange nodes; stateful; its rules are part of every trace and plan.",
    ),
]


@cache
def catalog() -> Catalog:
    """The catalogue as the core takes it."""
    locations = {}
    for number, key, provider, region, name, latitude, longitude in _LOCATIONS:
        nodes = tuple(
            CatalogNode(index, f"172.31.{number}.{index}", f"203.0.113.{number * 2 + index}") for index in (1, 2)
        )
        locations[key] = Location(key, provider, region, name, latitude, longitude, nodes)
    return Catalog(
        locations=locations,
        sizes=SIZES,
        products=tuple(product.key for product in PRODUCTS if product.available),
        provisioned_kinds=frozenset(kind for cloud in CLOUDS.values() for kind in cloud.connector_settings),
    )
