"""A customer's VPC on our transit gateway: a subnet in each zone, its spoke table, its prefixes for the exchange."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws import tgw_routing
from provisioning.drivers.aws.tagged import AwsItem, ResourceContext, TaggedResource, tags_of
from provisioning.drivers.base import Waiting

ONE_PER_AZ = "one-per-az"


class VpcAttachment(TaggedResource):
    """Body: vpc_id, tgw, subnets (ids, or "one-per-az"), associate and propagate (route tables).

    Attributes: id, subnets.
    """

    kind = "aws.vpc-attachment"
    replace_on = frozenset({"vpc_id", "tgw"})
    listing, items = "DescribeTransitGatewayVpcAttachments", "TransitGatewayVpcAttachments"
    id_key, resource_type = "TransitGatewayAttachmentId", "transit-gateway-attachment"

    def create(self, context: ResourceContext) -> AwsItem:
        answer = context.api.write(
            "CreateTransitGatewayVpcAttachment",
            TransitGatewayId=context.body["tgw"],
            VpcId=context.body["vpc_id"],
            SubnetIds=self._choose_subnets(context, kept=[]),
            TagSpecifications=(specification := context.tags(self.resource_type)),
        )
        item: AwsItem = answer["TransitGatewayVpcAttachment"]
        if not item.get("Tags"):
            # An endpoint that drops them (moto's stock server does, for this call) would leave it nobody's.
            context.api.write("CreateTags", Resources=[item[self.id_key]], Tags=specification[0]["Tags"])
        return item

    def reconcile(self, context: ResourceContext, found: AwsItem) -> Waiting | None:
        attachment, before = found[self.id_key], context.before or {}
        there, desired = set(found["SubnetIds"]), set(self._choose_subnets(context, kept=found["SubnetIds"]))
        if there != desired:
            context.api.write(
                "ModifyTransitGatewayVpcAttachment",
                TransitGatewayAttachmentId=attachment,
                **({"AddSubnetIds": sorted(desired - there)} if desired - there else {}),
                **({"RemoveSubnetIds": sorted(there - desired)} if there - desired else {}),
            )
            return Waiting(1, f"{attachment} is changing its subnets")
        if waiting := tgw_routing.ensure_association(
            context, attachment, context.body["associate"], before.get("associate")
        ):
            return waiting
        tgw_routing.ensure_propagations(
            context, attachment, [context.body["propagate"]], filter(None, [before.get("propagate")])
        )
        return None

    def delete(self, context: ResourceContext, found: AwsItem) -> None:
        # AWS takes association and propagation with it.
        context.api.write("DeleteTransitGatewayVpcAttachment", TransitGatewayAttachmentId=found[self.id_key])

    def attributes(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        return {"id": found[self.id_key], "subnets": sorted(found["SubnetIds"])}

    def read_body(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        attachment, there = found[self.id_key], sorted(found["SubnetIds"])
        told: dict[str, Any] = {"vpc_id": found["VpcId"], "tgw": found["TransitGatewayId"]}
        if sorted(self._choose_subnets(context, kept=there)) != there:
            told["subnets"] = there
        if not tgw_routing.is_associated(context, attachment, str(context.body["associate"])):
            told["associate"] = None
        if not tgw_routing.is_propagated(context, attachment, str(context.body["propagate"])):
            told["propagate"] = None
        return told

    def _choose_subnets(self, context: ResourceContext, kept: list[str]) -> list[str]:
        """The wanted subnets by id. Where we choose, a zone keeps the one it has, else a subnet tagged
        ``causeway:attach``, else the one with most free addresses (an attachment takes an address in each)."""
        desired = context.body["subnets"]
        if desired != ONE_PER_AZ:
            return list(desired)
        subnets = context.api.list(
            "DescribeSubnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [str(context.body["vpc_id"])]}]
        )
        if not subnets:
            raise context.permanent_error(
                f"{context.body['vpc_id']} has no subnet in {context.api.region}. Create one in each zone "
                f"to be connected.",
                "ec2.DescribeSubnets",
                "NoSubnets",
            )
        best: dict[str, AwsItem] = {}
        for subnet in sorted(subnets, key=lambda each: _subnet_preference(each, kept)):
            best.setdefault(subnet["AvailabilityZone"], subnet)
        return [subnet["SubnetId"] for subnet in best.values()]


def _subnet_preference(subnet: AwsItem, kept: list[str]) -> tuple[bool, bool, int, str]:
    return (
        subnet["SubnetId"] not in kept,
        "causeway:attach" not in tags_of(subnet),
        -int(subnet.get("AvailableIpAddressCount", 0)),
        subnet["SubnetId"],
    )
