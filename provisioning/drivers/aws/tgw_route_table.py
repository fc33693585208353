"""A segment's two transit gateway route tables: VPCs are associated with *spoke*, VPN connections with *exchange*."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.tagged import AwsContext, AwsTaggedResource
from provisioning.drivers.tagged import Item


class TransitGatewayRouteTable(AwsTaggedResource):
    """Body: tgw, role, segment. Attributes: id."""

    kind = "aws.tgw-route-table"
    replace_on = frozenset({"tgw"})
    listing, items = "DescribeTransitGatewayRouteTables", "TransitGatewayRouteTables"
    id_key, resource_type = "TransitGatewayRouteTableId", "transit-gateway-route-table"

    def create(self, context: AwsContext) -> Item:
        answer = context.api.write(
            "CreateTransitGatewayRouteTable",
            TransitGatewayId=context.body["tgw"],
            TagSpecifications=self.tag_specifications(context),
        )
        item: Item = answer["TransitGatewayRouteTable"]
        return item

    def delete(self, context: AwsContext, item: Item) -> None:
        context.api.write("DeleteTransitGatewayRouteTable", TransitGatewayRouteTableId=item[self.id_key])

    def read_body(self, context: AwsContext, item: Item) -> dict[str, Any]:
        return {"tgw": item["TransitGatewayId"]}
