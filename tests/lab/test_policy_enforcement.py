"""Policies enforced on real packets through two exchanges."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.lab.conftest import STREAM, RunningLab, wait_until
from tests.lab.handwritten_network import HandwrittenNetwork, Site, policy_rule
from tests.lab.prober import ECHO_REQUEST, PROBED_SOURCE_PORT, TIMESTAMP_REQUEST

pytestmark = [pytest.mark.packets, pytest.mark.timeout(120)]

SITES = (
    Site("prod", "eu", "10.1.0.0/16"),
    Site("dev", "us", "10.2.0.0/16"),
    Site("office", "eu", "10.3.0.0/16"),
    Site("plant", "us", "10.4.0.0/16"),
)
OPEN = HandwrittenNetwork(SITES)
CLOSED = OPEN.with_changes(default_action={"corp": "deny"})
ADDRESS = {site.name: site.prefix.replace(".0.0/16", ".0.1") for site in SITES}
PAIRS = [(a.name, b.name) for a in SITES for b in SITES if a is not b]


def stream(running_lab: RunningLab, site: str, address: str, port: int) -> subprocess.Popen[str]:
    """Start a live flow that prints a line for every answer."""
    flow = running_lab.popen(site, sys.executable, "-c", STREAM, address, str(port))
    assert flow.stdout and flow.stdout.readline().strip() == "open"
    return flow


def stream_result(flow: subprocess.Popen[str], wait: float) -> str:
    """Wait, end the flow and return its last line."""
    try:
        flow.wait(wait)
    except subprocess.TimeoutExpired:
        flow.kill()
    return flow.communicate()[0].strip().splitlines()[-1]


def test_sites_of_an_allowing_segment_reach_each_other_by_tcp_udp_and_icmp(running_lab: RunningLab) -> None:
    running_lab.publish_network(OPEN)
    assert not [(a, b) for a, b in PAIRS if not running_lab.can_ping(a, ADDRESS[b])]
    assert not [(a, b) for a, b in PAIRS if not running_lab.can_connect(a, ADDRESS[b], 443)]
    assert running_lab.can_send_datagram("prod", ADDRESS["dev"], 53)


def test_a_denying_segment_passes_only_flows_that_a_rule_allows_from_their_initiator(
    running_lab: RunningLab,
) -> None:
    rule = policy_rule("c:prod", "c:dev", protocol="tcp", ports=["443", "8000-8100"])
    running_lab.publish_network(CLOSED.with_changes(rules={"corp": [rule]}))
    assert running_lab.can_connect("prod", ADDRESS["dev"], 443)
    assert running_lab.can_connect("prod", ADDRESS["dev"], 8080)
    assert not running_lab.can_connect("prod", ADDRESS["dev"], 22)
    assert not running_lab.can_connect("dev", ADDRESS["prod"], 443)
    assert not running_lab.can_ping("prod", ADDRESS["dev"])
    assert not running_lab.can_connect("office", ADDRESS["dev"], 443)


def test_the_first_matching_rule_decides(running_lab: RunningLab) -> None:
    rules = [policy_rule("c:prod", "any", "deny", protocol="tcp", ports=["22"]), policy_rule("c:prod", "any")]
    running_lab.publish_network(CLOSED.with_changes(rules={"corp": rules}))
    assert running_lab.can_connect("prod", ADDRESS["plant"], 443)
    assert not running_lab.can_connect("prod", ADDRESS["plant"], 22)


def probe(running_lab: RunningLab, *headers: Any) -> list[bool]:
    """Return whether packets from prod to dev are answered: protocol, port or ICMP type, source port, DSCP."""
    space = running_lab.lab.workload(running_lab.tenant, "prod")["namespace"]
    probes = [[space, ADDRESS["prod"], ADDRESS["dev"], *packet] for packet in headers]
    answers = running_lab.send_command(do="probe", probes=probes, wait=1.0)
    return [answer is not None for answer, _ in answers]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"protocol": "tcp", "source_ports": ["1024-4095"]}, [True, False, False, False, False, False, False]),
        ({"protocol": "udp", "source_ports": ["32768-65535"]}, [False, False, True, True, False, False, False]),
        ({"protocol": "icmp", "icmp_types": [13]}, [False, False, False, False, False, False, True]),
        ({"protocol": "icmp", "icmp_types": [3, 8]}, [False, False, False, False, True, True, False]),
        ({"dscp": 46}, [False, False, False, True, False, True, False]),
        ({"protocol": "icmp", "dscp": 0}, [False, False, False, False, True, False, True]),
    ],
)
@pytest.mark.parametrize("where", ["policy", "firewall"])
def test_a_flow_is_decided_by_source_port_icmp_type_and_dscp_of_its_first_packet(
    running_lab: RunningLab, where: str, rule: dict[str, Any], expected: list[bool]
) -> None:
    if where == "policy":
        network = CLOSED.with_changes(rules={"corp": [policy_rule("c:prod", "c:dev", **rule)]})
    else:
        inspect = policy_rule("c:prod", "c:dev", "inspect", chain=["fw"])
        inner = [{"action": "allow", **rule}, {"action": "deny"}]
        network = CLOSED.with_changes(rules={"corp": [inspect]}, instances={"fw": ["eu/1"]}, instance_rules=inner)
    running_lab.publish_network(network)
    packets = [
        *(("tcp", 443, PROBED_SOURCE_PORT, 0), ("tcp", 443, None, 0), ("udp", 53, None, 0), ("udp", 53, None, 46)),
        *(("icmp", ECHO_REQUEST, None, 0), ("icmp", ECHO_REQUEST, None, 46), ("icmp", TIMESTAMP_REQUEST, None, 0)),
    ]
    assert probe(running_lab, *packets) == expected


def test_a_flow_whose_first_packet_had_the_dscp_of_a_rule_stays_when_it_is_decided_again(
    running_lab: RunningLab,
) -> None:
    rule = policy_rule("c:prod", "c:dev", protocol="tcp", dscp=46)
    running_lab.publish_network(CLOSED.with_changes(rules={"corp": [rule]}))
    space = running_lab.lab.workload(running_lab.tenant, "prod")["namespace"]
    flow = running_lab.popen_in(space, sys.executable, "-c", MARKED_STREAM, ADDRESS["dev"], "443")
    assert flow.stdout and flow.stdout.readline().strip() == "open"
    others = [rule, policy_rule("c:office", "c:dev", protocol="tcp", dscp=10)]
    running_lab.publish_network(CLOSED.with_changes(rules={"corp": others}))
    time.sleep(1)
    assert stream_result(flow, 1).startswith("tick")


# Only its first packets have the code point.
MARKED_STREAM = STREAM.replace(
    "socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)",
    "socket.socket(); line.setsockopt(0, socket.IP_TOS, 184); line.connect((sys.argv[1], int(sys.argv[2]))); "
    "line.setsockopt(0, socket.IP_TOS, 0)",
)


def test_a_rule_that_passes_leaves_the_flow_to_the_next_tier_and_a_monitored_one_only_counts(
    running_lab: RunningLab,
) -> None:
    rules = [
        policy_rule("c:prod", "any", "pass", tier="mandatory", protocol="tcp", ports=["443"]),
        policy_rule("any", "any", "deny", tier="mandatory", protocol="tcp"),
        policy_rule("any", "any", "deny", mode="monitor"),
        policy_rule("any", "c:dev", "allow", tier="baseline"),
    ]
    running_lab.publish_network(CLOSED.with_changes(rules={"corp": rules}))
    assert running_lab.can_connect("prod", ADDRESS["dev"], 443)
    assert running_lab.can_ping("prod", ADDRESS["dev"])
    assert not running_lab.can_connect("prod", ADDRESS["plant"], 443)
    assert not running_lab.can_connect("prod", ADDRESS["dev"], 22)
    assert not running_lab.can_connect("office", ADDRESS["dev"], 443)
    for number in (1, 3):
        counted = f"acme|rule/corp/p/{number}|hits"
        wait_until(
            lambda key=counted: running_lab.portal.counter(key) > 0, 5, "what passes and is monitored is counted"
        )


def test_a_denied_sender_is_told_unless_the_rule_says_otherwise(running_lab: RunningLab) -> None:
    rules = [
        policy_rule("c:prod", "any", "deny", protocol="tcp", ports=["22"], reject=False),
        policy_rule("c:prod", "any", "deny", protocol="tcp", ports=["8000"]),
    ]
    running_lab.publish_network(OPEN.with_changes(rules={"corp": rules}))
    assert "refused" in connect_error(running_lab, "prod", ADDRESS["dev"], 8000)
    assert "timed out" in connect_error(running_lab, "prod", ADDRESS["dev"], 22)


def connect_error(running_lab: RunningLab, site: str, address: str, port: int) -> str:
    """Return what a program is told that tries to connect for a second."""
    program = (
        f"import socket\ntry: socket.create_connection(({address!r}, {port}), 1)\nexcept OSError as error: print(error)"
    )
    return running_lab.popen(site, sys.executable, "-c", program).communicate()[0]


def test_a_spoofed_source_is_dropped_at_the_circuit(running_lab: RunningLab) -> None:
    running_lab.publish_network(OPEN)
    running_lab.run("prod", "ip", "addr", "add", "10.3.0.77/32", "dev", "lo")
    assert not running_lab.can_ping("prod", ADDRESS["dev"], "-I", "10.3.0.77")
    wait_until(lambda: running_lab.portal.counter("acme|spoof/prod|corp") > 0, 5, "the spoofed packet is counted")
    assert running_lab.can_ping("prod", ADDRESS["dev"])


def test_a_denied_live_flow_is_cut_within_a_second_and_an_allowed_one_continues(running_lab: RunningLab) -> None:
    running_lab.publish_network(OPEN)
    doomed, kept = stream(running_lab, "prod", ADDRESS["dev"], 8000), stream(running_lab, "prod", ADDRESS["dev"], 443)
    time.sleep(0.3)
    served = running_lab.publish_network(
        OPEN.with_changes(rules={"corp": [policy_rule("c:prod", "c:dev", "deny", protocol="tcp", ports=["8000"])]})
    )
    word, when, *_ = stream_result(doomed, 4).split()
    assert word == "cut"
    assert float(when) - served < 1.0
    assert stream_result(kept, 1).startswith("tick")


def test_both_directions_of_inspected_flows_cross_the_same_instance_of_two(running_lab: RunningLab) -> None:
    network = OPEN.with_changes(
        instances={"fw": ["eu/1", "eu/2"]},
        rules={"corp": [policy_rule("c:prod", "c:dev", "inspect", chain=["fw"], protocol="tcp")]},
    )
    running_lab.publish_network(network)
    for _ in range(16):
        assert running_lab.can_connect("prod", ADDRESS["dev"], 443)
    crossed = [forwarded_packets(running_lab, f"x.aws-eu-central-1-{i}.acme.fw.{i}") for i in (1, 2)]
    assert all(count > 0 for count in crossed), f"flows are spread over both instances: {crossed}"
    wait_until(lambda: running_lab.portal.counter("acme|service/fw|corp|bytes") > 0, 5, "inspected bytes are counted")


def test_a_flow_denied_by_the_firewall_is_dropped(running_lab: RunningLab) -> None:
    network = OPEN.with_changes(
        instances={"fw": ["eu/1", "eu/2"]},
        instance_rules=[{"action": "deny", "protocol": "tcp", "ports": ["22"]}],
        rules={"corp": [policy_rule("c:prod", "c:dev", "inspect", chain=["fw"])]},
    )
    running_lab.publish_network(network)
    assert running_lab.can_connect("prod", ADDRESS["dev"], 443)
    assert not running_lab.can_connect("prod", ADDRESS["dev"], 22)
    assert running_lab.can_ping("prod", ADDRESS["dev"])


def test_a_flow_that_is_to_be_inspected_from_now_on_is_reset_unless_the_policy_is_for_new_flows(
    running_lab: RunningLab,
) -> None:
    network = OPEN.with_changes(instances={"fw": ["eu/1", "eu/2"]})
    rule = policy_rule("c:prod", "c:dev", "inspect", chain=["fw"], protocol="tcp", ports=["8000"])
    running_lab.publish_network(network)
    flow = stream(running_lab, "prod", ADDRESS["dev"], 8000)
    running_lab.publish_network(network.with_changes(rules={"corp": [rule | {"apply_to": "new"}]}))
    time.sleep(0.5)
    assert flow.poll() is None
    running_lab.publish_network(network.with_changes(rules={"corp": [rule]}))
    assert stream_result(flow, 4).startswith("cut")
    assert running_lab.can_connect("prod", ADDRESS["dev"], 8000)


def test_two_segments_may_use_the_same_addresses(running_lab: RunningLab) -> None:
    twins = (Site("twin-a", "eu", "10.1.0.0/16", "lab"), Site("twin-b", "us", "10.2.0.0/16", "lab"))
    running_lab.publish_network(HandwrittenNetwork(SITES + twins, default_action={"corp": "allow", "lab": "allow"}))
    assert "acme/dev" in running_lab.banner("prod", "10.2.0.1", 25)
    assert "acme/twin-b" in running_lab.banner("twin-a", "10.2.0.1", 25)
    assert not running_lab.can_ping("twin-a", "10.3.0.1")


def test_only_a_rule_that_names_the_internet_allows_flows_to_it_and_none_come_in(running_lab: RunningLab) -> None:
    sites = (*SITES, Site("exit", "eu", kind="internet-exit"))
    running_lab.publish_network(HandwrittenNetwork(sites))
    assert not running_lab.can_connect("prod", "198.51.100.10", 443)
    rules = {"corp": [policy_rule("c:prod", "internet"), policy_rule("c:dev", "internet", protocol="tcp")]}
    running_lab.publish_network(HandwrittenNetwork(sites, rules=rules))
    assert running_lab.can_connect("prod", "198.51.100.10", 443)
    assert running_lab.can_ping("prod", "198.51.100.10")
    assert running_lab.can_connect("dev", "198.51.100.10", 443)
    assert not running_lab.can_connect("office", "198.51.100.10", 443)
    assert not running_lab.can_connect("exit", ADDRESS["prod"], 443)


def test_an_inspected_flow_to_the_internet_crosses_the_firewall(running_lab: RunningLab) -> None:
    sites = (*SITES, Site("exit", "eu", kind="internet-exit"))
    rule = policy_rule("c:dev", "internet", "inspect", chain=["fw"])
    running_lab.publish_network(HandwrittenNetwork(sites, rules={"corp": [rule]}, instances={"fw": ["eu/2"]}))
    before = forwarded_packets(running_lab, "x.aws-eu-central-1-2.acme.fw.1")
    assert running_lab.can_connect("dev", "198.51.100.10", 443)
    assert forwarded_packets(running_lab, "x.aws-eu-central-1-2.acme.fw.1") > before + 4


def test_counters_grow_by_the_bytes_that_were_sent(running_lab: RunningLab) -> None:
    running_lab.publish_network(OPEN)
    time.sleep(2.5)
    keys = ("acme|connector/prod|corp|in|bytes", "acme|connector/dev|corp|out|bytes", "acme|mesh/us|corp|out|bytes")
    before = [running_lab.portal.counter(key) for key in keys]
    running_lab.run("prod", "ping", "-c10", "-i0.01", "-s972", ADDRESS["dev"])
    for key, value in zip(keys, before, strict=True):
        wait_until(
            lambda key=key, value=value: running_lab.portal.counter(key) == value + 10_000, 6, f"{key} grew by 10000"
        )


def test_a_circuit_that_fails_is_replaced_by_the_standby_one(running_lab: RunningLab) -> None:
    running_lab.publish_network(OPEN)
    flow = stream(running_lab, "prod", ADDRESS["dev"], 443)
    control = [sys.executable, "-c", "import sys; from provisioning.lab.control import Lab; "
               "Lab(sys.argv[1]).flap('acme', 'dev', 'A', 2)", str(running_lab.folder / "state.json")]  # fmt: skip
    flap = subprocess.Popen(control)
    time.sleep(1.2)
    assert running_lab.can_ping("prod", ADDRESS["dev"])
    assert running_lab.can_ping("dev", ADDRESS["prod"])
    assert flap.wait(10) == 0
    assert running_lab.can_ping("prod", ADDRESS["dev"])
    assert stream_result(flow, 1).startswith("tick")


def test_a_killed_agent_restarts_without_dropping_a_flow(running_lab: RunningLab) -> None:
    import os

    running_lab.publish_network(OPEN)
    flow = stream(running_lab, "prod", ADDRESS["dev"], 443)
    for node in running_lab.lab.state["nodes"].values():
        os.kill(node["pid"], signal.SIGKILL)
    time.sleep(3)
    running_lab.publish_network(OPEN.with_changes(rules={"corp": [policy_rule("c:office", "c:dev", "deny")]}))
    assert stream_result(flow, 1).startswith("tick")
    running_lab.lab = type(running_lab.lab)(running_lab.folder / "state.json")


def forwarded_packets(running_lab: RunningLab, namespace: str) -> int:
    """Return the packets that a service instance has forwarded."""
    text = running_lab.nft(namespace)
    return max((int(n) for n in re.findall(r"packets (\d+)", text)), default=0)
