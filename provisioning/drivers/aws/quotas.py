"""AWS' limits as data, so that a plan that cannot succeed is refused before it runs.

Values are AWS' defaults (Amazon VPC user guide and transit gateway guide, quota pages); an account whose limits were
raised passes its own. Only what Causeway itself makes is counted: AWS still has the last word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from provisioning.core.values.resource import Problem, Resource


@dataclass(frozen=True, slots=True)
class Quota:
    code: str
    limit: int
    what: str
    per: str


QUOTAS: Mapping[str, Quota] = {
    quota.code: quota
    for quota in (
        Quota("aws_transit_gateways", 5, "transit gateways", "region"),
        Quota("aws_tgw_route_tables", 20, "route tables", "transit gateway"),
        Quota("aws_tgw_attachments", 5000, "attachments", "transit gateway"),
        Quota("aws_tgw_routes", 10_000, "routes", "transit gateway"),
        Quota("aws_attachments_per_vpc", 5, "transit gateway attachments", "VPC"),
        Quota("aws_customer_gateways", 50, "customer gateways", "region"),
        Quota("aws_vpn_connections", 50, "VPN connections", "region"),
        Quota("aws_routes_per_route_table", 500, "routes", "VPC route table"),
    )
}


def exceeded_quotas(resources: Iterable[Resource], limits: Mapping[str, int] | None = None) -> list[Problem]:
    """A problem for every quota that the wanted resources together exceed; ``limits`` by code replace the defaults."""
    counts: Counter[tuple[str, str]] = Counter()
    for resource in resources:
        if resource.driver != "aws":
            continue
        for code, where, amount in _usage(resource):
            counts[code, where] += amount
    problems = []
    for (code, where), amount in sorted(counts.items()):
        quota = QUOTAS[code]
        limit = (limits or {}).get(code, quota.limit)
        if amount > limit:
            problems.append(
                Problem(
                    code,
                    where,
                    f"{where} would have {amount} {quota.what}, AWS allows {limit} for each {quota.per}. "
                    "Use fewer, another region or account, or have AWS raise the limit.",
                )
            )
    return problems


def _usage(resource: Resource) -> list[tuple[str, str, int]]:
    """(quota, where it is counted, how much of it) for one resource."""
    body, place = resource.body, _region_address(resource.address)
    gateway = f"{place}/tgw"
    match resource.kind:
        case "aws.transit-gateway":
            return [("aws_transit_gateways", place, 1)]
        case "aws.tgw-route-table":
            return [("aws_tgw_route_tables", gateway, 1)]
        case "aws.customer-gateway":
            return [("aws_customer_gateways", place, 1)]
        case "aws.vpn-connection":
            return [
                ("aws_vpn_connections", place, 1),
                ("aws_tgw_attachments", gateway, 1),
                ("aws_tgw_routes", gateway, len(body.get("routes_spoke") or [])),
            ]
        case "aws.vpc-attachment":
            # At least one route for each attached VPC is propagated into the exchange table.
            return [
                ("aws_tgw_attachments", gateway, 1),
                ("aws_tgw_routes", gateway, 1),
                ("aws_attachments_per_vpc", f"{place}/vpc/{body['vpc_id']}", 1),
            ]
        case "aws.vpc-routes":
            return [("aws_routes_per_route_table", f"{place}/vpc/{body['vpc_id']}", len(body["prefixes"]))]
    return []


def _region_address(address: str) -> str:
    """``aws/{account}/{region}`` of an address."""
    return "/".join(address.split("/")[:3])
