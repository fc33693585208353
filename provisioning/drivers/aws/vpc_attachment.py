"""A customer's VPC on our transit gateway: a subnet in each zone, its spoke table, its prefixes for the exchange."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws import routing
from provisioning.drivers.aws.noun import Item, Job, Noun, tags_of
from provisioning.drivers.base import Waiting

ONE_PER_AZ = "one-per-az"


class VpcAttachment(Noun):
    """Body: vpc_id, tgw, subnets (ids, or "one-per-az"), associate and propagate (route tables).

    Attributes: id, subnets.
    """

    kind = "aws.vpc-attachment"
    replace_on = frozenset({"vpc_id", "tgw"})
    listing, items = "DescribeTransitGatewayVpcAttachments", "TransitGatewayVpcAttachments"
    id_key, resource_type = "TransitGatewayAttachmentId", "transit-gateway-attachment"

    def create(self, job: Job) -> Item:
        answer = job.api.write(
            "CreateTransitGatewayVpcAttachment",
            TransitGatewayId=job.body["tgw"],
            VpcId=job.body["vpc_id"],
            SubnetIds=self._subnets(job, kept=[]),
            TagSpecifications=(specification := job.tags(self.resource_type)),
        )
        item: Item = answer["TransitGatewayVpcAttachment"]
        if not item.get("Tags"):
            # An endpoint that drops them (moto's stock server does, for this call) would leave it nobody's.
            job.api.write("CreateTags", Resources=[item[self.id_key]], Tags=specification[0]["Tags"])
        return item

    def settle(self, job: Job, found: Item) -> Waiting | None:
        attachment, before = found[self.id_key], job.before or {}
        there, wanted = set(found["SubnetIds"]), set(self._subnets(job, kept=found["SubnetIds"]))
        if there != wanted:
            job.api.write(
                "ModifyTransitGatewayVpcAttachment",
                TransitGatewayAttachmentId=attachment,
                **({"AddSubnetIds": sorted(wanted - there)} if wanted - there else {}),
                **({"RemoveSubnetIds": sorted(there - wanted)} if there - wanted else {}),
            )
            return Waiting(1, f"{attachment} is changing its subnets")
        if waiting := routing.associated(job, attachment, job.body["associate"], before.get("associate")):
            return waiting
        routing.propagated(job, attachment, [job.body["propagate"]], filter(None, [before.get("propagate")]))
        return None

    def delete(self, job: Job, found: Item) -> None:
        # AWS takes association and propagation with it.
        job.api.write("DeleteTransitGatewayVpcAttachment", TransitGatewayAttachmentId=found[self.id_key])

    def attributes(self, job: Job, found: Item) -> dict[str, Any]:
        return {"id": found[self.id_key], "subnets": sorted(found["SubnetIds"])}

    def read(self, job: Job, found: Item) -> dict[str, Any]:
        attachment, there = found[self.id_key], sorted(found["SubnetIds"])
        told: dict[str, Any] = {"vpc_id": found["VpcId"], "tgw": found["TransitGatewayId"]}
        if sorted(self._subnets(job, kept=there)) != there:
            told["subnets"] = there
        if not routing.is_associated(job, attachment, str(job.body["associate"])):
            told["associate"] = None
        if not routing.propagates(job, attachment, str(job.body["propagate"])):
            told["propagate"] = None
        return told

    def _subnets(self, job: Job, kept: list[str]) -> list[str]:
        """The wanted subnets by id. Where we choose, a zone keeps the one it has, else a subnet tagged
        ``causeway:attach``, else the one with most free addresses (an attachment takes an address in each)."""
        wanted = job.body["subnets"]
        if wanted != ONE_PER_AZ:
            return list(wanted)
        subnets = job.api.list(
            "DescribeSubnets", "Subnets", Filters=[{"Name": "vpc-id", "Values": [str(job.body["vpc_id"])]}]
        )
        if not subnets:
            raise job.refuse(
                f"{job.body['vpc_id']} has no subnet in {job.api.region}. Create one in each zone to be connected.",
                "ec2.DescribeSubnets",
                "NoSubnets",
            )
        best: dict[str, Item] = {}
        for subnet in sorted(subnets, key=lambda each: _rank(each, kept)):
            best.setdefault(subnet["AvailabilityZone"], subnet)
        return [subnet["SubnetId"] for subnet in best.values()]


def _rank(subnet: Item, kept: list[str]) -> tuple[bool, bool, int, str]:
    return (
        subnet["SubnetId"] not in kept,
        "causeway:attach" not in tags_of(subnet),
        -int(subnet.get("AvailableIpAddressCount", 0)),
        subnet["SubnetId"],
    )
