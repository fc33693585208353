"""Transit gateways: the hub of one account and region, to which VPCs and the exchanges' VPNs attach."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.tagged import AwsContext, AwsTaggedResource
from provisioning.drivers.tagged import Item


class TransitGateway(AwsTaggedResource):
    """Body: account, region, asn. Attributes: id, arn, asn.

    Nothing is associated or propagated by default: a VPC belongs to the one segment that asked for it.
    """

    kind = "aws.transit-gateway"
    replace_on = frozenset({"account", "region", "asn"})
    listing, items, id_key = "DescribeTransitGateways", "TransitGateways", "TransitGatewayId"
    resource_type = "transit-gateway"
    poll_seconds = 10.0

    def create(self, context: AwsContext) -> Item:
        options = {
            "AmazonSideAsn": context.body["asn"],
            "AutoAcceptSharedAttachments": "disable",
            "DefaultRouteTableAssociation": "disable",
            "DefaultRouteTablePropagation": "disable",
            "VpnEcmpSupport": "enable",
            "DnsSupport": "enable",
        }
        answer = context.api.write(
            "CreateTransitGateway",
            Description=f"Causeway {context.tag}",
            Options=options,
            TagSpecifications=self.tag_specifications(context),
        )
        item: Item = answer["TransitGateway"]
        return item

    def delete(self, context: AwsContext, item: Item) -> None:
        context.api.write("DeleteTransitGateway", TransitGatewayId=item[self.id_key])

    def attributes(self, context: AwsContext, item: Item) -> dict[str, Any]:
        return {"id": item[self.id_key], "arn": item.get("TransitGatewayArn", ""), "asn": self._asn(item)}

    def read_body(self, context: AwsContext, item: Item) -> dict[str, Any]:
        return {"asn": self._asn(item)}

    def _asn(self, item: Item) -> int:
        return int(item.get("Options", {}).get("AmazonSideAsn", 0))
