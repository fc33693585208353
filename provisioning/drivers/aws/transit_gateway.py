"""The hub of one account and region; VPCs and the exchange's VPNs hang on it."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.tagged import AwsItem, ResourceContext, TaggedResource


class TransitGateway(TaggedResource):
    """Body: account, region, asn. Attributes: id, arn, asn.

    Nothing is associated or propagated by default: a VPC belongs to the one segment that asked for it.
    """

    kind = "aws.transit-gateway"
    replace_on = frozenset({"account", "region", "asn"})
    listing, items, id_key = "DescribeTransitGateways", "TransitGateways", "TransitGatewayId"
    resource_type = "transit-gateway"
    poll_seconds = 10.0

    def create(self, context: ResourceContext) -> AwsItem:
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
            TagSpecifications=context.tags(self.resource_type),
        )
        item: AwsItem = answer["TransitGateway"]
        return item

    def delete(self, context: ResourceContext, found: AwsItem) -> None:
        context.api.write("DeleteTransitGateway", TransitGatewayId=found[self.id_key])

    def attributes(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        return {"id": found[self.id_key], "arn": found.get("TransitGatewayArn", ""), "asn": self._asn(found)}

    def read_body(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        return {"asn": self._asn(found)}

    def _asn(self, found: AwsItem) -> int:
        return int(found.get("Options", {}).get("AmazonSideAsn", 0))
