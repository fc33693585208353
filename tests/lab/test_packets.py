"""Real packets through two exchanges: what the rules say is what gets through."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest

from tests.lab.conftest import STREAM, World, until
from tests.lab.network import Network, Site, allow

pytestmark = [pytest.mark.packets, pytest.mark.timeout(120)]

SITES = (
    Site("prod", "eu", "10.1.0.0/16"),
    Site("dev", "us", "10.2.0.0/16"),
    Site("office", "eu", "10.3.0.0/16"),
    Site("plant", "us", "10.4.0.0/16"),
)
OPEN = Network(SITES)
CLOSED = OPEN.but(stance={"corp": "closed"})
ADDRESS = {site.name: site.prefix.replace(".0.0/16", ".0.1") for site in SITES}
PAIRS = [(a.name, b.name) for a in SITES for b in SITES if a is not b]


def stream(world: World, site: str, address: str, port: int) -> subprocess.Popen[str]:
    """A live flow that prints a line for every answer."""
    flow = world.popen(site, sys.executable, "-c", STREAM, address, str(port))
    assert flow.stdout and flow.stdout.readline().strip() == "open"
    return flow


def last_words(flow: subprocess.Popen[str], wait: float) -> str:
    """The flow's last line, after giving it a while and ending it."""
    try:
        flow.wait(wait)
    except subprocess.TimeoutExpired:
        flow.kill()
    return flow.communicate()[0].strip().splitlines()[-1]


def test_in_an_open_segment_every_site_reaches_every_other_by_tcp_udp_and_icmp(world: World) -> None:
    world.make(OPEN)
    assert not [(a, b) for a, b in PAIRS if not world.pings(a, ADDRESS[b])]
    assert not [(a, b) for a, b in PAIRS if not world.connects(a, ADDRESS[b], 443)]
    assert world.datagram("prod", ADDRESS["dev"], 53)


def test_in_a_closed_segment_only_what_a_rule_allows_gets_through_and_only_from_its_initiator(world: World) -> None:
    rule = allow("c:prod", "c:dev", protocol="tcp", ports=["443", "8000-8100"])
    world.make(CLOSED.but(rules={"corp": [rule]}))
    assert world.connects("prod", ADDRESS["dev"], 443)
    assert world.connects("prod", ADDRESS["dev"], 8080)
    assert not world.connects("prod", ADDRESS["dev"], 22)
    assert not world.connects("dev", ADDRESS["prod"], 443)
    assert not world.pings("prod", ADDRESS["dev"])
    assert not world.connects("office", ADDRESS["dev"], 443)


def test_the_first_matching_rule_decides(world: World) -> None:
    rules = [allow("c:prod", "any", "deny", protocol="tcp", ports=["22"]), allow("c:prod", "any")]
    world.make(CLOSED.but(rules={"corp": rules}))
    assert world.connects("prod", ADDRESS["plant"], 443)
    assert not world.connects("prod", ADDRESS["plant"], 22)


def test_a_spoofed_source_is_dropped_at_the_circuit(world: World) -> None:
    world.make(OPEN)
    world.run("prod", "ip", "addr", "add", "10.3.0.77/32", "dev", "lo")
    assert not world.pings("prod", ADDRESS["dev"], "-I", "10.3.0.77")
    until(lambda: world.portal.counter("acme|spoof/prod|corp") > 0, 5, "the spoofed packet is counted")
    assert world.pings("prod", ADDRESS["dev"])


def test_a_denied_live_flow_is_cut_within_a_second_and_an_allowed_one_runs_on(world: World) -> None:
    world.make(OPEN)
    doomed, kept = stream(world, "prod", ADDRESS["dev"], 8000), stream(world, "prod", ADDRESS["dev"], 443)
    time.sleep(0.3)
    served = world.make(OPEN.but(rules={"corp": [allow("c:prod", "c:dev", "deny", protocol="tcp", ports=["8000"])]}))
    word, when, *_ = last_words(doomed, 4).split()
    assert word == "cut"
    assert float(when) - served < 1.0
    assert last_words(kept, 1).startswith("tick")


def test_both_directions_of_inspected_flows_cross_the_same_instance_of_two(world: World) -> None:
    network = OPEN.but(
        instances={"fw": ["eu/1", "eu/2"]},
        rules={"corp": [allow("c:prod", "c:dev", "inspect", chain=["fw"], protocol="tcp")]},
    )
    world.make(network)
    for _ in range(16):
        assert world.connects("prod", ADDRESS["dev"], 443)
    crossed = [packets(world, f"x.aws-eu-central-1-{i}.acme.fw.{i}") for i in (1, 2)]
    assert all(count > 0 for count in crossed), f"flows are spread over both instances: {crossed}"
    until(lambda: world.portal.counter("acme|service/fw|corp|bytes") > 0, 5, "inspected bytes are counted")


def test_what_the_firewall_itself_refuses_does_not_get_through(world: World) -> None:
    network = OPEN.but(
        instances={"fw": ["eu/1", "eu/2"]},
        instance_rules=[{"action": "deny", "protocol": "tcp", "ports": ["22"]}],
        rules={"corp": [allow("c:prod", "c:dev", "inspect", chain=["fw"])]},
    )
    world.make(network)
    assert world.connects("prod", ADDRESS["dev"], 443)
    assert not world.connects("prod", ADDRESS["dev"], 22)
    assert world.pings("prod", ADDRESS["dev"])


def test_a_flow_that_is_to_be_inspected_from_now_on_is_reset_unless_the_policy_is_for_new_flows(world: World) -> None:
    network = OPEN.but(instances={"fw": ["eu/1", "eu/2"]})
    rule = allow("c:prod", "c:dev", "inspect", chain=["fw"], protocol="tcp", ports=["8000"])
    world.make(network)
    flow = stream(world, "prod", ADDRESS["dev"], 8000)
    world.make(network.but(rules={"corp": [rule | {"apply_to": "new"}]}))
    time.sleep(0.5)
    assert flow.poll() is None
    world.make(network.but(rules={"corp": [rule]}))
    assert last_words(flow, 4).startswith("cut")
    assert world.connects("prod", ADDRESS["dev"], 8000)


def test_two_segments_may_use_the_same_addresses(world: World) -> None:
    twins = (Site("twin-a", "eu", "10.1.0.0/16", "lab"), Site("twin-b", "us", "10.2.0.0/16", "lab"))
    world.make(Network(SITES + twins, stance={"corp": "open", "lab": "open"}))
    assert "acme/dev" in world.banner("prod", "10.2.0.1", 25)
    assert "acme/twin-b" in world.banner("twin-a", "10.2.0.1", 25)
    assert not world.pings("twin-a", "10.3.0.1")


def test_the_internet_is_reached_by_a_rule_that_names_it_only_and_nothing_comes_in(world: World) -> None:
    sites = (*SITES, Site("exit", "eu", kind="internet-exit"))
    world.make(Network(sites))
    assert not world.connects("prod", "198.51.100.10", 443)
    rules = {"corp": [allow("c:prod", "internet"), allow("c:dev", "internet", protocol="tcp")]}
    world.make(Network(sites, rules=rules))
    assert world.connects("prod", "198.51.100.10", 443)
    assert world.pings("prod", "198.51.100.10")
    assert world.connects("dev", "198.51.100.10", 443)
    assert not world.connects("office", "198.51.100.10", 443)
    assert not world.connects("exit", ADDRESS["prod"], 443)


def test_an_inspected_flow_to_the_internet_crosses_the_firewall(world: World) -> None:
    sites = (*SITES, Site("exit", "eu", kind="internet-exit"))
    rule = allow("c:dev", "internet", "inspect", chain=["fw"])
    world.make(Network(sites, rules={"corp": [rule]}, instances={"fw": ["eu/2"]}))
    before = packets(world, "x.aws-eu-central-1-2.acme.fw.1")
    assert world.connects("dev", "198.51.100.10", 443)
    assert packets(world, "x.aws-eu-central-1-2.acme.fw.1") > before + 4


def test_counters_grow_by_what_was_sent(world: World) -> None:
    world.make(OPEN)
    time.sleep(2.5)
    keys = ("acme|connector/prod|corp|in|bytes", "acme|connector/dev|corp|out|bytes", "acme|mesh/us|corp|out|bytes")
    before = [world.portal.counter(key) for key in keys]
    world.run("prod", "ping", "-c10", "-i0.01", "-s972", ADDRESS["dev"])
    for key, value in zip(keys, before, strict=True):
        until(lambda key=key, value=value: world.portal.counter(key) == value + 10_000, 6, f"{key} grew by 10000")


def test_a_circuit_that_fails_is_replaced_by_the_standby_one(world: World) -> None:
    world.make(OPEN)
    flow = stream(world, "prod", ADDRESS["dev"], 443)
    control = [sys.executable, "-c", "import sys; from provisioning.lab.control import Lab; "
               "Lab(sys.argv[1]).flap('acme', 'dev', 'A', 2)", str(world.folder / "state.json")]  # fmt: skip
    flap = subprocess.Popen(control)
    time.sleep(1.2)
    assert world.pings("prod", ADDRESS["dev"])
    assert world.pings("dev", ADDRESS["prod"])
    assert flap.wait(10) == 0
    assert world.pings("prod", ADDRESS["dev"])
    assert last_words(flow, 1).startswith("tick")


def test_an_agent_that_is_killed_comes_back_without_dropping_a_flow(world: World) -> None:
    import os

    world.make(OPEN)
    flow = stream(world, "prod", ADDRESS["dev"], 443)
    for node in world.lab.state["nodes"].values():
        os.kill(node["pid"], signal.SIGKILL)
    time.sleep(3)
    world.make(OPEN.but(rules={"corp": [allow("c:office", "c:dev", "deny")]}))
    assert last_words(flow, 1).startswith("tick")
    world.lab = type(world.lab)(world.folder / "state.json")


def packets(world: World, space: str) -> int:
    """What an instance let pass."""
    text = world.nft(space)
    return max((int(n) for n in re.findall(r"packets (\d+)", text)), default=0)
