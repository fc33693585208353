"""AWS' default quotas, and how much of them each resource uses.

Sources: "Amazon VPC quotas" (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html), "Quotas for your
transit gateways" (https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-quotas.html) and "Site-to-Site VPN quotas"
(https://docs.aws.amazon.com/vpn/latest/s2svpn/vpn-limits.html).
"""

from __future__ import annotations

from provisioning.core.values.resource import Resource
from provisioning.drivers.cloud import Quota, QuotaUse

QUOTAS = (
    Quota("aws_transit_gateways", 5, "transit gateways", "region"),
    Quota("aws_tgw_route_tables", 20, "route tables", "transit gateway"),
    Quota("aws_tgw_attachments", 5000, "attachments", "transit gateway"),
    Quota("aws_tgw_routes", 10_000, "routes", "transit gateway"),
    Quota("aws_attachments_per_vpc", 5, "transit gateway attachments", "VPC"),
    Quota("aws_customer_gateways", 50, "customer gateways", "region"),
    Quota("aws_vpn_connections", 50, "VPN connections", "region"),
    Quota("aws_routes_per_route_table", 500, "routes", "VPC route table"),
)


def quota_uses(resource: Resource) -> list[QuotaUse]:
    """Return what one resource uses up, each counted for its region, transit gateway or VPC."""
    body, region = resource.body, "/".join(resource.address.split("/")[:3])
    gateway = f"{region}/tgw"
    match resource.kind:
        case "aws.transit-gateway":
            return [QuotaUse("aws_transit_gateways", region)]
        case "aws.tgw-route-table":
            return [QuotaUse("aws_tgw_route_tables", gateway)]
        case "aws.customer-gateway":
            return [QuotaUse("aws_customer_gateways", region)]
        case "aws.vpn-connection":
            return [
                QuotaUse("aws_vpn_connections", region),
                QuotaUse("aws_tgw_attachments", gateway),
                QuotaUse("aws_tgw_routes", gateway, len(body.get("routes_spoke") or [])),
            ]
        case "aws.vpc-attachment":
            # At least one route for each attached VPC is propagated into the exchange table.
            return [
                QuotaUse("aws_tgw_attachments", gateway),
                QuotaUse("aws_tgw_routes", gateway),
                QuotaUse("aws_attachments_per_vpc", f"{region}/vpc/{body['vpc_id']}"),
            ]
        case "aws.vpc-routes":
            return [QuotaUse("aws_routes_per_route_table", f"{region}/vpc/{body['vpc_id']}", len(body["prefixes"]))]
    return []
