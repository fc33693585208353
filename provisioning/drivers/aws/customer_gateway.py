"""Customer gateways: AWS' name for the far end of a VPN, here the public address and ASN of one exchange node."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.tagged import AwsContext, AwsTaggedResource, tags_of
from provisioning.drivers.tagged import ADDRESS_TAG, Item


class CustomerGateway(AwsTaggedResource):
    """Body: public_ip, asn. Attributes: id."""

    kind = "aws.customer-gateway"
    replace_on = frozenset({"public_ip", "asn"})
    listing, items, id_key = "DescribeCustomerGateways", "CustomerGateways", "CustomerGatewayId"
    resource_type = "customer-gateway"

    def create(self, context: AwsContext) -> Item:
        asn = int(context.body["asn"])
        # BgpAsn is a signed 32-bit number in the API; larger ASNs go into the other field.
        asn_argument = {"BgpAsn": asn} if asn < 2**31 else {"BgpAsnExtended": asn}
        answer = context.api.write(
            "CreateCustomerGateway",
            Type="ipsec.1",
            IpAddress=context.body["public_ip"],
            TagSpecifications=self.tag_specifications(context),
            **asn_argument,
        )
        item: Item = answer["CustomerGateway"]
        if tags_of(item).get(ADDRESS_TAG) != context.tag:
            # AWS keeps one for each address and ASN, and answers a second create with the first.
            raise context.permanent_error(
                f"{item[self.id_key]} already stands for {context.body['public_ip']} in this account and is not ours. "
                "Delete it there, or use another account for this tenant.",
                "ec2.CreateCustomerGateway",
                "ForeignCustomerGateway",
            )
        return item

    def delete(self, context: AwsContext, item: Item) -> None:
        context.api.write("DeleteCustomerGateway", CustomerGatewayId=item[self.id_key])

    def read_body(self, context: AwsContext, item: Item) -> dict[str, Any]:
        return {"public_ip": item["IpAddress"], "asn": int(item.get("BgpAsnExtended") or item.get("BgpAsn") or 0)}
