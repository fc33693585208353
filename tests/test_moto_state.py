"""The lab's AWS keeps its state across a restart."""

from __future__ import annotations

from pathlib import Path

from portal.local import process_specs
from portal.local.redis import free_port
from portal.local.supervisor import ProcessSupervisor
from provisioning.lab import moto


def test_a_restarted_aws_still_has_its_vpcs_and_gateways_of_every_account(tmp_path: Path) -> None:
    state, port = tmp_path / "aws.state", free_port()
    endpoint = f"http://127.0.0.1:{port}"
    vpcs = [{"account": "222222222222", "region": "eu-central-1", "name": "prod", "cidr": "10.1.0.0/16"}]
    with ProcessSupervisor(tmp_path / "log") as supervisor:
        supervisor.start(process_specs.aws_process({}, port, state))
        created = moto.seed_vpcs(endpoint, vpcs)
        gateway = moto.boto3_client("ec2", endpoint, "eu-central-1", "222222222222").create_transit_gateway()
        supervisor.stop()
        supervisor.start(process_specs.aws_process({}, port, state))
        ec2 = moto.boto3_client("ec2", endpoint, "eu-central-1", "222222222222")
        assert moto.seed_vpcs(endpoint, vpcs) == created
        gateways = ec2.describe_transit_gateways()["TransitGateways"]
        assert [each["TransitGatewayId"] for each in gateways] == [gateway["TransitGateway"]["TransitGatewayId"]]
    assert state.stat().st_mode & 0o777 == 0o600
