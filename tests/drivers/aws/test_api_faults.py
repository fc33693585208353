"""Throttled, failed and lost calls to AWS: nothing is created twice, and errors name the call and the reason."""

from __future__ import annotations

import pytest

from provisioning.core.values.resource import Change
from provisioning.drivers.base import Done, DriverError
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.testbed import AwsTestbed, create_change, example_resources, resource_of_kind

CREATES = {
    "aws.transit-gateway": ("CreateTransitGateway", "describe_transit_gateways", "TransitGateways"),
    "aws.tgw-route-table": (
        "CreateTransitGatewayRouteTable",
        "describe_transit_gateway_route_tables",
        "TransitGatewayRouteTables",
    ),
    "aws.customer-gateway": ("CreateCustomerGateway", "describe_customer_gateways", "CustomerGateways"),
    "aws.vpn-connection": ("CreateVpnConnection", "describe_vpn_connections", "VpnConnections"),
    "aws.vpc-attachment": (
        "CreateTransitGatewayVpcAttachment",
        "describe_transit_gateway_vpc_attachments",
        "TransitGatewayVpcAttachments",
    ),
}


@pytest.mark.parametrize("kind", CREATES)
def test_a_resource_created_by_a_lost_response_is_adopted(testbed: AwsTestbed, faults: Faults, kind: str) -> None:
    resources = example_resources(testbed.vpc())
    target = resource_of_kind(resources, kind.removeprefix("aws."))
    testbed.create_all(resources[: resources.index(target)])
    operation, listing, items = CREATES[kind]
    faults.rule(operation, "lost", times=1)
    before = len(testbed.tagged(listing, items))

    with pytest.raises(DriverError) as caught:
        testbed.apply_once(create_change(target))
    assert caught.value.call == f"ec2.{operation}"
    assert not caught.value.permanent and caught.value.retry_after
    assert len(testbed.tagged(listing, items)) == before + 1  # it was carried out, and not repeated by the SDK

    outcome = testbed.apply_until_done(create_change(target))
    assert len(testbed.tagged(listing, items)) == before + 1
    assert outcome.attributes["id"] in {
        next(value for name, value in item.items() if name == key)
        for item in testbed.tagged(listing, items)
        for key in item
        if key.endswith("Id")
    }


WRITES = (
    *(operation for operation, _, _ in CREATES.values()),
    "AssociateTransitGatewayRouteTable",
    "EnableTransitGatewayRouteTablePropagation",
    "CreateTransitGatewayRoute",
    "CreateRoute",
    "DeleteRoute",
    "DeleteTransitGatewayVpcAttachment",
    "DeleteTransitGatewayRoute",
    "DeleteVpnConnection",
    "DeleteCustomerGateway",
    "DeleteTransitGatewayRouteTable",
    "DeleteTransitGateway",
)


@pytest.mark.parametrize("fault", ["lost", "dropped", "throttle", "down"])
def test_a_lifecycle_in_which_every_write_fails_once_succeeds(testbed: AwsTestbed, faults: Faults, fault: str) -> None:
    resources = example_resources(testbed.vpc())
    for operation in WRITES:
        faults.rule(operation, fault, times=1)
    failures = sum(_apply_with_retries(testbed, create_change(each)) for each in resources)
    assert {listing: len(testbed.tagged(listing, items)) for _, listing, items in CREATES.values()} == {
        "describe_transit_gateways": 1,
        "describe_transit_gateway_route_tables": 2,
        "describe_customer_gateways": 2,
        "describe_vpn_connections": 2,
        "describe_transit_gateway_vpc_attachments": 1,
    }
    failures += sum(_apply_with_retries(testbed, testbed.remove_change(each)) for each in reversed(resources))
    assert failures == len(WRITES)
    for _, listing, items in CREATES.values():
        assert testbed.tagged(listing, items) == []


def _apply_with_retries(testbed: AwsTestbed, change: Change) -> int:
    """Apply until done; return how many times it failed."""
    failures = 0
    while True:
        try:
            if isinstance(testbed.apply_once(change), Done):
                return failures
        except DriverError as error:
            assert not error.permanent and error.retry_after, error
            failures += 1


def test_a_throttled_call_is_retryable_and_says_when(testbed: AwsTestbed, faults: Faults) -> None:
    faults.rule("CreateTransitGateway", "throttle", times=2)
    gateway = example_resources("vpc-none")[0]
    for _ in range(2):
        with pytest.raises(DriverError) as caught:
            testbed.apply_once(create_change(gateway))
        assert caught.value.code == "RequestLimitExceeded"
        assert caught.value.retry_after and not caught.value.permanent
    assert isinstance(testbed.apply_once(create_change(gateway)), Done)


def test_a_missing_permission_is_permanent_and_names_the_call(testbed: AwsTestbed, faults: Faults) -> None:
    message = "You are not authorized to perform this operation."
    faults.rule("CreateCustomerGateway", "error", code="UnauthorizedOperation", message=message)
    with pytest.raises(DriverError, match="not authorized") as caught:
        testbed.apply_once(create_change(resource_of_kind(example_resources("vpc-none"), "customer-gateway")))
    assert (caught.value.call, caught.value.code) == ("ec2.CreateCustomerGateway", "UnauthorizedOperation")
    assert caught.value.permanent


def test_a_failed_listing_is_retried_once(testbed: AwsTestbed, faults: Faults) -> None:
    faults.rule("DescribeTransitGateways", "dropped", times=1)
    assert isinstance(testbed.apply_once(create_change(example_resources("vpc-none")[0])), Done)


def test_two_resources_with_one_address_are_named_and_neither_is_changed(testbed: AwsTestbed, faults: Faults) -> None:
    gateway = example_resources("vpc-none")[0]
    first = testbed.apply_until_done(create_change(gateway)).attributes["id"]
    tags = testbed.ec2.describe_transit_gateways()["TransitGateways"][0]["Tags"]
    second = testbed.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    testbed.ec2.create_tags(Resources=[second], Tags=tags)
    faults.clear()
    with pytest.raises(DriverError, match="both carry the tag") as caught:
        testbed.apply_once(create_change(gateway))
    assert caught.value.permanent and first in caught.value.message and second in caught.value.message
    assert faults.writes() == []
