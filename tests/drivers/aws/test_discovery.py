"""Discovery returns what a customer has, however many pages the listings have."""

from __future__ import annotations

import json

import pytest

from provisioning.drivers.aws.discovery import discover
from provisioning.drivers.base import CloudCredentials, DriverError
from provisioning.lab import moto
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.testbed import ACCOUNT, SECRET, AwsTestbed, example_resources

LISTINGS = ("DescribeVpcs", "DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups")
CREDENTIALS = CloudCredentials(ACCOUNT, SECRET)


def spec(name: str, second: int, region: str = "eu-central-1") -> dict[str, object]:
    return {
        "region": region,
        "name": name,
        "cidr": f"10.{second}.0.0/16",
        "public": True,
        "secondary": [f"100.64.{second}.0/24"],
        "subnets": [f"10.{second}.{third}.0/24" for third in range(4)],
        "ingress": [
            {"protocol": "tcp", "port": 443, "cidr": "10.0.0.0/8"},
            {"protocol": "tcp", "port": 443, "cidr": "172.16.0.0/12"},
        ],
    }


def test_discovery_reads_every_page_of_a_listing(testbed: AwsTestbed, faults: Faults) -> None:
    vpc_ids = moto.seed_vpcs(testbed.endpoint, [spec(f"vpc-{index}", index) for index in range(1, 6)])
    for operation in LISTINGS:
        faults.rule(operation, "page", size=2)
    inventory = discover(CREDENTIALS, ["eu-central-1"])
    ours = {vpc.name: vpc for vpc in inventory.vpcs if not vpc.default}
    assert {name: vpc.id for name, vpc in ours.items()} == vpc_ids
    assert faults.calls(("DescribeVpcs",)) == ["DescribeVpcs"] * 3
    assert all(len(vpc.subnets) == 4 and len(vpc.route_tables) == 2 for vpc in ours.values())


def test_a_vpc_is_discovered_with_prefixes_subnets_tables_and_rules(testbed: AwsTestbed) -> None:
    vpc_ids = moto.seed_vpcs(testbed.endpoint, [spec("prod", 1)])
    testbed.create_all(example_resources(vpc_ids["prod"]))
    inventory = discover(CREDENTIALS, ["eu-central-1"])
    vpc = next(vpc for vpc in inventory.vpcs if vpc.name == "prod")
    assert inventory.account == ACCOUNT and inventory.errors == {}
    assert vpc.prefixes == ("10.1.0.0/16", "100.64.1.0/24")
    assert [subnet.zone[-1] for subnet in vpc.subnets] == ["a", "a", "b", "b"]
    main, public = vpc.route_tables
    assert main.main and not public.main and public.name == "prod-public"
    assert {subnet.route_table for subnet in vpc.subnets} == {main.id, public.id}
    assert any(route.destination == "0.0.0.0/0" and route.target.startswith("igw-") for route in public.routes)
    group = next(group for group in vpc.security_groups if group.name == "prod-app")
    assert [(r.protocol, r.from_port, r.to_port, r.peer) for r in group.rules if r.direction == "in"] == [
        ("tcp", 443, 443, "10.0.0.0/8"),
        ("tcp", 443, 443, "172.16.0.0/12"),
    ]
    assert [(r.protocol, r.from_port, r.peer) for r in group.rules if r.direction == "out"] == [
        ("any", None, "0.0.0.0/0")
    ]
    assert vpc.attached == f"acme/aws/{ACCOUNT}/eu-central-1/vpc/{vpc.id}/attachment"
    assert json.loads(json.dumps(inventory.as_json()))["vpcs"]


def test_a_failing_region_does_not_hide_the_others(testbed: AwsTestbed, faults: Faults) -> None:
    moto.seed_vpcs(testbed.endpoint, [spec("west", 3, "eu-west-1")])
    faults.rule("DescribeSubnets", "error", code="UnauthorizedOperation", message="No.", times=1)
    inventory = discover(CREDENTIALS, ["eu-central-1", "eu-west-1"])
    assert inventory.errors == {"eu-central-1": "ec2.DescribeSubnets: No."}
    assert "west" in {vpc.name for vpc in inventory.vpcs}


@pytest.mark.usefixtures("fresh_sessions")
def test_discovery_with_wrong_credentials_is_an_error(testbed: AwsTestbed, faults: Faults) -> None:
    faults.rule("GetCallerIdentity", "error", code="InvalidClientTokenId", message="The token is invalid.", status=403)
    with pytest.raises(DriverError, match="token is invalid") as caught:
        discover(CREDENTIALS, ["eu-central-1"])
    assert caught.value.permanent and caught.value.call == "sts.GetCallerIdentity"
