"""AWS' name for the far end of a VPN: one exchange node's public address and ASN."""

from __future__ import annotations

from typing import Any

from provisioning.drivers.aws.tagged import ADDRESS_TAG, AwsItem, ResourceContext, TaggedResource, tags_of


class CustomerGateway(TaggedResource):
    """Body: public_ip, asn. Attributes: id."""

    kind = "aws.customer-gateway"
    replace_on = frozenset({"public_ip", "asn"})
    listing, items, id_key = "DescribeCustomerGateways", "CustomerGateways", "CustomerGatewayId"
    resource_type = "customer-gateway"

    def create(self, context: ResourceContext) -> AwsItem:
        asn = int(context.body["asn"])
        # BgpAsn is a 32 bit signed number in the API; above that the other field.
        number = {"BgpAsn": asn} if asn < 2**31 else {"BgpAsnExtended": asn}
        answer = context.api.write(
            "CreateCustomerGateway",
            Type="ipsec.1",
            IpAddress=context.body["public_ip"],
            TagSpecifications=context.tags(self.resource_type),
            **number,
        )
        item: AwsItem = answer["CustomerGateway"]
        if tags_of(item).get(ADDRESS_TAG) != context.tag:
            # AWS has one for each address and ASN, and answers a second create with the first.
            raise context.permanent_error(
                f"{item[self.id_key]} already stands for {context.body['public_ip']} in this account and is not ours. "
                "Delete it there, or use another account for this tenant.",
                "ec2.CreateCustomerGateway",
                "ForeignCustomerGateway",
            )
        return item

    def delete(self, context: ResourceContext, found: AwsItem) -> None:
        context.api.write("DeleteCustomerGateway", CustomerGatewayId=found[self.id_key])

    def read_body(self, context: ResourceContext, found: AwsItem) -> dict[str, Any]:
        return {"public_ip": found["IpAddress"], "asn": int(found.get("BgpAsnExtended") or found.get("BgpAsn") or 0)}
