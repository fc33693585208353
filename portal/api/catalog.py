"""The operator's catalogue: locations for exchanges, marketplace products, sizes, well-known ports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.pagination import paginate_values
from portal.api.schema import copy_method, extend_list_schema
from portal.api.schema_fields import boolean, list_of, number, object_schema, text, text_list
from provisioning.catalog import PRODUCTS, SIZES, catalog
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS

LOCATION = object_schema(
    "Location",
    key=text("what an exchange's `location` names"),
    provider=text(),
    region=text(),
    name=text(),
    latitude=serializers.FloatField(),
    longitude=serializers.FloatField(),
    nodes=list_of(object_schema("LocationNode", index=number("1 or 2"), public_ip=text())),
)
PRODUCT = object_schema(
    "Product",
    key=text("what a service's `product` names"),
    name=text(),
    vendor=text(),
    category=text(),
    licenses=text_list(),
    available=boolean("whether this installation can run it"),
    note=text(),
)
SIZE = object_schema("Size", key=text(), bits_per_second=number())
WELL_KNOWN_PORT_LIST = object_schema(
    "WellKnownPorts",
    name=text("what `ports` of a rule may name"),
    entries=list_of(object_schema("WellKnownPortsEntry", protocol=text(), ports=text_list())),
)


def _location_json(location: Any) -> dict[str, Any]:
    fields = asdict(location)
    # Underlay addresses are the operator's own business.
    return {**fields, "nodes": [{"index": n["index"], "public_ip": n["public_ip"]} for n in fields["nodes"]]}


class CatalogListView(BaseApiView, ABC):
    read_right = None
    filters: tuple[str, ...] = ()

    @abstractmethod
    def values(self) -> list[dict[str, Any]]:
        """Return what is offered, as JSON values."""

    def get(self, request: Request) -> Response:
        return Response(paginate_values(request, self.values(), self.filters))


class LocationListView(CatalogListView):
    """Where an exchange can be."""

    filters = ("provider", "region")
    get = extend_list_schema(LOCATION, "Location", filters=filters)(copy_method(CatalogListView.get))

    def values(self) -> list[dict[str, Any]]:
        return [_location_json(location) for location in catalog().locations.values()]


class ProductListView(CatalogListView):
    """Marketplace products; a service names one."""

    filters = ("category", "vendor")
    get = extend_list_schema(PRODUCT, "Product", filters=filters)(copy_method(CatalogListView.get))

    def values(self) -> list[dict[str, Any]]:
        return [{**asdict(product), "licenses": list(product.licenses)} for product in PRODUCTS]


class SizeListView(CatalogListView):
    """Rates of exchanges and connectors."""

    get = extend_list_schema(SIZE, "Size")(copy_method(CatalogListView.get))

    def values(self) -> list[dict[str, Any]]:
        return [{"key": key, "bits_per_second": rate} for key, rate in SIZES.items()]


class WellKnownPortsView(CatalogListView):
    """Names of well-known ports, which rules may name like port lists."""

    get = extend_list_schema(WELL_KNOWN_PORT_LIST, "WellKnownPorts")(copy_method(CatalogListView.get))

    def values(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "entries": [{"protocol": protocol, "ports": [ports]} for protocol, ports in pairs]}
            for name, pairs in WELL_KNOWN_PORTS.items()
        ]
