"""Discovery: a customer's VPCs with their prefixes, subnets, route tables and security groups. Only reads.

It takes five listings for each region, however many VPCs there are, and reads all of their pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from provisioning.drivers.aws.inventory import (
    CloudInventory,
    SecurityGroup,
    SecurityRule,
    Subnet,
    Vpc,
    VpcRoute,
    VpcRouteTable,
)
from provisioning.drivers.aws.session import AwsApi, connect
from provisioning.drivers.aws.tagged import tags_of
from provisioning.drivers.aws.vpc_routes import TARGET_FIELDS
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.drivers.tagged import ADDRESS_TAG, Item

ASSOCIATED_STATES = frozenset({"associated", "associating"})


def discover(credentials: CloudCredentials, regions: Iterable[str]) -> CloudInventory:
    """Return what is in these regions; raises DriverError only where no region can be read."""
    vpcs: list[Vpc] = []
    errors: dict[str, str] = {}
    failures: list[DriverError] = []
    account = ""
    for region in regions:
        try:
            api = connect(credentials, region)
            account = api.account_id
            vpcs.extend(_discover_region(api))
        except DriverError as error:
            failures.append(error)
            errors[region] = f"{error.call}: {error.message}"
    if failures and not account:
        raise failures[0]
    return CloudInventory(account, tuple(vpcs), errors)


def _discover_region(api: AwsApi) -> list[Vpc]:
    page = {"MaxResults": 1000}
    subnets = _group_by_vpc(api.list("DescribeSubnets", "Subnets", **page))
    tables = _group_by_vpc(api.list("DescribeRouteTables", "RouteTables", MaxResults=100))
    groups = _group_by_vpc(api.list("DescribeSecurityGroups", "SecurityGroups", **page))
    attached = {
        item.get("VpcId", ""): tags_of(item).get(ADDRESS_TAG, "")
        for item in api.list("DescribeTransitGatewayVpcAttachments", "TransitGatewayVpcAttachments", **page)
        if item["State"] not in {"deleted", "deleting", "failed"}
    }
    vpcs = []
    for vpc in api.list("DescribeVpcs", "Vpcs", **page):
        vpc_id = vpc["VpcId"]
        route_tables = [_parse_route_table(table) for table in tables[vpc_id]]
        vpcs.append(
            Vpc(
                id=vpc_id,
                name=tags_of(vpc).get("Name", ""),
                region=api.region,
                prefixes=_parse_prefixes(vpc),
                default=bool(vpc.get("IsDefault")),
                attached=attached.get(vpc_id, ""),
                subnets=tuple(
                    sorted(
                        (_parse_subnet(subnet, route_tables) for subnet in subnets[vpc_id]),
                        key=lambda subnet: (subnet.zone, subnet.id),
                    )
                ),
                route_tables=tuple(sorted(route_tables, key=lambda table: (not table.main, table.id))),
                security_groups=tuple(
                    sorted((_parse_security_group(group) for group in groups[vpc_id]), key=lambda group: group.name)
                ),
            )
        )
    return sorted(vpcs, key=lambda vpc: (vpc.name or vpc.id, vpc.id))


def _group_by_vpc(items: Iterable[Item]) -> defaultdict[str, list[Item]]:
    grouped: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        grouped[item.get("VpcId", "")].append(item)
    return grouped


def _parse_prefixes(vpc: Item) -> tuple[str, ...]:
    primary = vpc["CidrBlock"]
    rest = [
        block[name]
        for members, states, name in (
            ("CidrBlockAssociationSet", "CidrBlockState", "CidrBlock"),
            ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlockState", "Ipv6CidrBlock"),
        )
        for block in vpc.get(members) or []
        if block.get(states, {}).get("State") in ASSOCIATED_STATES
    ]
    return tuple(dict.fromkeys([primary, *rest]))


def _parse_subnet(subnet: Item, tables: list[VpcRouteTable]) -> Subnet:
    explicit = next((table.id for table in tables if subnet["SubnetId"] in table.subnets), "")
    return Subnet(
        id=subnet["SubnetId"],
        name=tags_of(subnet).get("Name", ""),
        zone=subnet["AvailabilityZone"],
        prefix=subnet.get("CidrBlock", ""),
        free_addresses=int(subnet.get("AvailableIpAddressCount", 0)),
        # A subnet without an association of its own uses the main route table.
        route_table=explicit or next((table.id for table in tables if table.main), ""),
    )


def _parse_route_table(table: Item) -> VpcRouteTable:
    links = table.get("Associations") or []
    return VpcRouteTable(
        id=table["RouteTableId"],
        name=tags_of(table).get("Name", ""),
        main=any(link.get("Main") for link in links),
        subnets=tuple(sorted(link["SubnetId"] for link in links if link.get("SubnetId"))),
        routes=tuple(
            VpcRoute(
                str(
                    route.get("DestinationCidrBlock")
                    or route.get("DestinationIpv6CidrBlock")
                    or route.get("DestinationPrefixListId", "")
                ),
                str(next((route[name] for name in TARGET_FIELDS if route.get(name)), "")),
                str(route.get("State", "")),
            )
            for route in table.get("Routes") or []
        ),
    )


def _parse_security_group(group: Item) -> SecurityGroup:
    rules = [
        rule
        for direction, member in (("in", "IpPermissions"), ("out", "IpPermissionsEgress"))
        for permission in group.get(member) or []
        for rule in _parse_security_rules(direction, permission)
    ]
    return SecurityGroup(group["GroupId"], group["GroupName"], group.get("Description", ""), tuple(rules))


def _parse_security_rules(direction: str, permission: Item) -> list[SecurityRule]:
    """Return a rule for each peer: AWS folds all peers of one protocol and port range into one permission."""
    protocol = str(permission.get("IpProtocol", "-1"))
    first, last = permission.get("FromPort"), permission.get("ToPort")
    has_all_ports = protocol == "-1" or first in (None, -1)
    peers = [
        (str(entry[name]), str(entry.get("Description") or ""))
        for member, name in (
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId"),
            ("PrefixListIds", "PrefixListId"),
        )
        for entry in permission.get(member) or []
        if entry.get(name)
    ]
    return [
        SecurityRule(
            direction=direction,
            protocol="any" if protocol == "-1" else protocol,
            from_port=None if has_all_ports else first,
            to_port=None if has_all_ports else last,
            peer=peer,
            description=description,
        )
        for peer, description in peers
    ]
