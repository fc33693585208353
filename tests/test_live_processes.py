"""The live processes of the tests answer from outside."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.local import memory, process_specs
from tests.servers import TestServers


def test_a_running_portal_is_healthy(live_portal: str) -> None:
    assert process_specs.is_answering(f"{live_portal}/healthz")


def test_a_running_portal_does_not_hold_the_owners_login(live_portal: str, servers: TestServers) -> None:
    pid = next(running.popen.pid for running in servers.supervisor.running if running.process.name == "portal")
    assert b"causeway_owner" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_worker_runs_the_tasks_of_the_broker(live_worker: None, server_logs: Path) -> None:
    assert "ready." in (server_logs / "worker.log").read_text()


def test_the_labs_aws_answers_as_ec2(live_aws: str) -> None:
    from provisioning.lab import moto

    vpcs = moto.boto3_client("ec2", live_aws, "eu-central-1").describe_vpcs()["Vpcs"]
    assert all(vpc["IsDefault"] for vpc in vpcs)


@pytest.mark.packets
def test_every_node_of_the_lab_enrols_at_the_portal(live_lab: dict[str, str]) -> None:
    from provisioning.catalog import catalog
    from provisioning.models import Node

    expected = sum(len(location.nodes) for location in catalog().locations.values())
    until = time.monotonic() + 30
    while Node.objects.exclude(token_digest="").count() < expected:
        assert time.monotonic() < until, f"only {Node.objects.count()} of {expected} nodes are known to the portal"
        time.sleep(0.1)


@pytest.mark.browser
def test_a_visitor_of_the_portal_is_asked_to_sign_in(page: Page, live_portal: str) -> None:
    page.goto(f"{live_portal}/")
    expect(page.get_by_label("Email")).to_be_visible()
    with urllib.request.urlopen(page.url) as response:
        assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]


def test_memory_is_counted_with_all_descendants() -> None:
    import os
    import subprocess
    import sys

    filled = "data = bytearray(b'x' * 50_000_000); print(flush=True); input()"
    command = ["sh", "-c", f'{sys.executable} -c "{filled}"; true']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert memory.proportional_set_size(memory.process_tree(child.pid)) > 50_000_000
        assert child.pid in [process.pid for process in memory.process_tree(os.getpid())]
        child.communicate(b"\n")
