"""What compile makes, the driver can carry out: from a drawn network to moto, through an edit, and away again."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.core.compile import compile_network
from provisioning.core.plan import diff_resources
from provisioning.core.values.resource import Change, Resource
from provisioning.drivers import driver
from provisioning.drivers.aws.quotas import exceeded
from tests.core.sample_networks import IntentBuilder
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.world import ACCOUNT, REGION, World


def drawn(world: World) -> IntentBuilder:
    drawing = IntentBuilder()
    drawing.add("exchanges", {"name": "eu", "location": "aws-eu-central-1", "size": "small"})
    drawing.add("exchanges", {"name": "us", "location": "aws-us-east-1", "size": "small"})
    drawing.add("segments", {"name": "corp", "stance": "open", "prefixes": ["10.0.0.0/8"]})
    drawing.add("segments", {"name": "lab", "stance": "closed", "prefixes": ["172.16.0.0/12"]})
    for name, exchange, cidr in (("prod", "eu", "10.1.0.0/16"), ("dev", "us", "10.2.0.0/16")):
        drawing.add(
            "connectors",
            {
                "name": name,
                "kind": "aws-vpc",
                "exchange": exchange,
                "size": "small",
                "attachments": [{"segment": "corp", "group": None, "prefixes": [cidr]}],
                "settings": {"account": ACCOUNT, "region": REGION, "vpc_id": world.vpc(name, cidr)},
            },
        )
    return drawing


def ours(drawing: IntentBuilder) -> dict[str, Resource]:
    return {
        address: resource
        for address, resource in compile_network(drawing.network()).items()
        if resource.driver == "aws"
    }


def carry_out(world: World, there: Mapping[str, Resource], wanted: Mapping[str, Resource]) -> list[Change]:
    changes = diff_resources(there, wanted, driver("aws").replace_on)
    for change in changes:
        world.finish(change)
    return changes


def test_a_drawn_network_is_made_changed_and_taken_away(world: World, faults: Faults) -> None:
    drawing = drawn(world)
    wanted = ours(drawing)
    assert exceeded(wanted.values()) == []
    carry_out(world, {}, wanted)
    assert len(world.tagged("describe_vpn_connections", "VpnConnections")) == 4
    seen = driver("aws").observe(
        [Change("create", address, wanted[address].kind, None, body) for address, body in world.bodies.items()],
        world.context(),
    )
    assert {each.address: each.body for each in seen} == world.bodies

    drawing.remove("connectors", "prod")  # the first exchange's VPNs held the static routes; now the second's do
    after = ours(drawing)
    carry_out(world, wanted, after)
    assert len(world.tagged("describe_vpn_connections", "VpnConnections")) == 2
    seen = driver("aws").observe(
        [Change("create", address, after[address].kind, None, body) for address, body in world.bodies.items()],
        world.context(),
    )
    assert {each.address: each.body for each in seen} == world.bodies

    carry_out(world, after, {})
    assert world.bodies == {}
    assert world.tagged("describe_transit_gateways", "TransitGateways") == []
    assert len([vpc for vpc in world.ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]) == 2
