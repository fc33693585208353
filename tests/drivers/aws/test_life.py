"""From nothing to a connected VPC and back, judged by plain boto3 on moto."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.core.values.resource import Change
from provisioning.drivers import driver
from provisioning.drivers.base import DriverError, Waiting
from provisioning.lab import moto
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.world import ACCOUNT, OTHER_ACCOUNT, SECRET, World, create, named, network


def main_routes(world: World, vpc: str) -> dict[str, str]:
    tables = world.ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"]
    return {
        route["DestinationCidrBlock"]: route.get("TransitGatewayId") or route.get("GatewayId", "")
        for route in tables[0]["Routes"]
    }


def counts(world: World) -> dict[str, int]:
    return {
        "gateways": len(world.tagged("describe_transit_gateways", "TransitGateways")),
        "tables": len(world.tagged("describe_transit_gateway_route_tables", "TransitGatewayRouteTables")),
        "customer": len(world.tagged("describe_customer_gateways", "CustomerGateways")),
        "vpns": len(world.tagged("describe_vpn_connections", "VpnConnections")),
        "attachments": len(world.tagged("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments")),
    }


WHOLE = {"gateways": 1, "tables": 2, "customer": 2, "vpns": 2, "attachments": 1}


def test_a_network_is_made_and_a_second_apply_writes_nothing(world: World, faults: Faults) -> None:
    vpc = world.vpc()
    resources = network(vpc)
    world.build(resources)
    assert counts(world) == WHOLE

    faults.clear()
    world.build(resources)
    assert faults.writes() == []
    assert counts(world) == WHOLE


def test_vpcs_look_at_the_spoke_table_and_the_exchange_sees_them(world: World) -> None:
    vpc = world.vpc()
    resources = network(vpc)
    world.build(resources)
    ids = {address: known["id"] for address, known in world.attributes.items() if "id" in known}
    base = resources[0].address.removesuffix("/tgw")
    spoke, exchange = ids[f"{base}/segment/corp/spoke"], ids[f"{base}/segment/corp/exchange"]
    attachment = ids[f"{base}/vpc/{vpc}/attachment"]

    def resources_of(call: str, items: str, table: str) -> set[str]:
        found = getattr(world.ec2, call)(TransitGatewayRouteTableId=table)[items]
        return {item["ResourceId"] for item in found}

    vpns = {ids[f"{base}/segment/corp/vpn/eu/{node}"] for node in (1, 2)}
    associations = ("get_transit_gateway_route_table_associations", "Associations")
    propagations = ("get_transit_gateway_route_table_propagations", "TransitGatewayRouteTablePropagations")
    assert resources_of(*associations, spoke) == {vpc}
    assert resources_of(*associations, exchange) == vpns
    assert resources_of(*propagations, exchange) == {vpc}
    assert resources_of(*propagations, spoke) == vpns

    listed = world.ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[attachment])
    subnets = listed["TransitGatewayVpcAttachments"][0]["SubnetIds"]
    zones = [each["AvailabilityZone"] for each in world.ec2.describe_subnets(SubnetIds=subnets)["Subnets"]]
    assert sorted(zones) == ["eu-central-1a", "eu-central-1b"]
    assert main_routes(world, vpc)["10.0.0.0/8"] == ids[f"{base}/tgw"]
    gateway = world.ec2.describe_transit_gateways()["TransitGateways"][0]
    assert gateway["Options"]["DefaultRouteTableAssociation"] == "disable"
    tags = {tag["Key"]: tag["Value"] for tag in gateway["Tags"]}
    assert tags["causeway:tenant"] == "acme" and tags["causeway:address"] == f"acme/{base}/tgw"


def test_everything_goes_in_reverse_order_and_the_customers_own_stays(world: World, faults: Faults) -> None:
    vpc = world.vpc()
    before = main_routes(world, vpc)
    resources = network(vpc)
    world.build(resources)
    for resource in reversed(resources):
        world.finish(world.removal(resource))
    assert counts(world) == dict.fromkeys(WHOLE, 0)
    assert main_routes(world, vpc) == before
    assert len(world.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]) == 1

    faults.clear()
    for resource in reversed(resources):  # once more: nothing to remove is done, too
        change = Change("remove", resource.address, resource.kind, dict(resource.body), None)
        if resource.kind != "aws.vpc-routes":
            world.finish(change)
    assert faults.writes() == []


def test_a_gateway_with_something_on_it_is_not_taken_down_but_tried_again(world: World) -> None:
    resources = network(world.vpc())
    world.build(resources)
    with pytest.raises(DriverError) as caught:
        world.step(world.removal(resources[0]))
    assert caught.value.code == "IncorrectState"
    assert not caught.value.permanent and caught.value.retry_after
    assert caught.value.call == "ec2.DeleteTransitGateway"


def test_a_gateway_with_another_asn_replaces_the_old_one(world: World) -> None:
    gateway = network("vpc-none")[0]
    first = world.finish(create(gateway))
    wanted = {**gateway.body, "asn": 64999}
    change = Change("replace", gateway.address, gateway.kind, world.bodies[gateway.address], wanted)
    second = world.finish(change)
    assert second.attributes["id"] != first.attributes["id"]
    assert second.attributes["asn"] == 64999
    assert counts(world)["gateways"] == 1
    assert world.finish(change).attributes == second.attributes


def test_a_vpn_with_other_tunnels_replaces_the_old_one_once(world: World, faults: Faults) -> None:
    resources = network(world.vpc())
    world.build(resources)
    vpn = named(resources, "vpn-connection")
    old = world.attributes[vpn.address]["id"]
    after = {**vpn.body, "inside_cidrs": ["169.254.99.0/30", "169.254.99.4/30"]}
    change = Change("replace", vpn.address, vpn.kind, vpn.body, after)
    faults.rule("CreateVpnConnection", "lost", times=1)
    with pytest.raises(DriverError):
        world.finish(change)
    new = world.finish(change).attributes["id"]
    assert new != old
    assert faults.writes().count("DeleteVpnConnection") == 1
    alive = {each["VpnConnectionId"] for each in world.tagged("describe_vpn_connections", "VpnConnections")}
    assert new in alive and old not in alive and len(alive) == 2


@pytest.mark.usefixtures("fresh_sessions")
def test_two_accounts_are_kept_apart(world: World) -> None:
    world.secrets[OTHER_ACCOUNT] = {
        **SECRET,
        "role_arn": moto.role(OTHER_ACCOUNT),
        "external_id": "acme-7",
        "account_id": OTHER_ACCOUNT,
    }
    world.build(network(world.vpc()))
    world.build(network(world.vpc("dev", "10.2.0.0/16", OTHER_ACCOUNT), OTHER_ACCOUNT))
    other = moto.client("ec2", world.endpoint, world.region, OTHER_ACCOUNT)
    mine, theirs = (each.describe_transit_gateways()["TransitGateways"] for each in (world.ec2, other))
    assert [gateway["OwnerId"] for gateway in mine] == [ACCOUNT]
    assert [gateway["OwnerId"] for gateway in theirs] == [OTHER_ACCOUNT]


@pytest.mark.usefixtures("fresh_sessions")
def test_credentials_of_another_account_are_refused(world: World, faults: Faults) -> None:
    world.secrets[ACCOUNT] = {**SECRET, "role_arn": moto.role(OTHER_ACCOUNT)}
    with pytest.raises(DriverError, match="open AWS account 111122223333, but the cloud account says") as caught:
        world.step(create(network("vpc-none")[0]))
    assert caught.value.permanent
    assert faults.writes() == []


def test_observing_a_whole_network_finds_what_was_wanted_with_few_calls(world: World, faults: Faults) -> None:
    resources = network(world.vpc())
    world.build(resources)
    wanted = [Change("create", each.address, each.kind, None, world.bodies[each.address]) for each in resources]
    faults.clear()
    seen = {each.address: each for each in driver("aws").observe(wanted, world.context())}
    assert {address: each.body for address, each in seen.items()} == world.bodies
    assert {a: e.attributes for a, e in seen.items()} == world.attributes
    calls = faults.calls(("Describe",))
    assert len(calls) == len(set(calls)) + 1  # attachments are asked for once for each VPN, the rest once


def test_observing_sees_what_somebody_took_away(world: World) -> None:
    vpc = world.vpc()
    resources = network(vpc)
    world.build(resources)
    wanted = [Change("create", each.address, each.kind, None, world.bodies[each.address]) for each in resources]
    routes, attachment = named(resources, "vpc-routes"), named(resources, "vpc-attachment")
    table = world.attributes[routes.address]["route_tables"][0]
    world.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/8")
    world.ec2.delete_transit_gateway_vpc_attachment(
        TransitGatewayAttachmentId=world.attributes[attachment.address]["id"]
    )
    gone = {each.address for each in driver("aws").observe(wanted, world.context()) if each.body is None}
    assert gone == {routes.address, attachment.address}


def test_subnets_chosen_by_hand_are_taken_and_changed(world: World) -> None:
    vpc = world.vpc()
    resources = network(vpc)
    listed = world.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    zones: dict[str, list[str]] = {}
    for subnet in sorted(listed, key=lambda each: each["SubnetId"]):
        zones.setdefault(subnet["AvailabilityZone"], []).append(subnet["SubnetId"])
    chosen = [ids[0] for ids in zones.values()]
    attachment = named(resources, "vpc-attachment")
    wanted = replace(attachment, body={**attachment.body, "subnets": chosen})
    world.build([wanted if each is attachment else each for each in resources])
    before = world.bodies[attachment.address]
    after = {**before, "subnets": [ids[1] for ids in zones.values()]}
    world.finish(Change("change", attachment.address, attachment.kind, before, after))
    (now,) = world.tagged("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments")
    assert sorted(now["SubnetIds"]) == sorted(after["subnets"])


def test_a_vpc_without_subnets_is_refused_with_what_to_do(world: World) -> None:
    vpc = world.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    resources = network(vpc)
    for resource in resources[:3]:
        world.finish(create(resource))
    with pytest.raises(DriverError, match="has no subnet in eu-central-1") as caught:
        world.step(create(named(resources, "vpc-attachment")))
    assert caught.value.permanent


def test_pending_things_are_waited_for_without_sleeping(world: World, faults: Faults) -> None:
    faults.pending(transit_gateway=0.4, route_table=0.2, attachment=0.4, vpn=0.4)
    resources = network(world.vpc())
    outcome = world.step(create(resources[0]))
    assert isinstance(outcome, Waiting) and "pending" in outcome.note and outcome.retry_after >= 1
    world.build(resources)
    assert counts(world) == WHOLE
    assert sum(note.endswith("is pending") for note in world.notes) >= 6


def test_a_static_route_moves_to_the_other_vpn_whichever_step_comes_first(world: World) -> None:
    resources = network(world.vpc())
    world.build(resources)
    first, second = (each for each in resources if each.kind == "aws.vpn-connection")
    table = world.attributes[first.address.partition("/vpn/")[0] + "/spoke"]["id"]

    def leads_to() -> list[str]:
        found = world.ec2.search_transit_gateway_routes(
            TransitGatewayRouteTableId=table, Filters=[{"Name": "type", "Values": ["static"]}]
        )["Routes"]
        return [via["ResourceId"] for route in found for via in route["TransitGatewayAttachments"]]

    ids = {each.address: world.attributes[each.address]["id"] for each in (first, second)}
    assert leads_to() == [ids[first.address]]
    taking = Change("change", second.address, second.kind, second.body, {**second.body, "routes_spoke": ["0.0.0.0/0"]})
    giving = Change("change", first.address, first.kind, first.body, {**first.body, "routes_spoke": []})
    world.finish(taking)
    world.finish(giving)
    assert leads_to() == [ids[second.address]]
    back = [
        replace(giving, before=giving.after, after=giving.before),
        replace(taking, before=taking.after, after=taking.before),
    ]
    for change in reversed(back):
        world.finish(change)
    assert leads_to() == [ids[first.address]]


def test_a_static_route_of_somebody_else_is_named_and_kept(world: World) -> None:
    resources = network(world.vpc())
    first = named(resources, "vpn-connection")
    world.build(resources[: resources.index(first)])
    table = world.attributes[first.address.partition("/vpn/")[0] + "/spoke"]["id"]
    world.ec2.create_transit_gateway_route(
        TransitGatewayRouteTableId=table, DestinationCidrBlock="0.0.0.0/0", Blackhole=True
    )
    with pytest.raises(DriverError, match=r"already routes 0\.0\.0\.0/0 to nowhere") as caught:
        world.finish(create(first))
    assert caught.value.permanent
    (route,) = world.ec2.search_transit_gateway_routes(
        TransitGatewayRouteTableId=table, Filters=[{"Name": "type", "Values": ["static"]}]
    )["Routes"]
    assert route["State"] == "blackhole"
