"""AWS' name for the far end of a VPN: one exchange node's public address and ASN."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.noun import ADDRESS, Item, Job, Noun, tags_of


class CustomerGateway(Noun):
    """Body: public_ip, asn. Attributes: id."""

    kind = "aws.customer-gateway"
    replace_on = frozenset({"public_ip", "asn"})
    listing, items, id_key = "DescribeCustomerGateways", "CustomerGateways", "CustomerGatewayId"
    resource_type = "customer-gateway"

    def create(self, job: Job) -> Item:
        asn = int(job.body["asn"])
        # BgpAsn is a 32 bit signed number in the API; above that the other field.
        number = {"BgpAsn": asn} if asn < 2**31 else {"BgpAsnExtended": asn}
        answer = job.api.write(
            "CreateCustomerGateway",
            Type="ipsec.1",
            IpAddress=job.body["public_ip"],
            TagSpecifications=job.tags(self.resource_type),
            **number,
        )
        item: Item = answer["CustomerGateway"]
        if tags_of(item).get(ADDRESS) != job.tag:
            # AWS has one for each address and ASN, and answers a second create with the first.
            raise job.refuse(
                f"{item[self.id_key]} already stands for {job.body['public_ip']} in this account and is not ours. "
                "Delete it there, or use another account for this tenant.",
                "ec2.CreateCustomerGateway",
                "ForeignCustomerGateway",
            )
        return item

    def delete(self, job: Job, found: Item) -> None:
        job.api.write("DeleteCustomerGateway", CustomerGatewayId=found[self.id_key])

    def read(self, job: Job, found: Item) -> dict[str, Any]:
        return {"public_ip": found["IpAddress"], "asn": int(found.get("BgpAsnExtended") or found.get("BgpAsn") or 0)}
