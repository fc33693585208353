"""The lab's AWS: moto's own server as a process, and networks in it that a customer "already had".

moto answers as AWS does, but at once and without limits; ``aws_fault_proxy`` puts the waiting and the failing in front.
State is in memory, and, where a file is named, kept there across restarts (``moto_state``).

    python -m provisioning.lab.moto --port 5005 [--state FILE]
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from provisioning.lab import moto_state

HOST = "127.0.0.1"
CREDENTIALS = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}


def server_command(port: int, state: Path | None = None) -> list[str]:
    """The arguments of a process that serves EC2, STS and IAM on this loopback port."""
    kept = ["--state", str(state)] if state else []
    return [sys.executable, "-m", "provisioning.lab.moto", "--port", str(port), *kept]


def server_environment() -> dict[str, str]:
    """Variables the process is to have besides the usual ones: one malloc arena saves memory in a threaded server."""
    return {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MALLOC_ARENA_MAX": "1"}


def serve(port: int, state: Path | None = None) -> None:
    """Serve until SIGTERM."""
    os.environ.update(server_environment())
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _patch_instance_types()
    from moto.server import main

    _patch_attachment_tags()
    _patch_route_attachments()
    if state:
        moto_state.load_state(state)
        moto_state.save_periodically(state)
    main(["-H", HOST, "-p", str(port)])


def _patch_instance_types() -> None:
    """No machine is ever launched here, so the catalogue of machine types (50 MB) need not be loaded."""
    import moto.utilities.utils

    resources: Any = moto.utilities.utils
    load = resources.load_resource
    resources.load_resource = lambda path: {} if "instance_type" in str(path) else load(path)


def _patch_attachment_tags() -> None:
    """moto 5.2.5 looks for the tags of a new VPC attachment under another resource type, and so loses them."""
    from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment

    responses: Any = TransitGatewayAttachment
    parse = responses._parse_tag_specification

    def with_tags(response: Any, expected: str | None = None) -> Any:
        found = parse(response, expected)
        if "transit-gateway-attachment" in found:
            found.setdefault("transit-gateway-route-table", found["transit-gateway-attachment"])
        return found

    responses._parse_tag_specification = with_tags


def _patch_route_attachments() -> None:
    """moto 5.2.5 keeps a route's attachment as one thing where AWS has a list, and so answers with an empty list."""
    from moto.ec2.models.transit_gateway_route_tables import TransitGatewayRouteTableBackend

    tables: Any = TransitGatewayRouteTableBackend
    create = tables.create_transit_gateway_route

    def with_list(backend: Any, *arguments: Any, **named: Any) -> Any:
        route: Any = create(backend, *arguments, **named)
        via = route.get("transitGatewayAttachments")
        route["transitGatewayAttachments"] = [via] if isinstance(via, dict) else via or []
        return route

    tables.create_transit_gateway_route = with_list


def wait_until_ready(endpoint: str, seconds: float = 30) -> None:
    """Return once EC2 answers; the first answer also loads moto's EC2, which takes seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            boto3_client("ec2", endpoint, "us-east-1").describe_account_attributes()
            return
        except Exception as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"moto at {endpoint} did not answer within {seconds:.0f} s: {error}") from error
            time.sleep(0.1)


@contextmanager
def running_moto(port: int | None = None) -> Iterator[str]:
    """A moto process of one's own; yields its endpoint."""
    port = port or free_port()
    endpoint = f"http://{HOST}:{port}"
    process = subprocess.Popen(
        server_command(port),
        cwd=Path(__file__).parents[2],
        env={**os.environ, **server_environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(endpoint)
        yield endpoint
    finally:
        process.terminate()
        process.wait(timeout=10)


def reset_moto(endpoint: str) -> None:
    """Forget everything in all accounts."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(request, timeout=10).close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def boto3_client(service: str, endpoint: str, region: str, account: str | None = None) -> Any:
    """A plain boto3 client; ``account`` (12 digits) other than moto's own is entered by assuming a role there."""
    import boto3
    from botocore.config import Config

    make: Any = boto3.client  # overloaded by literal service names, of which ours is not one
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=30)
    keys: dict[str, str] = dict(CREDENTIALS)
    if account:
        sts = make("sts", region_name=region, endpoint_url=endpoint, config=config, **keys)
        made = sts.assume_role(RoleArn=role_arn(account), RoleSessionName="lab")["Credentials"]
        keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }
    return make(service, region_name=region, endpoint_url=endpoint, config=config, **keys)


def role_arn(account: str) -> str:
    """The role that opens an account of the lab; moto makes the account when it is first assumed."""
    return f"arn:aws:iam::{account}:role/causeway"


def seed_vpcs(endpoint: str, spec: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Make the VPCs of ``spec`` that are not there yet; returns name → VPC id. Twice is as good as once.

    Each: {"account": 12 digits or None, "region", "name", "cidr", "secondary": [cidr], "subnets": [cidr, …],
    "ingress": [{"protocol", "port", "cidr"}], "public": bool}. Subnets alternate over the zones a and b. A public VPC
    has an internet gateway, and a second route table with a default route to it, which its first subnet uses.
    """
    clients: dict[tuple[str | None, str], Any] = {}
    made = {}
    for wanted in spec:
        place = (wanted.get("account"), wanted["region"])
        if place not in clients:
            clients[place] = boto3_client("ec2", endpoint, place[1], place[0])
        made[wanted["name"]] = _seed_vpc(clients[place], wanted)
    return made


def _seed_vpc(ec2: Any, wanted: Mapping[str, Any]) -> str:
    name = wanted["name"]
    found = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [name]}])["Vpcs"]
    if found:
        return str(found[0]["VpcId"])
    vpc = str(ec2.create_vpc(CidrBlock=wanted["cidr"])["Vpc"]["VpcId"])
    for cidr in wanted.get("secondary") or []:
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=cidr)
    zones = [f"{wanted['region']}{letter}" for letter in "ab"]
    subnets = []
    for index, cidr in enumerate(wanted.get("subnets") or []):
        zone = zones[index % len(zones)]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        _tag_name(ec2, subnet, f"{name}-{zone[-1]}{index // len(zones) + 1}")
        subnets.append(subnet)
    if wanted.get("public"):
        _add_internet_gateway(ec2, vpc, name, subnets[:1])
    group = ec2.create_security_group(GroupName=f"{name}-app", Description=f"Application in {name}", VpcId=vpc)[
        "GroupId"
    ]
    for rule in wanted.get("ingress") or []:
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {
                    "IpProtocol": rule["protocol"],
                    "FromPort": rule["port"],
                    "ToPort": rule["port"],
                    "IpRanges": [{"CidrIp": rule["cidr"]}],
                }
            ],
        )
    # The name comes last: a VPC with a name is complete, so a seeding that was cut short is not taken for done.
    _tag_name(ec2, vpc, name)
    return vpc


def _add_internet_gateway(ec2: Any, vpc: str, name: str, subnets: Sequence[str]) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    _tag_name(ec2, table, f"{name}-public")


def _tag_name(ec2: Any, resource: str, name: str) -> None:
    ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": name}])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path)
    chosen = parser.parse_args()
    serve(chosen.port, chosen.state)
