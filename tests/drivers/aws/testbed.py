"""A minimal executor and network for tests of the AWS driver."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from provisioning.core.values.resource import Change, Resource, resolve_change
from provisioning.drivers import get_driver
from provisioning.drivers.base import CloudCredentials, Done, DriverContext, SectionPublisher, Waiting
from provisioning.lab import moto

REGION = "eu-central-1"
ACCOUNT = "123456789012"
OTHER_ACCOUNT = "111122223333"
SECRET = {"access_key_id": "lab", "secret_access_key": "lab"}


class AwsTestbed:
    """A client of moto (``ec2``), and a driver with the attributes of the resources applied so far."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint, self.region = endpoint, region
        self.ec2 = moto.boto3_client("ec2", endpoint, region)
        self.attributes: dict[str, Mapping[str, Any]] = {}
        self.bodies: dict[str, Mapping[str, Any]] = {}
        self.notes: list[str] = []
        self.secrets: dict[str, Mapping[str, str]] = {ACCOUNT: SECRET}

    def context(self, tenant: str = "acme") -> DriverContext:
        def credentials(provider: str, account: str) -> CloudCredentials:
            assert provider == "aws"
            return CloudCredentials(account, self.secrets[account])

        sections = cast(SectionPublisher, None)  # Of exchange nodes; no cloud touches them.
        return DriverContext(tenant, self.attributes, credentials, sections)

    def apply_once(self, change: Change, tenant: str = "acme") -> Done | Waiting:
        """Call apply once, with references resolved as the executor does."""
        outcome = get_driver("aws").apply(resolve_change(change, self.attributes), self.context(tenant))
        if isinstance(outcome, Done):
            if outcome.body is None:
                self.attributes.pop(change.address, None)
                self.bodies.pop(change.address, None)
            else:
                self.attributes[change.address] = outcome.attributes
                self.bodies[change.address] = outcome.body
        return outcome

    def apply_until_done(self, change: Change, tenant: str = "acme", seconds: float = 10) -> Done:
        """Apply until done as a run's later tasks do, with a short pause instead of retry_after."""
        deadline = time.monotonic() + seconds
        while True:
            outcome = self.apply_once(change, tenant)
            if isinstance(outcome, Done):
                return outcome
            self.notes.append(outcome.note)
            assert time.monotonic() < deadline, outcome.note
            time.sleep(0.05)

    def create_all(self, resources: list[Resource], tenant: str = "acme") -> None:
        for resource in resources:
            self.apply_until_done(create_change(resource), tenant)

    def remove_change(self, resource: Resource) -> Change:
        return Change("remove", resource.address, resource.kind, self.bodies.get(resource.address), None)

    def vpc(self, name: str = "prod", cidr: str = "10.1.0.0/16", account: str | None = None) -> str:
        """Create a customer's VPC with two zones; return its id."""
        third = cidr.split(".")[1]
        subnets = [f"10.{third}.{index}.0/24" for index in range(4)]
        spec = {
            "account": account,
            "region": self.region,
            "name": name,
            "cidr": cidr,
            "subnets": subnets,
            "public": True,
        }
        return moto.seed_vpcs(self.endpoint, [spec])[name]

    def tagged(self, listing: str, items: str) -> list[dict[str, Any]]:
        """Return the existing resources with our tag, by a describe call."""
        answer = getattr(self.ec2, listing)()[items]
        return [
            item
            for item in answer
            if any(tag["Key"] == "causeway:address" for tag in item.get("Tags", []))
            and item.get("State") not in {"deleted", "deleting"}
        ]


def create_change(resource: Resource) -> Change:
    return Change("create", resource.address, resource.kind, None, resource.body, resource.depends)


def id_reference(address: str) -> dict[str, str]:
    return {"ref": address, "attr": "id"}


def example_resources(vpc: str, account: str = ACCOUNT, region: str = REGION, segment: str = "corp") -> list[Resource]:
    """Return one segment, one exchange of two nodes and one VPC, in the order in which a plan would create them."""
    base = f"aws/{account}/{region}"
    gateway = f"{base}/tgw"
    spoke, exchange = f"{base}/segment/{segment}/spoke", f"{base}/segment/{segment}/exchange"
    resources = [Resource(gateway, "aws.transit-gateway", {"account": account, "region": region, "asn": 64700})]
    for address, role in ((spoke, "spoke"), (exchange, "exchange")):
        resources.append(
            Resource(
                address,
                "aws.tgw-route-table",
                {"tgw": id_reference(gateway), "role": role, "segment": segment},
                (gateway,),
            )
        )
    for node in (1, 2):
        customer = f"{base}/cgw/eu/{node}"
        resources.append(Resource(customer, "aws.customer-gateway", {"public_ip": f"198.51.100.{node}", "asn": 65010}))
        resources.append(
            Resource(
                f"{base}/segment/{segment}/vpn/eu/{node}",
                "aws.vpn-connection",
                {
                    "tgw": id_reference(gateway),
                    "cgw": id_reference(customer),
                    "route_table": id_reference(exchange),
                    "inside_cidrs": [f"169.254.{10 + node}.0/30", f"169.254.{10 + node}.4/30"],
                    "spoke_table": id_reference(spoke),
                    "routes_spoke": ["0.0.0.0/0"] if node == 1 else [],
                },
                (gateway, customer, spoke, exchange),
            )
        )
    attachment = f"{base}/vpc/{vpc}/attachment"
    resources.append(
        Resource(
            attachment,
            "aws.vpc-attachment",
            {
                "vpc_id": vpc,
                "tgw": id_reference(gateway),
                "subnets": "one-per-az",
                "associate": id_reference(spoke),
                "propagate": id_reference(exchange),
            },
            (gateway, spoke, exchange),
        )
    )
    resources.append(
        Resource(
            f"{base}/vpc/{vpc}/routes",
            "aws.vpc-routes",
            {"vpc_id": vpc, "tgw": id_reference(gateway), "route_tables": "main", "prefixes": ["10.0.0.0/8"]},
            (attachment,),
        )
    )
    return resources


def resource_of_kind(resources: list[Resource], kind: str) -> Resource:
    """Return the first resource of a kind."""
    return next(resource for resource in resources if resource.kind == f"aws.{kind}")
