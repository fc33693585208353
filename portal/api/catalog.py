"""What the operator offers: locations for exchanges, marketplace products, sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint
from portal.api.fields import flag, number, several, shape, text, texts
from portal.api.pages import of_values
from portal.api.schema import listed, own
from provisioning.catalog import PRODUCTS, SIZES, catalog

LOCATION = shape(
    "Location",
    key=text("what an exchange's `location` names"),
    provider=text(),
    region=text(),
    name=text(),
    latitude=serializers.FloatField(),
    longitude=serializers.FloatField(),
    nodes=several(shape("LocationNode", index=number("1 or 2"), public_ip=text())),
)
PRODUCT = shape(
    "Product",
    key=text("what a service's `product` names"),
    name=text(),
    vendor=text(),
    category=text(),
    licenses=texts(),
    available=flag("whether this installation can run it"),
    note=text(),
)
SIZE = shape("Size", key=text(), bits_per_second=number())


def _location(location: Any) -> dict[str, Any]:
    plain = asdict(location)
    # Underlay addresses are the operator's own business.
    return {**plain, "nodes": [{"index": n["index"], "public_ip": n["public_ip"]} for n in plain["nodes"]]}


class CatalogEndpoint(Endpoint, ABC):
    reads = None
    filters: tuple[str, ...] = ()

    @abstractmethod
    def values(self) -> list[dict[str, Any]]:
        """What is offered, as JSON values."""

    def get(self, request: Request) -> Response:
        return Response(of_values(request, self.values(), self.filters))


class Locations(CatalogEndpoint):
    """Where an exchange can be."""

    filters = ("provider", "region")
    get = listed(LOCATION, "Location", filters=filters)(own(CatalogEndpoint.get))

    def values(self) -> list[dict[str, Any]]:
        return [_location(location) for location in catalog().locations.values()]


class Products(CatalogEndpoint):
    """Marketplace products; a service names one."""

    filters = ("category", "vendor")
    get = listed(PRODUCT, "Product", filters=filters)(own(CatalogEndpoint.get))

    def values(self) -> list[dict[str, Any]]:
        return [{**asdict(product), "licenses": list(product.licenses)} for product in PRODUCTS]


class Sizes(CatalogEndpoint):
    """Rates of exchanges and connectors."""

    get = listed(SIZE, "Size")(own(CatalogEndpoint.get))

    def values(self) -> list[dict[str, Any]]:
        return [{"key": key, "bits_per_second": rate} for key, rate in SIZES.items()]
