"""Creation, change and removal of a connected VPC, checked with boto3 on moto."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.core.values.resource import Change
from provisioning.drivers import get_driver
from provisioning.drivers.base import DriverError, Waiting
from provisioning.lab import moto
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.testbed import (
    ACCOUNT,
    OTHER_ACCOUNT,
    SECRET,
    AwsTestbed,
    create_change,
    example_resources,
    resource_of_kind,
)


def main_routes(testbed: AwsTestbed, vpc: str) -> dict[str, str]:
    tables = testbed.ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"]
    return {
        route["DestinationCidrBlock"]: route.get("TransitGatewayId") or route.get("GatewayId", "")
        for route in tables[0]["Routes"]
    }


def counts(testbed: AwsTestbed) -> dict[str, int]:
    return {
        "gateways": len(testbed.tagged("describe_transit_gateways", "TransitGateways")),
        "tables": len(testbed.tagged("describe_transit_gateway_route_tables", "TransitGatewayRouteTables")),
        "customer": len(testbed.tagged("describe_customer_gateways", "CustomerGateways")),
        "vpns": len(testbed.tagged("describe_vpn_connections", "VpnConnections")),
        "attachments": len(testbed.tagged("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments")),
    }


FULL_COUNTS = {"gateways": 1, "tables": 2, "customer": 2, "vpns": 2, "attachments": 1}


def test_a_network_is_created_and_a_second_apply_writes_nothing(testbed: AwsTestbed, faults: Faults) -> None:
    vpc = testbed.vpc()
    resources = example_resources(vpc)
    testbed.create_all(resources)
    assert counts(testbed) == FULL_COUNTS

    faults.clear()
    testbed.create_all(resources)
    assert faults.writes() == []
    assert counts(testbed) == FULL_COUNTS


def test_vpcs_use_the_spoke_table_and_propagate_into_the_exchange_table(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    resources = example_resources(vpc)
    testbed.create_all(resources)
    ids = {address: each["id"] for address, each in testbed.attributes.items() if "id" in each}
    base = resources[0].address.removesuffix("/tgw")
    spoke, exchange = ids[f"{base}/segment/corp/spoke"], ids[f"{base}/segment/corp/exchange"]
    attachment = ids[f"{base}/vpc/{vpc}/attachment"]

    def resources_of(call: str, items: str, table: str) -> set[str]:
        rows = getattr(testbed.ec2, call)(TransitGatewayRouteTableId=table)[items]
        return {row["ResourceId"] for row in rows}

    vpns = {ids[f"{base}/segment/corp/vpn/eu/{node}"] for node in (1, 2)}
    associations = ("get_transit_gateway_route_table_associations", "Associations")
    propagations = ("get_transit_gateway_route_table_propagations", "TransitGatewayRouteTablePropagations")
    assert resources_of(*associations, spoke) == {vpc}
    assert resources_of(*associations, exchange) == vpns
    assert resources_of(*propagations, exchange) == {vpc}
    assert resources_of(*propagations, spoke) == vpns

    listed = testbed.ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[attachment])
    subnets = listed["TransitGatewayVpcAttachments"][0]["SubnetIds"]
    zones = [each["AvailabilityZone"] for each in testbed.ec2.describe_subnets(SubnetIds=subnets)["Subnets"]]
    assert sorted(zones) == ["eu-central-1a", "eu-central-1b"]
    assert main_routes(testbed, vpc)["10.0.0.0/8"] == ids[f"{base}/tgw"]
    gateway = testbed.ec2.describe_transit_gateways()["TransitGateways"][0]
    assert gateway["Options"]["DefaultRouteTableAssociation"] == "disable"
    tags = {tag["Key"]: tag["Value"] for tag in gateway["Tags"]}
    assert tags["causeway:tenant"] == "acme" and tags["causeway:address"] == f"acme/{base}/tgw"


def test_removal_in_reverse_order_keeps_the_customers_resources(testbed: AwsTestbed, faults: Faults) -> None:
    vpc = testbed.vpc()
    before = main_routes(testbed, vpc)
    resources = example_resources(vpc)
    testbed.create_all(resources)
    for resource in reversed(resources):
        testbed.apply_until_done(testbed.remove_change(resource))
    assert counts(testbed) == dict.fromkeys(FULL_COUNTS, 0)
    assert main_routes(testbed, vpc) == before
    assert len(testbed.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]) == 1

    faults.clear()
    for resource in reversed(resources):  # once more: nothing to remove is done, too
        change = Change("remove", resource.address, resource.kind, dict(resource.body), None)
        if resource.kind != "aws.vpc-routes":
            testbed.apply_until_done(change)
    assert faults.writes() == []


def test_a_gateway_in_use_is_retried_and_not_deleted(testbed: AwsTestbed) -> None:
    resources = example_resources(testbed.vpc())
    testbed.create_all(resources)
    with pytest.raises(DriverError) as caught:
        testbed.apply_once(testbed.remove_change(resources[0]))
    assert caught.value.code == "IncorrectState"
    assert not caught.value.permanent and caught.value.retry_after
    assert caught.value.call == "ec2.DeleteTransitGateway"


def test_a_gateway_with_another_asn_replaces_the_old_one(testbed: AwsTestbed) -> None:
    gateway = example_resources("vpc-none")[0]
    first = testbed.apply_until_done(create_change(gateway))
    body = {**gateway.body, "asn": 64999}
    change = Change("replace", gateway.address, gateway.kind, testbed.bodies[gateway.address], body)
    second = testbed.apply_until_done(change)
    assert second.attributes["id"] != first.attributes["id"]
    assert second.attributes["asn"] == 64999
    assert counts(testbed)["gateways"] == 1
    assert testbed.apply_until_done(change).attributes == second.attributes


def test_a_vpn_with_other_tunnels_replaces_the_old_one_once(testbed: AwsTestbed, faults: Faults) -> None:
    resources = example_resources(testbed.vpc())
    testbed.create_all(resources)
    vpn = resource_of_kind(resources, "vpn-connection")
    old = testbed.attributes[vpn.address]["id"]
    after = {**vpn.body, "inside_cidrs": ["169.254.99.0/30", "169.254.99.4/30"]}
    change = Change("replace", vpn.address, vpn.kind, vpn.body, after)
    faults.rule("CreateVpnConnection", "lost", times=1)
    with pytest.raises(DriverError):
        testbed.apply_until_done(change)
    new = testbed.apply_until_done(change).attributes["id"]
    assert new != old
    assert faults.writes().count("DeleteVpnConnection") == 1
    alive = {each["VpnConnectionId"] for each in testbed.tagged("describe_vpn_connections", "VpnConnections")}
    assert new in alive and old not in alive and len(alive) == 2


@pytest.mark.usefixtures("fresh_sessions")
def test_resources_of_two_accounts_are_separate(testbed: AwsTestbed) -> None:
    testbed.secrets[OTHER_ACCOUNT] = {
        **SECRET,
        "role_arn": moto.role_arn(OTHER_ACCOUNT),
        "external_id": "acme-7",
        "account_id": OTHER_ACCOUNT,
    }
    testbed.create_all(example_resources(testbed.vpc()))
    testbed.create_all(example_resources(testbed.vpc("dev", "10.2.0.0/16", OTHER_ACCOUNT), OTHER_ACCOUNT))
    other = moto.boto3_client("ec2", testbed.endpoint, testbed.region, OTHER_ACCOUNT)
    mine, theirs = (each.describe_transit_gateways()["TransitGateways"] for each in (testbed.ec2, other))
    assert [gateway["OwnerId"] for gateway in mine] == [ACCOUNT]
    assert [gateway["OwnerId"] for gateway in theirs] == [OTHER_ACCOUNT]


@pytest.mark.usefixtures("fresh_sessions")
def test_credentials_of_another_account_are_refused(testbed: AwsTestbed, faults: Faults) -> None:
    testbed.secrets[ACCOUNT] = {**SECRET, "role_arn": moto.role_arn(OTHER_ACCOUNT)}
    with pytest.raises(DriverError, match="open AWS account 111122223333, but the cloud account says") as caught:
        testbed.apply_once(create_change(example_resources("vpc-none")[0]))
    assert caught.value.permanent
    assert faults.writes() == []


def test_observing_a_whole_network_takes_few_calls(testbed: AwsTestbed, faults: Faults) -> None:
    resources = example_resources(testbed.vpc())
    testbed.create_all(resources)
    desired = [Change("create", each.address, each.kind, None, testbed.bodies[each.address]) for each in resources]
    faults.clear()
    observed = {each.address: each for each in get_driver("aws").observe(desired, testbed.context())}
    assert {address: each.body for address, each in observed.items()} == testbed.bodies
    assert {address: each.attributes for address, each in observed.items()} == testbed.attributes
    calls = faults.calls(("Describe",))
    assert len(calls) == len(set(calls)) + 1  # attachments are asked for once for each VPN, the rest once


def test_observing_shows_a_removed_resource(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    resources = example_resources(vpc)
    testbed.create_all(resources)
    desired = [Change("create", each.address, each.kind, None, testbed.bodies[each.address]) for each in resources]
    routes, attachment = resource_of_kind(resources, "vpc-routes"), resource_of_kind(resources, "vpc-attachment")
    table = testbed.attributes[routes.address]["route_tables"][0]
    testbed.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/8")
    testbed.ec2.delete_transit_gateway_vpc_attachment(
        TransitGatewayAttachmentId=testbed.attributes[attachment.address]["id"]
    )
    gone = {each.address for each in get_driver("aws").observe(desired, testbed.context()) if each.body is None}
    assert gone == {routes.address, attachment.address}


def test_chosen_subnets_are_used_and_changed(testbed: AwsTestbed) -> None:
    vpc = testbed.vpc()
    resources = example_resources(vpc)
    listed = testbed.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    zones: dict[str, list[str]] = {}
    for subnet in sorted(listed, key=lambda each: each["SubnetId"]):
        zones.setdefault(subnet["AvailabilityZone"], []).append(subnet["SubnetId"])
    chosen = [ids[0] for ids in zones.values()]
    attachment = resource_of_kind(resources, "vpc-attachment")
    desired = replace(attachment, body={**attachment.body, "subnets": chosen})
    testbed.create_all([desired if each is attachment else each for each in resources])
    before = testbed.bodies[attachment.address]
    after = {**before, "subnets": [ids[1] for ids in zones.values()]}
    testbed.apply_until_done(Change("change", attachment.address, attachment.kind, before, after))
    (changed,) = testbed.tagged("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments")
    assert sorted(changed["SubnetIds"]) == sorted(after["subnets"])


def test_a_vpc_without_subnets_is_refused_with_a_remedy(testbed: AwsTestbed) -> None:
    vpc = testbed.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    resources = example_resources(vpc)
    for resource in resources[:3]:
        testbed.apply_until_done(create_change(resource))
    with pytest.raises(DriverError, match="has no subnet in eu-central-1") as caught:
        testbed.apply_once(create_change(resource_of_kind(resources, "vpc-attachment")))
    assert caught.value.permanent


def test_the_driver_waits_for_pending_resources_without_sleeping(testbed: AwsTestbed, faults: Faults) -> None:
    faults.pending(transit_gateway=0.4, route_table=0.2, attachment=0.4, vpn=0.4)
    resources = example_resources(testbed.vpc())
    outcome = testbed.apply_once(create_change(resources[0]))
    assert isinstance(outcome, Waiting) and "pending" in outcome.note and outcome.retry_after >= 1
    testbed.create_all(resources)
    assert counts(testbed) == FULL_COUNTS
    assert sum(note.endswith("is pending") for note in testbed.notes) >= 6


def test_a_static_route_moves_to_the_other_vpn_in_any_order_of_steps(testbed: AwsTestbed) -> None:
    resources = example_resources(testbed.vpc())
    testbed.create_all(resources)
    first, second = (each for each in resources if each.kind == "aws.vpn-connection")
    table = testbed.attributes[first.address.partition("/vpn/")[0] + "/spoke"]["id"]

    def static_route_targets() -> list[str]:
        routes = testbed.ec2.search_transit_gateway_routes(
            TransitGatewayRouteTableId=table, Filters=[{"Name": "type", "Values": ["static"]}]
        )["Routes"]
        return [target["ResourceId"] for route in routes for target in route["TransitGatewayAttachments"]]

    ids = {each.address: testbed.attributes[each.address]["id"] for each in (first, second)}
    assert static_route_targets() == [ids[first.address]]
    taking = Change("change", second.address, second.kind, second.body, {**second.body, "routes_spoke": ["0.0.0.0/0"]})
    giving = Change("change", first.address, first.kind, first.body, {**first.body, "routes_spoke": []})
    testbed.apply_until_done(taking)
    testbed.apply_until_done(giving)
    assert static_route_targets() == [ids[second.address]]
    back = [
        replace(giving, before=giving.after, after=giving.before),
        replace(taking, before=taking.after, after=taking.before),
    ]
    for change in reversed(back):
        testbed.apply_until_done(change)
    assert static_route_targets() == [ids[first.address]]


def test_a_foreign_static_route_is_named_and_kept(testbed: AwsTestbed) -> None:
    resources = example_resources(testbed.vpc())
    first = resource_of_kind(resources, "vpn-connection")
    testbed.create_all(resources[: resources.index(first)])
    table = testbed.attributes[first.address.partition("/vpn/")[0] + "/spoke"]["id"]
    testbed.ec2.create_transit_gateway_route(
        TransitGatewayRouteTableId=table, DestinationCidrBlock="0.0.0.0/0", Blackhole=True
    )
    with pytest.raises(DriverError, match=r"already routes 0\.0\.0\.0/0 to nowhere") as caught:
        testbed.apply_until_done(create_change(first))
    assert caught.value.permanent
    (route,) = testbed.ec2.search_transit_gateway_routes(
        TransitGatewayRouteTableId=table, Filters=[{"Name": "type", "Values": ["static"]}]
    )["Routes"]
    assert route["State"] == "blackhole"
