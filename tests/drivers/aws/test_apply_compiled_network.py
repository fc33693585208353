"""The driver applies what compile returns: a network is created in moto, changed by an edit, and removed."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.core.plan import diff_resources
from provisioning.core.values.resource import Change, Resource
from provisioning.drivers import compile_network, exceeded_quotas, get_driver
from tests.core.sample_networks import IntentBuilder
from tests.drivers.aws.conftest import Faults
from tests.drivers.aws.testbed import ACCOUNT, REGION, AwsTestbed


def draw_network(testbed: AwsTestbed) -> IntentBuilder:
    network = IntentBuilder()
    network.add("exchanges", {"name": "eu", "location": "aws-eu-central-1", "size": "small"})
    network.add("exchanges", {"name": "us", "location": "aws-us-east-1", "size": "small"})
    network.add("segments", {"name": "corp", "default_action": "allow", "prefixes": ["10.0.0.0/8"]})
    network.add("segments", {"name": "lab", "default_action": "deny", "prefixes": ["172.16.0.0/12"]})
    for name, exchange, cidr in (("prod", "eu", "10.1.0.0/16"), ("dev", "us", "10.2.0.0/16")):
        network.add(
            "connectors",
            {
                "name": name,
                "kind": "aws-vpc",
                "exchange": exchange,
                "size": "small",
                "attachments": [{"segment": "corp", "group": None, "prefixes": [cidr]}],
                "settings": {"account": ACCOUNT, "region": REGION, "vpc_id": testbed.vpc(name, cidr)},
            },
        )
    return network


def aws_resources(network: IntentBuilder) -> dict[str, Resource]:
    return {
        address: resource
        for address, resource in compile_network(network.network()).items()
        if resource.driver == "aws"
    }


def apply_diff(testbed: AwsTestbed, observed: Mapping[str, Resource], desired: Mapping[str, Resource]) -> list[Change]:
    changes = diff_resources(observed, desired, get_driver("aws").replace_on)
    for change in changes:
        testbed.apply_until_done(change)
    return changes


def test_a_compiled_network_is_created_changed_and_removed(testbed: AwsTestbed, faults: Faults) -> None:
    network = draw_network(testbed)
    desired = aws_resources(network)
    assert exceeded_quotas(desired.values()) == []
    apply_diff(testbed, {}, desired)
    assert len(testbed.tagged("describe_vpn_connections", "VpnConnections")) == 4
    reported = get_driver("aws").observe(
        [Change("create", address, desired[address].kind, None, body) for address, body in testbed.bodies.items()],
        testbed.context(),
    )
    assert {each.address: each.body for each in reported} == testbed.bodies

    network.remove("connectors", "prod")  # the first exchange's VPNs held the static routes; now the second's do
    after = aws_resources(network)
    apply_diff(testbed, desired, after)
    assert len(testbed.tagged("describe_vpn_connections", "VpnConnections")) == 2
    reported = get_driver("aws").observe(
        [Change("create", address, after[address].kind, None, body) for address, body in testbed.bodies.items()],
        testbed.context(),
    )
    assert {each.address: each.body for each in reported} == testbed.bodies

    apply_diff(testbed, after, {})
    assert testbed.bodies == {}
    assert testbed.tagged("describe_transit_gateways", "TransitGateways") == []
    assert len([vpc for vpc in testbed.ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]) == 2
