"""Step 3 of the recipe: discovery and the driver, on the shared base of tagged resources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioning.core.values.resource import Change
from provisioning.drivers.base import CloudCredentials, Done, DriverContext, ObservedResource, Waiting
from provisioning.drivers.tagged import ADDRESS_TAG, Item, ItemState, ResourceContext, TaggedResource


@dataclass
class GatewayApi:
    """The cloud itself: gateways in the order they were made. A new one is pending, and available when next listed."""

    gateways: list[Item] = field(default_factory=list)
    creates: int = 0

    def create(self, tags: dict[str, str], vnet: str) -> Item:
        self.creates += 1
        self.gateways.append({"id": f"gateway-{self.creates}", "tags": tags, "vnet": vnet, "state": "pending"})
        return dict(self.gateways[-1])

    def list(self) -> list[Item]:
        items = [dict(gateway) for gateway in self.gateways]
        for gateway in self.gateways:
            gateway["state"] = "available"
        return items

    def delete(self, gateway_id: str) -> None:
        self.gateways = [gateway for gateway in self.gateways if gateway["id"] != gateway_id]


API = GatewayApi()


class Gateway(TaggedResource[GatewayApi]):
    """Body: vnet. Attributes: id."""

    cloud_label = "Test Cloud"
    kind = "testcloud.gateway"
    replace_on = frozenset({"vnet"})
    list_call = "testcloud.ListGateways"

    def list_tagged(self, context: ResourceContext[GatewayApi]) -> list[Item]:
        return [item for item in context.api.list() if item["tags"][ADDRESS_TAG] == context.tag]

    def identifier(self, item: Item) -> str:
        return str(item["id"])

    def state(self, item: Item) -> ItemState:
        return ItemState.AVAILABLE if item["state"] == "available" else ItemState.PENDING

    def reported_state(self, item: Item) -> str:
        return str(item["state"])

    def create(self, context: ResourceContext[GatewayApi]) -> Item:
        return context.api.create(context.tags, context.body["vnet"])

    def delete(self, context: ResourceContext[GatewayApi], item: Item) -> None:
        context.api.delete(item["id"])

    def read_body(self, context: ResourceContext[GatewayApi], item: Item) -> dict[str, Any]:
        return {"vnet": item["vnet"]}


GATEWAY = Gateway()


class GatewayDriver:
    replace_on = {GATEWAY.kind: GATEWAY.replace_on}

    def apply(self, change: Change, context: DriverContext) -> Done | Waiting:
        return GATEWAY.apply(_resource_context(change, context), change)

    def observe(self, desired: Iterable[Change], context: DriverContext) -> list[ObservedResource]:
        return [GATEWAY.observe(_resource_context(change, context)) for change in desired]


def _resource_context(change: Change, context: DriverContext) -> ResourceContext[GatewayApi]:
    body = change.after if change.after is not None else change.before or {}
    known_attributes = context.attributes.get(change.address, {})
    return ResourceContext(API, context.tenant, change.address, body, change.before, known_attributes)


@dataclass(frozen=True)
class VnetInventory:
    vnets: list[dict[str, Any]]
    errors: dict[str, str]


def discover(credentials: CloudCredentials, regions: Sequence[str]) -> VnetInventory:
    vnets = [
        {
            "id": f"vnet-{region}",
            "name": f"shop-{region}",
            "region": region,
            "prefixes": ["10.80.0.0/16"],
            "subnets": [],
        }
        for region in regions
    ]
    return VnetInventory(vnets, {})
