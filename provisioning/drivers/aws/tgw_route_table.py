"""A segment's two route tables: *spoke*, which VPCs look at, and *exchange*, which the VPNs look at."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.tagged import AwsItem, ResourceContext, TaggedResource


class TransitGatewayRouteTable(TaggedResource):
    """Body: tgw, role, segment. Attributes: id."""

    kind = "aws.tgw-route-table"
    replace_on = frozenset({"tgw"})
    listing, items = "DescribeTransitGatewayRouteTables", "TransitGatewayRouteTables"
    id_key, resource_type = "TransitGatewayRouteTableId", "transit-gateway-route-table"

    def create(self, context: ResourceContext) -> AwsItem:
        answer = context.api.write(
            "CreateTransitGatewayRouteTable",
            TransitGatewayId=context.body["tgw"],
            TagSpecifications=context.tags(self.resource_type),
        )
        item: AwsItem = answer["TransitGatewayRouteTable"]
        return item

    def delete(self, context: ResourceContext, found: AwsItem) -> None:
        context.api.write("DeleteTransitGatewayRouteTable", TransitGatewayRouteTableId=found[self.id_key])

    def read_body(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        return {"tgw": found["TransitGatewayId"]}
