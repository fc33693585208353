"""Start, stop and restart of the lab and its agents, also without a portal or without kernel support."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.core.node_document import VERSION
from provisioning.lab.control import Lab, LabError
from provisioning.lab.fake_portal import FakePortal
from tests.lab.conftest import ROOT, RunningLab, _skip_without_packets, wait_until
from tests.lab.handwritten_network import HandwrittenNetwork, Site

SITES = (Site("prod", "eu", "10.1.0.0/16"), Site("dev", "us", "10.2.0.0/16"))


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[RunningLab]:
    _skip_without_packets()
    made = RunningLab(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def lab_processes(running_lab: RunningLab) -> list[int]:
    state = running_lab.lab.state
    return [state["pid"], state["servers"], *(node["pid"] for node in state["nodes"].values())]


def is_process_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.packets
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_lab_leaves_no_process_and_no_namespace(own_lab: RunningLab, number: signal.Signals) -> None:
    before = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    own_lab.publish_network(HandwrittenNetwork(SITES))
    pids = lab_processes(own_lab)
    assert all(is_process_alive(pid) for pid in pids)
    os.kill(own_lab.lab.pid, number)
    assert own_lab.process
    own_lab.process.wait(5)
    wait_until(lambda: not any(is_process_alive(pid) for pid in pids), 3, "every process has ended")
    after = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    assert after == before


@pytest.mark.packets
def test_agents_forward_and_restart_without_the_portal(own_lab: RunningLab) -> None:
    own_lab.publish_network(HandwrittenNetwork(SITES))
    own_lab.portal.is_unavailable = True
    for node in own_lab.lab.state["nodes"].values():
        os.kill(node["pid"], signal.SIGKILL)
    assert own_lab.can_ping("prod", "10.2.0.1")
    time.sleep(2)
    assert own_lab.can_ping("prod", "10.2.0.1")
    own_lab.portal.is_unavailable = False
    own_lab.publish_network(HandwrittenNetwork(SITES).with_changes(default_action={"corp": "deny"}))
    assert not own_lab.can_ping("prod", "10.2.0.1")


@pytest.mark.packets
def test_counters_and_epoch_continue_after_an_agent_restarts(own_lab: RunningLab) -> None:
    own_lab.publish_network(HandwrittenNetwork(SITES))
    key, node = "acme|connector/prod|corp|in|bytes", "aws-eu-central-1/1"
    own_lab.run("prod", "ping", "-c5", "-i0.01", "10.2.0.1")
    wait_until(lambda: own_lab.portal.counter(key) == 5 * 84, 6, "five pings are counted")
    epoch = own_lab.portal.reports[node]["epoch"]
    own_lab.portal.reports.clear()
    os.kill(own_lab.lab.state["nodes"][node]["pid"], signal.SIGKILL)
    wait_until(lambda: node in own_lab.portal.reports, 10, "the agent is back")
    assert own_lab.portal.reports[node]["epoch"] == epoch
    wait_until(lambda: own_lab.portal.counter(key) >= 5 * 84, 5, "the count goes on")


@pytest.mark.packets
def test_exec_returns_the_exit_code_and_names_the_known_workloads(own_lab: RunningLab) -> None:
    own_lab.publish_network(HandwrittenNetwork(SITES))
    code = (
        "import sys; from provisioning.lab.control import Lab; "
        "sys.exit(Lab(sys.argv[1]).exec_in('acme', 'prod', sys.argv[2:]))"
    )
    state = str(own_lab.folder / "state.json")
    done = subprocess.run(
        [sys.executable, "-c", code, state, "sh", "-c", "ip -br addr; exit 7"], capture_output=True, text=True
    )
    assert done.returncode == 7
    assert "10.1.0.1/32" in done.stdout
    with pytest.raises(LabError, match="there are: acme dev, acme prod"):
        Lab(state).workload("acme", "nowhere")


@pytest.mark.packets
def test_a_node_that_was_cut_off_recovers(own_lab: RunningLab) -> None:
    own_lab.publish_network(HandwrittenNetwork(SITES))
    code = (
        "import sys; from provisioning.lab.control import Lab; getattr(Lab(sys.argv[1]), sys.argv[2])('aws-us-east-1')"
    )
    state = str(own_lab.folder / "state.json")
    subprocess.run([sys.executable, "-c", code, state, "cut"], check=True)
    assert not own_lab.can_ping("prod", "10.2.0.1")
    subprocess.run([sys.executable, "-c", code, state, "heal"], check=True)
    wait_until(lambda: own_lab.can_ping("prod", "10.2.0.1"), 10, "the location answers again")


def test_nodes_without_nft_or_namespaces_report_that_they_simulate(tmp_path: Path) -> None:
    running_lab = RunningLab(tmp_path, simulate=True)
    running_lab.start()
    try:
        running_lab.publish_network(HandwrittenNetwork(SITES))
        assert all(report["health"]["simulated"] for report in running_lab.portal.reports.values())
        with pytest.raises(LabError, match="simulation"):
            Lab(tmp_path / "state.json")
    finally:
        running_lab.stop()


def test_a_document_not_signed_by_the_portal_is_not_applied(tmp_path: Path) -> None:
    running_lab = RunningLab(tmp_path, simulate=True)
    running_lab.start()
    try:
        running_lab.publish_network(HandwrittenNetwork(SITES))
        serial = running_lab.portal.reports["aws-eu-central-1/1"]["serial"]
        running_lab.portal.publish(HandwrittenNetwork(SITES).with_changes(default_action={"corp": "deny"}).documents())
        text, _ = running_lab.portal.documents["aws-eu-central-1/1"]
        wait_until(lambda: running_lab.portal.wait_until_applied(1), 10, "the signed one is applied")
        running_lab.portal.documents["aws-eu-central-1/1"] = (
            text.replace('"default_action":"deny"', '"default_action":"allow"'),
            running_lab.portal.documents["aws-eu-central-1/1"][1],
        )
        time.sleep(1)
        assert running_lab.portal.reports["aws-eu-central-1/1"]["serial"] == serial + 1
        wait_until(lambda: "signature is not the portal's" in running_lab.log(), 25, "the agent says why it refuses")
    finally:
        running_lab.stop()


@pytest.mark.packets
def test_an_agent_refuses_an_unknown_document_version_reports_it_and_keeps_forwarding(
    own_lab: RunningLab,
) -> None:
    own_lab.publish_network(HandwrittenNetwork(SITES))
    closed = HandwrittenNetwork(SITES).with_changes(default_action={"corp": "deny"}).documents()
    own_lab.portal.publish(closed, version=VERSION + 1)
    reports = own_lab.portal.reports
    wait_until(lambda: all(report["health"]["refused"] for report in reports.values()), 10, "every agent refuses")
    report = reports["aws-eu-central-1/1"]
    assert f"writes document version {VERSION + 1}, this agent knows {VERSION}" in report["health"]["refused"]
    assert (report["serial"], report["health"]["document_version"], report["failed"]) == (1, VERSION, {})
    assert report["applied"] and own_lab.can_connect("prod", "10.2.0.1", 443), "the last known document holds"
    for node in own_lab.lab.state["nodes"].values():
        os.kill(node["pid"], signal.SIGKILL)
    assert own_lab.can_connect("prod", "10.2.0.1", 443), "also where an agent dies meanwhile"
    own_lab.portal.publish(closed)
    assert own_lab.portal.wait_until_applied() and not own_lab.can_connect("prod", "10.2.0.1", 443)
    assert not any(report["health"]["refused"] for report in own_lab.portal.reports.values())


def test_an_agent_on_its_own_router_applies_its_document_and_stops_on_a_signal(tmp_path: Path) -> None:
    portal, name = FakePortal(), "aws-eu-central-1/1"
    portal.publish(HandwrittenNetwork(SITES).documents())
    config = {"portal": portal.url, "location": "aws-eu-central-1", "index": 1, "token": name,
              "public_key": portal.public_key, "data": str(tmp_path / "data")}  # fmt: skip
    (tmp_path / "agent.json").write_text(json.dumps(config))
    argv = [sys.executable, "-m", "provisioning.agent", "--config", str(tmp_path / "agent.json"), "--simulate"]
    agent = subprocess.Popen(argv, cwd=ROOT)
    try:
        wait_until(lambda: portal.reports.get(name, {}).get("serial") == 1, 20, "the agent reports the document")
        assert set(portal.reports[name]["applied"]) == set(HandwrittenNetwork(SITES).documents()[name])
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(10) == 0
    finally:
        agent.kill()
        portal.close()


def test_an_incomplete_configuration_is_reported(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text('{"portal": "http://127.0.0.1:1", "location": "aws-eu-central-1"}')
    argv = [sys.executable, "-m", "provisioning.agent", "--config", str(tmp_path / "agent.json")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "'index'" in done.stderr) == (2, True)
