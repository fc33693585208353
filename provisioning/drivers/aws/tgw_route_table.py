"""A segment's two route tables: *spoke*, which VPCs look at, and *exchange*, which the VPNs look at."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.noun import Item, Job, Noun


class TransitGatewayRouteTable(Noun):
    """Body: tgw, role, segment. Attributes: id."""

    kind = "aws.tgw-route-table"
    replace_on = frozenset({"tgw"})
    listing, items = "DescribeTransitGatewayRouteTables", "TransitGatewayRouteTables"
    id_key, resource_type = "TransitGatewayRouteTableId", "transit-gateway-route-table"

    def create(self, job: Job) -> Item:
        answer = job.api.write(
            "CreateTransitGatewayRouteTable",
            TransitGatewayId=job.body["tgw"],
            TagSpecifications=job.tags(self.resource_type),
        )
        item: Item = answer["TransitGatewayRouteTable"]
        return item

    def delete(self, job: Job, found: Item) -> None:
        job.api.write("DeleteTransitGatewayRouteTable", TransitGatewayRouteTableId=found[self.id_key])

    def read(self, job: Job, found: Item) -> dict[str, Any]:
        return {"tgw": found["TransitGatewayId"]}
