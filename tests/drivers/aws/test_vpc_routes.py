"""VPC routes have no tags: the driver recognises its own by prefix and target."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from provisioning.core.values.resource import Change, Resource
from provisioning.drivers import find_conflicts
from provisioning.drivers.aws.discovery import discover
from provisioning.drivers.base import CloudCredentials, DriverError
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.testbed import (
    ACCOUNT,
    REGION,
    SECRET,
    AwsTestbed,
    create_change,
    example_resources,
    resource_of_kind,
)


def tables(testbed: AwsTestbed, vpc: str) -> dict[str, dict[str, str]]:
    listed = testbed.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    return {
        table["RouteTableId"]: {
            route["DestinationCidrBlock"]: route.get("TransitGatewayId") or route.get("GatewayId", "")
            for route in table["Routes"]
        }
        for table in listed
    }


def attach_vpc(testbed: AwsTestbed, vpc: str, **body: object) -> Resource:
    """Create everything that the VPC's routes depend on; return the routes, not applied yet."""
    resources = example_resources(vpc)
    testbed.create_all(resources[:-1])
    routes = resource_of_kind(resources, "vpc-routes")
    return replace(routes, body={**routes.body, **body})


def test_a_foreign_route_is_named_and_never_overwritten(testbed: AwsTestbed, faults: Faults) -> None:
    vpc = testbed.vpc()
    before = tables(testbed, vpc)
    routes = attach_vpc(testbed, vpc, route_tables="all", prefixes=["10.0.0.0/8", "0.0.0.0/0"])
    faults.clear()
    with pytest.raises(DriverError, match=r"rtb-\w+ already routes 0.0.0.0/0 to igw-") as caught:
        testbed.apply_once(create_change(routes))
    assert caught.value.permanent and caught.value.code == "RouteAlreadyExists"
    assert faults.writes() == []
    assert tables(testbed, vpc) == before


def test_changed_prefixes_leave_foreign_routes(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    routes = attach_vpc(testbed, vpc, prefixes=["10.0.0.0/8", "172.16.0.0/12"])
    testbed.apply_until_done(create_change(routes))
    main = testbed.attributes[routes.address]["route_tables"][0]
    gateway = testbed.attributes[resource_of_kind(example_resources(vpc), "transit-gateway").address]["id"]
    # Somebody repointed one of ours and added one of their own.
    igw = testbed.ec2.describe_internet_gateways()["InternetGateways"][-1]["InternetGatewayId"]
    testbed.ec2.replace_route(RouteTableId=main, DestinationCidrBlock="172.16.0.0/12", GatewayId=igw)
    testbed.ec2.create_route(RouteTableId=main, DestinationCidrBlock="192.168.0.0/16", TransitGatewayId=gateway)
    before = testbed.bodies[routes.address]
    after = {**before, "prefixes": ["10.0.0.0/8", "100.64.0.0/10"]}
    testbed.apply_until_done(Change("change", routes.address, routes.kind, before, after))
    now = tables(testbed, vpc)[main]
    assert now["10.0.0.0/8"] == now["100.64.0.0/10"] == gateway
    assert now["172.16.0.0/12"] == igw  # no longer what we wrote: theirs
    assert now["192.168.0.0/16"] == gateway  # never written by us
    testbed.apply_until_done(testbed.remove_change(routes))
    now = tables(testbed, vpc)[main]
    assert "10.0.0.0/8" not in now and "100.64.0.0/10" not in now
    assert {"172.16.0.0/12", "192.168.0.0/16"} <= set(now)


def test_routes_are_written_to_all_tables_or_to_named_ones(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    routes = attach_vpc(testbed, vpc, route_tables="all")
    testbed.apply_until_done(create_change(routes))
    assert all("10.0.0.0/8" in routed for routed in tables(testbed, vpc).values())
    first_table = sorted(tables(testbed, vpc))[0]
    before = testbed.bodies[routes.address]
    testbed.apply_until_done(
        Change("change", routes.address, routes.kind, before, {**before, "route_tables": [first_table]})
    )
    assert [table for table, routed in tables(testbed, vpc).items() if "10.0.0.0/8" in routed] == [first_table]
    unknown = {**before, "route_tables": ["rtb-0123456789abcdef0"]}
    with pytest.raises(DriverError, match="has no route table rtb-0123456789abcdef0"):
        testbed.apply_once(Change("change", routes.address, routes.kind, before, unknown))


def test_routes_of_a_deleted_vpc_are_observed_as_absent(testbed: AwsTestbed) -> None:
    change = Change(
        "remove",
        f"{example_resources('vpc-0123')[0].address.removesuffix('/tgw')}/vpc/vpc-0123/routes",
        "aws.vpc-routes",
        {"vpc_id": "vpc-0123", "tgw": "tgw-1", "route_tables": "main", "prefixes": ["10.0.0.0/8"]},
        None,
    )
    assert testbed.apply_until_done(change).body is None


def test_routes_follow_a_replaced_gateway(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    routes = attach_vpc(testbed, vpc)
    testbed.apply_until_done(create_change(routes))
    main = testbed.attributes[routes.address]["route_tables"][0]
    gateway = resource_of_kind(example_resources(vpc), "transit-gateway")
    successor = testbed.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    testbed.attributes[gateway.address] = {"id": successor}
    # As the run has it: what was written holds a reference, which now leads to the successor.
    testbed.apply_until_done(Change("change", routes.address, routes.kind, routes.body, routes.body))
    assert tables(testbed, vpc)[main]["10.0.0.0/8"] == successor


def conflicts(testbed: AwsTestbed, routes: Resource) -> list[tuple[str, str]]:
    """Return (code, message) of what the plan of these routes would say, from what discovery sees now."""
    inventory = discover(CloudCredentials(ACCOUNT, SECRET), [REGION]).as_json()
    problems = find_conflicts([create_change(routes)], {("aws", ACCOUNT): inventory}, testbed.attributes)
    return [(problem.code, problem.message) for problem in problems]


def test_a_plan_names_a_foreign_route_and_none_of_ours(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    routes = attach_vpc(testbed, vpc, route_tables="all", prefixes=["10.0.0.0/8", "0.0.0.0/0"])
    [(code, message)] = conflicts(testbed, routes)
    assert code == "foreign_route" and re.match(rf"rtb-\w+ of {vpc} already routes 0.0.0.0/0 to igw-", message)
    ours = replace(routes, body={**routes.body, "prefixes": ["10.0.0.0/8"]})
    testbed.apply_until_done(create_change(ours))
    assert conflicts(testbed, ours) == []


def test_a_plan_names_a_route_table_that_is_gone(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    routes = attach_vpc(testbed, vpc, route_tables=["rtb-gone"])
    [(code, message)] = conflicts(testbed, routes)
    assert code == "unknown_route_table" and message.startswith(f"{vpc} has no route table rtb-gone. ")
