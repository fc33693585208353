"""VPC attachments: a customer's VPC on our transit gateway, with a subnet in each zone.

The attachment is associated with the segment's spoke table and propagates into its exchange table.
"""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws import tgw_routing
from provisioning.drivers.aws.tagged import AwsContext, AwsTaggedResource, tags_of
from provisioning.drivers.base import Waiting
from provisioning.drivers.tagged import Item

ONE_PER_AZ = "one-per-az"


class VpcAttachment(AwsTaggedResource):
    """Body: vpc_id, tgw, subnets (ids, or "one-per-az"), associate and propagate (route tables).

    Attributes: id, subnets.
    """

    kind = "aws.vpc-attachment"
    replace_on = frozenset({"vpc_id", "tgw"})
    listing, items = "DescribeTransitGatewayVpcAttachments", "TransitGatewayVpcAttachments"
    id_key, resource_type = "TransitGatewayAttachmentId", "transit-gateway-attachment"

    def create(self, context: AwsContext) -> Item:
        answer = context.api.write(
            "CreateTransitGatewayVpcAttachment",
            TransitGatewayId=context.body["tgw"],
            VpcId=context.body["vpc_id"],
            SubnetIds=self._choose_subnets(context, kept=[]),
            TagSpecifications=(specification := self.tag_specifications(context)),
        )
        item: Item = answer["TransitGatewayVpcAttachment"]
        if not item.get("Tags"):
            # An endpoint that drops tags (moto does, for this call) would leave an attachment that nobody owns.
            context.api.write("CreateTags", Resources=[item[self.id_key]], Tags=specification[0]["Tags"])
        return item

    def reconcile(self, context: AwsContext, item: Item) -> Waiting | None:
        attachment, before = item[self.id_key], context.before or {}
        current, desired = set(item["SubnetIds"]), set(self._choose_subnets(context, kept=item["SubnetIds"]))
        if current != desired:
            context.api.write(
                "ModifyTransitGatewayVpcAttachment",
                TransitGatewayAttachmentId=attachment,
                **({"AddSubnetIds": sorted(desired - current)} if desired - current else {}),
                **({"RemoveSubnetIds": sorted(current - desired)} if current - desired else {}),
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

    def delete(self, context: AwsContext, item: Item) -> None:
        # AWS deletes its association and propagation with it.
        context.api.write("DeleteTransitGatewayVpcAttachment", TransitGatewayAttachmentId=item[self.id_key])

    def attributes(self, context: AwsContext, item: Item) -> dict[str, Any]:
        return {"id": item[self.id_key], "subnets": sorted(item["SubnetIds"])}

    def read_body(self, context: AwsContext, item: Item) -> dict[str, Any]:
        attachment, subnets = item[self.id_key], sorted(item["SubnetIds"])
        reported: dict[str, Any] = {"vpc_id": item["VpcId"], "tgw": item["TransitGatewayId"]}
        if sorted(self._choose_subnets(context, kept=subnets)) != subnets:
            reported["subnets"] = subnets
        if not tgw_routing.is_associated(context, attachment, str(context.body["associate"])):
            reported["associate"] = None
        if not tgw_routing.is_propagated(context, attachment, str(context.body["propagate"])):
            reported["propagate"] = None
        return reported

    def _choose_subnets(self, context: AwsContext, kept: list[str]) -> list[str]:
        """Return the ids of the desired subnets: those the body names, or one in each zone.

        A zone keeps the subnet it has, else gets one tagged ``causeway:attach``, else the one with most free addresses
        (an attachment takes an address in each subnet).
        """
        desired = context.body["subnets"]
        if desired != ONE_PER_AZ:
            return list(desired)
        subnets = context.api.list(
            "DescribeSubnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [str(context.body["vpc_id"])]}]
        )
        if not subnets:
            raise context.permanent_error(
                f"{context.body['vpc_id']} has no subnet in {context.api.region}. "
                "Create one in each zone to be connected.",
                "ec2.DescribeSubnets",
                "NoSubnets",
            )
        by_zone: dict[str, Item] = {}
        for subnet in sorted(subnets, key=lambda subnet: _subnet_preference(subnet, kept)):
            by_zone.setdefault(subnet["AvailabilityZone"], subnet)
        return [subnet["SubnetId"] for subnet in by_zone.values()]


def _subnet_preference(subnet: Item, kept: list[str]) -> tuple[bool, bool, int, str]:
    """Return a sort key; the best subnet of a zone comes first."""
    return (
        subnet["SubnetId"] not in kept,
        "causeway:attach" not in tags_of(subnet),
        -int(subnet.get("AvailableIpAddressCount", 0)),
        subnet["SubnetId"],
    )
