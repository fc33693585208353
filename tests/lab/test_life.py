"""How the lab and its agents live and die, and what they do without a portal or without a kernel that helps."""

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

from provisioning.lab.control import Lab, LabError
from provisioning.lab.fixture import FixturePortal
from tests.lab.conftest import ROOT, World, _need_packets, until
from tests.lab.network import Network, Site

SITES = (Site("prod", "eu", "10.1.0.0/16"), Site("dev", "us", "10.2.0.0/16"))


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[World]:
    _need_packets()
    made = World(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def family(world: World) -> list[int]:
    state = world.lab.state
    return [state["pid"], state["world"], *(node["pid"] for node in state["nodes"].values())]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.packets
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_when_the_lab_ends_no_process_and_no_namespace_is_left(mortal: World, number: signal.Signals) -> None:
    before = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    mortal.make(Network(SITES))
    pids = family(mortal)
    assert all(alive(pid) for pid in pids)
    os.kill(mortal.lab.pid, number)
    assert mortal.process
    mortal.process.wait(5)
    until(lambda: not any(alive(pid) for pid in pids), 3, "every process has ended")
    after = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    assert after == before


@pytest.mark.packets
def test_packets_flow_on_while_the_portal_is_away_and_a_restarted_agent_needs_no_portal(mortal: World) -> None:
    mortal.make(Network(SITES))
    mortal.portal.away = True
    for node in mortal.lab.state["nodes"].values():
        os.kill(node["pid"], signal.SIGKILL)
    assert mortal.pings("prod", "10.2.0.1")
    time.sleep(2)
    assert mortal.pings("prod", "10.2.0.1")
    mortal.portal.away = False
    mortal.make(Network(SITES).but(stance={"corp": "closed"}))
    assert not mortal.pings("prod", "10.2.0.1")


@pytest.mark.packets
def test_counters_and_epoch_go_on_when_an_agent_is_started_again(mortal: World) -> None:
    mortal.make(Network(SITES))
    key, node = "acme|connector/prod|corp|in|bytes", "aws-eu-central-1/1"
    mortal.run("prod", "ping", "-c5", "-i0.01", "10.2.0.1")
    until(lambda: mortal.portal.counter(key) == 5 * 84, 6, "five pings are counted")
    epoch = mortal.portal.reports[node]["epoch"]
    mortal.portal.reports.clear()
    os.kill(mortal.lab.state["nodes"][node]["pid"], signal.SIGKILL)
    until(lambda: node in mortal.portal.reports, 10, "the agent is back")
    assert mortal.portal.reports[node]["epoch"] == epoch
    until(lambda: mortal.portal.counter(key) >= 5 * 84, 5, "the count goes on")


@pytest.mark.packets
def test_exec_passes_the_exit_code_through_and_names_the_workloads_there_are(mortal: World) -> None:
    mortal.make(Network(SITES))
    code = (
        "import sys; from provisioning.lab.control import Lab; "
        "sys.exit(Lab(sys.argv[1]).exec_in('acme', 'prod', sys.argv[2:]))"
    )
    state = str(mortal.folder / "state.json")
    done = subprocess.run(
        [sys.executable, "-c", code, state, "sh", "-c", "ip -br addr; exit 7"], capture_output=True, text=True
    )
    assert done.returncode == 7
    assert "10.1.0.1/32" in done.stdout
    with pytest.raises(LabError, match="there are: acme dev, acme prod"):
        Lab(state).workload("acme", "nowhere")


@pytest.mark.packets
def test_a_node_that_was_cut_comes_back(mortal: World) -> None:
    mortal.make(Network(SITES))
    code = (
        "import sys; from provisioning.lab.control import Lab; getattr(Lab(sys.argv[1]), sys.argv[2])('aws-us-east-1')"
    )
    state = str(mortal.folder / "state.json")
    subprocess.run([sys.executable, "-c", code, state, "cut"], check=True)
    assert not mortal.pings("prod", "10.2.0.1")
    subprocess.run([sys.executable, "-c", code, state, "heal"], check=True)
    until(lambda: mortal.pings("prod", "10.2.0.1"), 10, "the location answers again")


def test_without_nft_or_namespaces_nodes_report_what_they_would_do_and_say_so(tmp_path: Path) -> None:
    world = World(tmp_path, simulate=True)
    world.start()
    try:
        world.make(Network(SITES))
        assert all(report["health"]["simulated"] for report in world.portal.reports.values())
        with pytest.raises(LabError, match="simulation"):
            Lab(tmp_path / "state.json")
    finally:
        world.stop()


def test_a_document_that_the_portal_did_not_sign_is_not_applied(tmp_path: Path) -> None:
    world = World(tmp_path, simulate=True)
    world.start()
    try:
        world.make(Network(SITES))
        version = world.portal.reports["aws-eu-central-1/1"]["version"]
        world.portal.publish(Network(SITES).but(stance={"corp": "closed"}).documents())
        text, _ = world.portal.documents["aws-eu-central-1/1"]
        until(lambda: world.portal.settled(1), 10, "the signed one is applied")
        world.portal.documents["aws-eu-central-1/1"] = (
            text.replace("closed", "open"),
            world.portal.documents["aws-eu-central-1/1"][1],
        )
        time.sleep(1)
        assert world.portal.reports["aws-eu-central-1/1"]["version"] == version + 1
        until(lambda: "signature is not the portal's" in world.log(), 25, "the agent says why it refuses")
    finally:
        world.stop()


def test_an_agent_on_a_router_of_its_own_carries_its_document_out_and_ends_when_told(tmp_path: Path) -> None:
    portal, name = FixturePortal(), "aws-eu-central-1/1"
    portal.publish(Network(SITES).documents())
    config = {"portal": portal.url, "location": "aws-eu-central-1", "index": 1, "token": name,
              "public_key": portal.public_key, "data": str(tmp_path / "data")}  # fmt: skip
    (tmp_path / "agent.json").write_text(json.dumps(config))
    argv = [sys.executable, "-m", "provisioning.agent", "--config", str(tmp_path / "agent.json"), "--simulate"]
    agent = subprocess.Popen(argv, cwd=ROOT)
    try:
        until(lambda: portal.reports.get(name, {}).get("version") == 1, 20, "the agent reports the document")
        assert set(portal.reports[name]["applied"]) == set(Network(SITES).documents()[name])
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(10) == 0
    finally:
        agent.kill()
        portal.close()


def test_a_configuration_that_lacks_something_is_said(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text('{"portal": "http://127.0.0.1:1", "location": "aws-eu-central-1"}')
    argv = [sys.executable, "-m", "provisioning.agent", "--config", str(tmp_path / "agent.json")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "'index'" in done.stderr) == (2, True)
