"""The network that the system tests provision, and its expected resources in AWS."""

from __future__ import annotations

from typing import Any

from provisioning.lab import moto

REGION = "eu-central-1"
VPCS = [
    {"region": REGION, "name": name, "cidr": f"{net}.0.0/16", "subnets": [f"{net}.0.0/20", f"{net}.16.0/20"]}
    for name, net in (("prod", "10.1"), ("dev", "10.2"))
]


def cloud_document(vpcs: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    def vpc(name: str, group: str, prefix: str) -> dict[str, Any]:
        settings = {"account": "aws", "region": REGION, "vpc_id": vpcs[group]}
        attachments = [{"segment": "corp", "group": group, "prefixes": [prefix]}]
        return {"name": name, "kind": "aws-vpc", "exchange": "eu", "attachments": attachments, "settings": settings}

    def site(name: str, exchange: str, group: str, prefix: str) -> dict[str, Any]:
        attachments = [{"segment": "corp", "group": group, "prefixes": [prefix]}]
        return {"name": name, "kind": "lab-site", "exchange": exchange, "attachments": attachments}

    return {
        "exchanges": [{"name": "eu", "location": "aws-eu-central-1"}, {"name": "us", "location": "aws-us-east-1"}],
        "segments": [{"name": "corp", "default_action": "deny", "prefixes": ["10.0.0.0/8"]}],
        "groups": [{"name": "prod"}, {"name": "dev"}, {"name": "staff"}],
        "services": [
            {
                "name": "fw",
                "product": "linux-firewall",
                "segments": ["corp"],
                "placements": [{"exchange": "eu", "min_instances": 2, "max_instances": 2}],
            }
        ],
        "connectors": [
            vpc("vpc-prod", "prod", "10.1.0.0/16"),
            vpc("vpc-dev", "dev", "10.2.0.0/16"),
            site("office", "us", "staff", "10.3.0.0/24"),
            {"name": "exit", "kind": "internet-exit", "exchange": "eu", "attachments": [{"segment": "corp"}]},
        ],
        "policies": [
            {
                "name": "staff-to-prod",
                "position": 10,
                "segments": ["corp"],
                "from": ["staff"],
                "to": ["prod"],
                "rules": [
                    {"name": "web", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"]}
                ],
            }
        ],
    }


def assert_each_once_in_aws(endpoint: str, vpcs: dict[str, str]) -> None:
    """Assert with boto3 that each resource exists exactly once."""
    ec2 = moto.boto3_client("ec2", endpoint, REGION)
    (gateway,) = ec2.describe_transit_gateways()["TransitGateways"]
    of_vpcs = [{"Name": "resource-type", "Values": ["vpc"]}]
    attachments = ec2.describe_transit_gateway_attachments(Filters=of_vpcs)["TransitGatewayAttachments"]
    assert sorted(attachment["ResourceId"] for attachment in attachments) == sorted(vpcs.values())
    tables = [
        # moto gives every gateway a default table, asked for or not; ours carry our tag.
        table
        for table in ec2.describe_transit_gateway_route_tables()["TransitGatewayRouteTables"]
        if any(tag["Key"] == "causeway:tenant" for tag in table.get("Tags", []))
    ]
    assert len(tables) == 2 and {table["TransitGatewayId"] for table in tables} == {gateway["TransitGatewayId"]}
    vpns = ec2.describe_vpn_connections()["VpnConnections"]
    assert len(vpns) == 2 == len({vpn["CustomerGatewayId"] for vpn in vpns})
    for vpc in vpcs.values():
        routes = [
            route
            for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
            for route in table["Routes"]
            if route.get("TransitGatewayId")
        ]
        assert routes and all(route["DestinationCidrBlock"].startswith("10.") for route in routes)
