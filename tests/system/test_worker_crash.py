"""kill -9 of the worker during a run: after a restart the run succeeds within 45 s and AWS holds no duplicates."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal.local import process_specs
from provisioning.lab import aws_fault_proxy, moto
from provisioning.services import cloud_accounts
from tenants import tokens
from tenants.scope import scope
from tests.people import People
from tests.servers import TestServers
from tests.system.clients import CustomerClient, wait_until
from tests.system.cloud_document import REGION, VPCS, assert_each_once_in_aws, cloud_document

pytestmark = pytest.mark.packets


@pytest.fixture
def slow_aws(live_aws: str) -> Iterator[str]:
    """Slow down every call to AWS and keep gateways pending for a while."""
    with aws_fault_proxy.running_proxy(live_aws) as proxy:
        rules = [{"operation": "*", "fault": "slow", "seconds": 0.3}]
        pending = {"transit-gateway": 1.0, "attachment": 1.0, "vpn": 1.0}
        httpx.post(f"{proxy}/_faults", json={"rules": rules, "pending": pending}).raise_for_status()
        yield proxy


def test_a_run_survives_a_killed_worker_without_duplicates(
    people: People,
    servers: TestServers,
    live_portal: str,
    live_aws: str,
    slow_aws: str,
    live_nodes: dict[str, str],
    tmp_path: Path,
) -> None:
    vpcs = moto.seed_vpcs(live_aws, VPCS)
    with scope(people.acme):
        secret = {"access_key_id": "lab", "secret_access_key": "lab"}
        cloud_accounts.add_account(
            name="aws", provider="aws", account_id="123456789012", regions=[REGION], credentials=secret
        )
    _, token = tokens.issue(people.owner, "crash")
    acme = CustomerClient(live_portal, token, "acme")
    worker = process_specs.worker_process({**live_nodes, "AWS_ENDPOINT_URL": slow_aws}, tmp_path, threads=4)

    first = servers.supervisor.start(worker)
    draft = acme.post("drafts/", {"name": "first"})["id"]
    acme.put(f"drafts/{draft}/intent/", cloud_document(vpcs))
    plan = acme.post(f"drafts/{draft}/plan/")
    run = acme.post(f"plans/{plan['id']}/provision/", {"digest": plan["digest"]})["id"]
    wait_until(lambda: acme.get(f"runs/{run}/"), is_half_done, 30, 0.02)
    os.killpg(first.popen.pid, signal.SIGKILL)
    first.popen.wait(5)
    servers.supervisor.stop(worker.name)

    servers.supervisor.start(worker)
    ended = acme.ended(run, 45)
    assert ended["state"] == "succeeded", [step for step in ended["steps"] if step["state"] != "done"]
    assert_each_once_in_aws(live_aws, vpcs)
    servers.supervisor.stop(worker.name)


def is_half_done(run: dict[str, Any]) -> bool:
    """Return whether a call to AWS is running, with steps both done and pending."""
    steps = [step for step in run["steps"] if step["kind"].startswith("aws.")]
    return any(step["state"] == "running" for step in steps) and any(step["state"] == "done" for step in steps)
