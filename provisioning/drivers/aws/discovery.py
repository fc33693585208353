"""What a customer already has: VPCs with their prefixes, subnets, route tables and security groups. Only reads.

Five listings for each region, whatever the number of VPCs; all of their pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from provisioning.drivers.aws.session import AwsApi, connect
from provisioning.drivers.aws.tagged import ADDRESS_TAG, AwsItem, tags_of
from provisioning.drivers.aws.vpc_routes import TARGETS
from provisioning.drivers.base import CloudCredentials, DriverError

ASSOCIATED_STATES = frozenset({"associated", "associating"})


@dataclass(frozen=True, slots=True)
class Subnet:
    id: str
    name: str
    zone: str
    prefix: str
    free_addresses: int
    route_table: str


@dataclass(frozen=True, slots=True)
class VpcRoute:
    destination: str
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class VpcRouteTable:
    id: str
    name: str
    main: bool
    subnets: tuple[str, ...]
    routes: tuple[VpcRoute, ...]


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """One line of a security group. ``protocol`` is a name or number, or "any"; ports None means all;
    ``peer`` is a prefix, a security group's id or a prefix list's id."""

    direction: str
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: str
    description: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    id: str
    name: str
    description: str
    rules: tuple[SecurityRule, ...]


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC; ``prefixes`` begins with its primary IPv4 CIDR. ``attached`` is the address of our attachment, if any."""

    id: str
    name: str
    region: str
    prefixes: tuple[str, ...]
    default: bool
    attached: str
    subnets: tuple[Subnet, ...]
    route_tables: tuple[VpcRouteTable, ...]
    security_groups: tuple[SecurityGroup, ...]


@dataclass(frozen=True, slots=True)
class CloudInventory:
    """``errors``: region → why it could not be read (a region switched off does not hide the others)."""

    account: str
    vpcs: tuple[Vpc, ...]
    errors: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def discover(credentials: CloudCredentials, regions: Iterable[str]) -> CloudInventory:
    """Everything in these regions; raises DriverError only where no region can be read."""
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
    found = []
    for vpc in api.list("DescribeVpcs", "Vpcs", **page):
        identifier = vpc["VpcId"]
        route_tables = [_parse_route_table(each) for each in tables[identifier]]
        found.append(
            Vpc(
                id=identifier,
                name=tags_of(vpc).get("Name", ""),
                region=api.region,
                prefixes=_parse_prefixes(vpc),
                default=bool(vpc.get("IsDefault")),
                attached=attached.get(identifier, ""),
                subnets=tuple(
                    sorted(
                        (_parse_subnet(each, route_tables) for each in subnets[identifier]),
                        key=lambda s: (s.zone, s.id),
                    )
                ),
                route_tables=tuple(sorted(route_tables, key=lambda table: (not table.main, table.id))),
                security_groups=tuple(
                    sorted((_parse_security_group(each) for each in groups[identifier]), key=lambda g: g.name)
                ),
            )
        )
    return sorted(found, key=lambda vpc: (vpc.name or vpc.id, vpc.id))


def _group_by_vpc(items: Iterable[AwsItem]) -> defaultdict[str, list[AwsItem]]:
    grouped: defaultdict[str, list[AwsItem]] = defaultdict(list)
    for item in items:
        grouped[item.get("VpcId", "")].append(item)
    return grouped


def _parse_prefixes(vpc: AwsItem) -> tuple[str, ...]:
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


def _parse_subnet(subnet: AwsItem, tables: list[VpcRouteTable]) -> Subnet:
    own = next((table.id for table in tables if subnet["SubnetId"] in table.subnets), "")
    return Subnet(
        id=subnet["SubnetId"],
        name=tags_of(subnet).get("Name", ""),
        zone=subnet["AvailabilityZone"],
        prefix=subnet.get("CidrBlock", ""),
        free_addresses=int(subnet.get("AvailableIpAddressCount", 0)),
        # A subnet that names no table uses the main one.
        route_table=own or next((table.id for table in tables if table.main), ""),
    )


def _parse_route_table(table: AwsItem) -> VpcRouteTable:
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
                str(next((route[name] for name in TARGETS if route.get(name)), "")),
                str(route.get("State", "")),
            )
            for route in table.get("Routes") or []
        ),
    )


def _parse_security_group(group: AwsItem) -> SecurityGroup:
    rules = [
        rule
        for direction, member in (("in", "IpPermissions"), ("out", "IpPermissionsEgress"))
        for permission in group.get(member) or []
        for rule in _parse_security_rules(direction, permission)
    ]
    return SecurityGroup(group["GroupId"], group["GroupName"], group.get("Description", ""), tuple(rules))


def _parse_security_rules(direction: str, permission: AwsItem) -> list[SecurityRule]:
    """One rule for each peer: AWS folds all peers of one protocol and port range into one permission."""
    protocol = str(permission.get("IpProtocol", "-1"))
    first, last = permission.get("FromPort"), permission.get("ToPort")
    everything = protocol == "-1" or first in (None, -1)
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
            from_port=None if everything else first,
            to_port=None if everything else last,
            peer=peer,
            description=description,
        )
        for peer, description in peers
    ]
