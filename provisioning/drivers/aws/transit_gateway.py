"""The hub of one account and region; VPCs and the exchange's VPNs hang on it."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.noun import Item, Job, Noun


class TransitGateway(Noun):
    """Body: account, region, asn. Attributes: id, arn, asn.

    Nothing is associated or propagated by default: a VPC belongs to the one segment that asked for it.
    """

    kind = "aws.transit-gateway"
    replace_on = frozenset({"account", "region", "asn"})
    listing, items, id_key = "DescribeTransitGateways", "TransitGateways", "TransitGatewayId"
    resource_type = "transit-gateway"
    poll_seconds = 10.0

    def create(self, job: Job) -> Item:
        options = {
            "AmazonSideAsn": job.body["asn"],
            "AutoAcceptSharedAttachments": "disable",
            "DefaultRouteTableAssociation": "disable",
            "DefaultRouteTablePropagation": "disable",
            "VpnEcmpSupport": "enable",
            "DnsSupport": "enable",
        }
        answer = job.api.write(
            "CreateTransitGateway",
            Description=f"Causeway {job.tag}",
            Options=options,
            TagSpecifications=job.tags(self.resource_type),
        )
        item: Item = answer["TransitGateway"]
        return item

    def delete(self, job: Job, found: Item) -> None:
        job.api.write("DeleteTransitGateway", TransitGatewayId=found[self.id_key])

    def attributes(self, job: Job, found: Item) -> dict[str, Any]:
        return {"id": found[self.id_key], "arn": found.get("TransitGatewayArn", ""), "asn": self._asn(found)}

    def read(self, job: Job, found: Item) -> dict[str, Any]:
        return {"asn": self._asn(found)}

    def _asn(self, found: Item) -> int:
        return int(found.get("Options", {}).get("AmazonSideAsn", 0))
