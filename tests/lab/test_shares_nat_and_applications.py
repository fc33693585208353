"""Shares, NAT, internet applications, IPv6, route policies and failover exchanges, compiled and tested with packets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping

import pytest

from provisioning.core.check import check_network
from provisioning.core.resolve.network import Network
from provisioning.lab.workloads import INTERNET_HOSTS
from tests.core.sample_networks import IntentBuilder, policy, site
from tests.lab.compiled_documents import compile_documents
from tests.lab.conftest import RunningLab
from tests.lab.trace_comparison import TraceComparison

pytestmark = [pytest.mark.packets, pytest.mark.timeout(180)]


def publish_builder(running_lab: RunningLab, draw: IntentBuilder) -> TraceComparison:
    network = Network(draw.intent())
    errors = [problem.message for problem in check_network(network) if problem.severity == "error"]
    assert not errors, errors
    running_lab.publish({})
    running_lab.publish(compile_documents(network))
    return TraceComparison(running_lab, network)


def assert_packets_match_trace(running_lab: RunningLab, draw: IntentBuilder) -> TraceComparison:
    comparison = publish_builder(running_lab, draw)
    wrong = comparison.differences()
    assert not wrong, "\n".join(wrong)
    return comparison


def two_segments() -> IntentBuilder:
    """Return segments corp and partner, whose addresses are equal except for the shared ones."""
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    draw.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    draw.add("segments", {"name": "corp"})
    draw.add("segments", {"name": "partner", "default_action": "deny"})
    for group in ("red", "blue"):
        draw.add("groups", {"name": group})
    draw.add("connectors", site("app", "eu", "red", "10.1.0.0/16"))
    draw.add("connectors", site("office", "us", "blue", "10.3.0.0/16"))
    draw.add("connectors", site("supplier", "us", "red", "10.2.0.0/16", segment="partner"))
    draw.add("connectors", site("depot", "eu", "blue", "10.3.0.0/16", segment="partner"))
    return draw


def firewall(name: str, exchange: str, *rules: Mapping[str, object]) -> dict[str, object]:
    return {
        "name": name,
        "product": "linux-firewall",
        "segments": ["corp", "partner"],
        "placements": [{"exchange": exchange, "min_instances": 2}],
        "settings": {"default": "allow", "rules": list(rules)},
    }


def share(name: str, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "a": {"segment": "corp", "groups": ["red"], "prefixes": []},
        "b": {"segment": "partner", "groups": [], "prefixes": ["10.2.0.0/16"]},
        **more,
    }


def test_segments_reach_each_other_only_through_a_share(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.add("shares", share("both"))
    comparison = assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_connect("app", "10.2.0.1", 443)
    assert running_lab.can_connect("supplier", "10.1.0.1", 443)
    assert not running_lab.can_connect("office", "10.2.0.1", 443)
    assert any(comparison.expected_trace(probe).disposition.startswith("delivered") for probe in comparison.probes())


def test_a_one_way_share_allows_only_one_side_to_initiate(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.add("shares", share("inwards", direction="b-to-a"))
    assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_connect("supplier", "10.1.0.1", 443)
    assert not running_lab.can_connect("app", "10.2.0.1", 443)


def test_both_segments_policies_are_tried_and_chains_join(running_lab: RunningLab) -> None:
    draw = two_segments()
    for name, exchange in (("fw", "eu"), ("ids", "us")):
        inner = [{"action": "deny", "protocol": "tcp", "ports": ["22"]}] if name == "ids" else []
        draw.add("services", firewall(name, exchange, *inner))
    draw.add("shares", share("both", services=["ids"]))
    look = {"action": "inspect", "services": ["fw"], "protocol": "tcp"}
    draw.add("policies", policy("ours", 1, "red", "any", look, {"action": "deny", "protocol": "udp", "ports": ["53"]}))
    no_web = {"action": "deny", "protocol": "tcp", "ports": ["8080"]}
    draw.add("policies", policy("theirs", 2, "any", "supplier", no_web, segments=["partner"]))
    assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_connect("app", "10.2.0.1", 443)
    assert not running_lab.can_connect("app", "10.2.0.1", 8080)
    assert not running_lab.can_connect("app", "10.2.0.1", 22)
    assert not running_lab.can_send_datagram("app", "10.2.0.1", 53)


def test_ipv6_is_forwarded_wherever_ipv4_is(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.edit(
        "connectors",
        "app",
        attachments=[{"segment": "corp", "group": "red", "prefixes": ["10.1.0.0/16", "fd10:1::/48"]}],
    )
    draw.edit("connectors", "office", attachments=[{"segment": "corp", "group": "blue", "prefixes": ["fd10:3::/48"]}])
    draw.edit(
        "connectors",
        "supplier",
        attachments=[{"segment": "partner", "group": "red", "prefixes": ["10.2.0.0/16", "fd10:2::/48"]}],
    )
    no_web = {"action": "deny", "source": ["fd10:1::/64"], "protocol": "tcp", "ports": ["8080"]}
    draw.add("services", firewall("fw", "eu", no_web))
    draw.add("policies", policy("look", 1, "red", "blue", {"action": "inspect", "services": ["fw"], "protocol": "tcp"}))
    draw.add(
        "shares", share("both", b={"segment": "partner", "groups": [], "prefixes": ["10.2.0.0/16", "fd10:2::/48"]})
    )
    assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_ping("app", "fd10:3::1")
    assert running_lab.can_ping("app", "fd10:2::1", "-s", "1400")


def test_nat_presents_other_addresses_than_the_inside_ones(running_lab: RunningLab) -> None:
    draw = two_segments()
    common = {"segment": "corp", "connector": "office"}
    draw.add("nat-rules", {"name": "in", **common, "position": 1, "direction": "inbound",
                           "match": {"destination": ["172.20.0.1/32"], "protocol": "tcp", "ports": ["443"]},
                           "destination": {"type": "static", "prefixes": ["10.3.7.7/32"], "port": 8443}})  # fmt: skip
    draw.add("nat-rules", {"name": "out", **common, "position": 2, "direction": "outbound",
                           "source": {"type": "pool", "prefixes": ["172.20.1.0/31"]}})  # fmt: skip
    draw.add("nat-rules", {"name": "one", "segment": "partner", "connector": "depot", "position": 3,
                           "direction": "outbound", "match": {"source": ["10.3.0.0/24"]},
                           "source": {"type": "static", "prefixes": ["172.21.0.0/24"]}})  # fmt: skip
    draw.add("nat-rules", {"name": "back", "segment": "partner", "connector": "depot", "position": 4,
                           "direction": "inbound", "match": {"destination": ["172.21.0.0/24"]},
                           "destination": {"type": "static", "prefixes": ["10.3.0.0/24"]}})  # fmt: skip
    draw.edit("segments", "partner", default_action="allow")
    assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_connect("office", "10.1.0.1", 443)
    assert running_lab.can_connect("app", "172.20.0.1", 443)
    assert not running_lab.can_connect("app", "172.20.0.1", 22)
    assert not running_lab.can_connect("app", "10.3.0.1", 443)
    assert running_lab.can_connect("supplier", "172.21.0.1", 22)
    assert "172.21.0.1" in answering_workload(running_lab, "depot", "10.2.0.1")


def answering_workload(running_lab: RunningLab, workload: str, address: str) -> str:
    """Return the source address that the other side sees."""
    ask = (
        "import socket,sys; s=socket.socket(2,2); s.settimeout(2); s.sendto(b'who',(sys.argv[1],53)); print(s.recv(99))"
    )
    return running_lab.run(workload, sys.executable, "-c", ask, address)


def test_one_exit_serves_two_segments_that_use_the_same_addresses(running_lab: RunningLab) -> None:
    draw = two_segments()
    both = [{"segment": "corp"}, {"segment": "partner"}]
    draw.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": "us", "attachments": both})
    web = {"action": "allow", "protocol": "tcp", "ports": ["443"]}
    draw.add("policies", policy("out", 1, "any", "internet", web, segments=["corp", "partner"]))
    assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_connect("office", "198.51.100.10", 443)
    assert running_lab.can_connect("depot", "198.51.100.10", 443)


@pytest.mark.parametrize("source_nat", [True, False])
def test_the_internet_reaches_an_application_when_a_policy_allows_it(running_lab: RunningLab, source_nat: bool) -> None:
    draw = two_segments()
    draw.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": "us",
                            "attachments": [{"segment": "corp"}]})  # fmt: skip
    draw.add("internet-apps", {"name": "shop", "connector": "exit", "protocol": "tcp", "port": 443,
                               "target": {"connector": "app", "addresses": ["10.1.2.3"], "port": 8443},
                               "source_nat": source_nat})  # fmt: skip
    public = draw.network().nodes_by_id["us/1"].public_ip
    assert_packets_match_trace(running_lab, draw)
    draw.add("services", firewall("fw", "eu"))
    rules = [
        {"action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"], "source": ["198.51.100.10/32"]}
    ]
    draw.add("policies", policy("shop", 1, "internet", "shop", *rules))
    draw.add("policies", policy("out", 2, "any", "internet", {"action": "allow", "protocol": "tcp"}))
    assert_packets_match_trace(running_lab, draw)
    assert running_lab.can_connect("exit", public, 443, "198.51.100.10")
    assert running_lab.can_connect("exit", public, 443), "who names no source speaks as the first host of the internet"
    assert not running_lab.can_connect("exit", public, 443, "198.51.100.77")


@pytest.mark.parametrize("source_nat", [True, False])
@pytest.mark.parametrize(("exchange", "own_address"), [("eu", None), ("us", "192.88.10.7")])
def test_members_reach_an_application_by_its_public_address_when_a_policy_allows_it(
    running_lab: RunningLab, exchange: str, own_address: str | None, source_nat: bool
) -> None:
    draw = two_segments()
    draw.add("connectors", site("plant", "eu", "blue", "10.9.0.0/16"))
    draw.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": exchange,
                            "attachments": [{"segment": "corp"}, {"segment": "partner"}]})  # fmt: skip
    draw.add("internet-apps", {"name": "shop", "connector": "exit", "protocol": "tcp", "port": 443,
                               "target": {"connector": "app", "addresses": ["10.1.2.3"], "port": 8443},
                               "source_nat": source_nat, "public_ip": own_address})  # fmt: skip
    draw.add("policies", policy("out", 1, "any", "internet", {"action": "allow"}, segments=["corp", "partner"]))
    public = own_address or draw.network().nodes_by_id[f"{exchange}/1"].public_ip
    comparison = assert_packets_match_trace(running_lab, draw)
    assert hairpin_dispositions(comparison, public) == {"denied_by_default", "no_route"}
    draw.add("services", firewall("fw", "us", {"action": "deny", "source": ["10.9.0.0/16"]}))
    look = {"action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"]}
    draw.add("policies", policy("front", 2, "blue", "shop", look))
    draw.add("policies", policy("own", 3, "app", "shop", {"action": "allow"}))
    comparison = assert_packets_match_trace(running_lab, draw)
    expected = {"denied_by_service", "delivered_inspected", "delivered", "no_route"}
    assert hairpin_dispositions(comparison, public) == expected
    assert running_lab.can_connect("office", public, 443)
    assert not running_lab.can_connect("plant", public, 443)
    assert running_lab.can_connect("app", public, 443), "also from behind the target's own connector"
    assert not running_lab.can_connect("office", public, 22), "no application is at this port"
    assert not running_lab.can_connect("supplier", public, 443), "another segment"


def hairpin_dispositions(comparison: TraceComparison, public: str) -> set[str]:
    """Return what becomes of packets that members send to a public address of ours."""
    return {
        comparison.expected_trace(probe).disposition
        for probe in comparison.probes()
        if probe.destination == public and probe.source not in INTERNET_HOSTS
    }


def test_a_route_policy_keeps_two_sites_apart_in_both_directions(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.add("connectors", site("plant", "us", "red", "10.9.0.0/16"))
    draw.add("route-policies", {"name": "hide", "segment": "corp", "direction": "out", "targets": ["office"],
                                "rules": [{"match": {"prefixes": ["10.1.0.0/16"]}, "action": "deny"}]})  # fmt: skip
    draw.add("route-policies", {"name": "refuse", "segment": "corp", "direction": "in", "targets": ["plant"],
                                "rules": [{"match": {"prefixes": ["10.9.0.0/16"]}, "action": "deny"}]})  # fmt: skip
    assert_packets_match_trace(running_lab, draw)
    assert not running_lab.can_ping("app", "10.3.0.1")
    assert not running_lab.can_ping("plant", "10.1.0.1")


def test_a_route_policy_denies_by_communities_that_another_one_sets(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.add("connectors", site("plant", "us", "red", "10.9.0.0/16", "10.9.7.0/24"))
    tag = {"match": {"prefixes": ["10.9.0.0/16"]}, "action": "allow", "set": {"communities": ["65000:1"]}}
    draw.add("route-policies", {"name": "tag", "segment": "corp", "direction": "in", "targets": ["plant"],
                                "rules": [tag]})  # fmt: skip
    draw.add("route-policies", {"name": "hide", "segment": "corp", "direction": "out", "targets": ["office"],
                                "rules": [{"match": {"communities": ["65000:1"]}, "action": "deny"}]})  # fmt: skip
    assert_packets_match_trace(running_lab, draw)
    assert not running_lab.can_ping("office", "10.9.0.1")
    assert running_lab.can_ping("app", "10.9.0.1") and running_lab.can_ping("office", "10.1.0.1")


def test_a_redundant_connector_sends_from_prefixes_routed_to_its_twin_under_its_own_group(
    running_lab: RunningLab,
) -> None:
    draw = two_segments()
    for name, exchange, group, preference in (("one", "eu", "red", 200), ("two", "us", "blue", 100)):
        body = site(name, exchange, group, "10.8.0.0/16")
        draw.add("connectors", {**body, "redundancy_group": "twins", "preference": preference})
    draw.add("policies", policy("no", 1, "blue", "app", {"action": "deny", "protocol": "udp", "ports": ["8000"]}))
    draw.add("policies", policy("yes", 2, "any", "any", {"action": "allow", "protocol": "udp"}))
    comparison = assert_packets_match_trace(running_lab, draw)
    sent = {
        probe.connector: comparison.expected_trace(probe).disposition
        for probe in comparison.probes()
        if (probe.source, probe.destination, probe.number) == ("10.8.0.1", "10.1.0.1", 8000)
    }
    assert sent == {"one": "delivered", "two": "denied_by_rule"}


@pytest.mark.parametrize("target", ["one", "two"])
def test_a_twin_sends_nothing_to_where_the_owner_of_its_addresses_has_no_route(
    running_lab: RunningLab, target: str
) -> None:
    draw = two_segments()
    for name, exchange, preference in (("one", "eu", 200), ("two", "us", 100)):
        body = site(name, exchange, "blue", "10.8.0.0/16", "fd10:8::/48")
        draw.add("connectors", {**body, "redundancy_group": "twins", "preference": preference})
    rules = [{"action": "deny", "match": {"prefixes": ["10.1.0.0/16"]}}]
    body = {"name": "hide", "segment": "corp", "direction": "out", "targets": [target], "rules": rules}
    draw.add("route-policies", body)
    comparison = assert_packets_match_trace(running_lab, draw)
    sent = {
        probe.connector: comparison.expected_trace(probe).disposition
        for probe in comparison.probes()
        if (probe.source, probe.destination, probe.number) == ("10.8.0.1", "10.1.0.1", 8000)
    }
    owner = "delivered" if target == "two" else "no_route"
    assert sent == {"one": owner, "two": "no_route"}


def test_clients_of_remote_access_reach_each_other_only_where_a_policy_allows_it(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.edit("segments", "corp", default_action="deny")
    pools = [("red", ["10.9.0.0/24", "10.9.1.0/24"]), ("blue", ["10.9.2.0/24", "10.9.3.0/24"])]
    attachments = [{"segment": "corp", "groups": [group], "prefixes": prefixes} for group, prefixes in pools]
    draw.add("connectors", {**site("users", "us", None), "kind": "remote-access", "attachments": attachments})
    draw.add("policies", policy("own", 10, "red", "red", {"action": "allow", "protocol": "tcp", "ports": ["443"]}))
    draw.add("policies", policy("help", 20, "blue", "red", {"action": "allow", "protocol": "icmp"}))
    comparison = assert_packets_match_trace(running_lab, draw)
    verdicts = {
        (probe.source, probe.destination): comparison.expected_trace(probe).disposition
        for probe in comparison.probes()
        if (probe.protocol, probe.number) == ("tcp", 443)
    }
    assert verdicts["10.9.0.1", "10.9.1.1"] == "delivered"
    assert verdicts["10.9.2.1", "10.9.3.1"] == verdicts["10.9.2.1", "10.9.0.1"] == "denied_by_default"
    draw.edit("policies", "own", enabled=False)
    draw.add("connectors", {**site("guests", "us", None, "10.8.0.0/24", "10.8.1.0/24"), "kind": "remote-access"})
    hide = {"direction": "outbound", "source": {"type": "pool", "prefixes": ["172.20.0.0/30"]}}
    draw.add("nat-rules", {"name": "hide", "segment": "corp", "connector": "guests", "position": 1, **hide})
    into = {"match": {"destination": ["172.21.0.1/32"]}, "destination": {"type": "static", "prefixes": ["10.8.1.1/32"]}}
    draw.add(
        "nat-rules",
        {"name": "in", "segment": "corp", "connector": "guests", "position": 2, "direction": "inbound", **into},
    )
    draw.add("policies", policy("guests", 30, "guests", "guests", {"action": "allow", "protocol": "icmp"}))
    assert_packets_match_trace(running_lab, draw)


def test_path_mtu_errors_pass_shares_and_nat_and_streams_adapt(
    running_lab: RunningLab,
) -> None:
    draw = two_segments()
    tunnel = {"kind": "ipsec-site", "settings": {"identity": "branch"}}
    draw.add("connectors", {**site("branch", "us", "red", "10.6.0.0/16", "fd10:6::/48"), **tunnel})
    draw.add("connectors", {**site("far", "us", "red", "10.5.0.0/16", "fd10:5::/48", segment="partner"), **tunnel})
    draw.edit("connectors", "app", attachments=[attached("corp", "red", "10.1.0.0/16", "fd10:1::/48")])
    far = {"segment": "partner", "groups": [], "prefixes": ["10.5.0.0/16", "fd10:5::/48"]}
    draw.add("shares", share("both", b=far))
    draw.add("nat-rules", {"name": "out", "segment": "corp", "connector": "branch", "position": 2,
                           "direction": "outbound", "match": {"source": ["10.6.0.0/16"]},
                           "source": {"type": "pool", "prefixes": ["172.22.0.1/32"]}})  # fmt: skip
    assert_packets_match_trace(running_lab, draw)
    assert "mtu = 1400" in ping_too_long(running_lab, "app", "10.5.0.1")
    assert "mtu=1400" in ping_too_long(running_lab, "app", "fd10:5::1")
    assert "mtu=1400" in ping_too_long(running_lab, "app", "fd10:6::1")
    for start, end in (("app", "10.5.0.1"), ("app", "fd10:5::1"), ("branch", "10.1.0.1"), ("branch", "fd10:1::1")):
        assert running_lab.run(start, sys.executable, "-c", STREAMED, end).strip() == "300000", (start, end)


def attached(segment: str, group: str, *prefixes: str) -> dict[str, object]:
    return {"segment": segment, "group": group, "prefixes": list(prefixes)}


def ping_too_long(running_lab: RunningLab, workload: str, address: str) -> str:
    return running_lab.run(workload, "ping", "-M", "do", "-c2", "-i0.2", "-W1", "-s", "1440", address)


STREAMED = """
import socket, sys, threading
line = socket.create_connection((sys.argv[1], 443), 3)
line.settimeout(3)
threading.Thread(target=line.sendall, args=(b"x" * 300_000,), daemon=True).start()
got = b""
while got.count(b"x") < 300_000:
    got += line.recv(65536)
print(got.count(b"x"))
"""


def test_the_failover_exchange_takes_over_when_both_home_circuits_fail(running_lab: RunningLab) -> None:
    draw = two_segments()
    draw.edit("connectors", "app", failover_exchange="us")
    draw.add("connectors", {**site("natted", "eu", "red", "10.7.0.0/16"), "failover_exchange": "us"})
    draw.add("nat-rules", {"name": "out", "segment": "corp", "connector": "natted", "position": 2,
                           "direction": "outbound", "match": {"source": ["10.7.0.0/16"]},
                           "source": {"type": "static", "prefixes": ["172.22.0.0/16"]}})  # fmt: skip
    assert_packets_match_trace(running_lab, draw)
    script = "import sys; from provisioning.lab.control import Lab; Lab(sys.argv[1]).flap('acme', *sys.argv[2:], 7)"
    state = str(running_lab.folder / "state.json")
    flaps = [
        subprocess.Popen([sys.executable, "-c", script, state, name, circuit])
        for name in ("app", "natted")
        for circuit in "AB"
    ]
    time.sleep(1.5)
    assert running_lab.can_ping("office", "10.1.0.1")
    assert running_lab.can_connect("app", "10.3.0.1", 443)
    assert running_lab.can_ping("natted", "10.3.0.1")
    assert all(flap.poll() is None for flap in flaps)
    assert [flap.wait(20) for flap in flaps] == [0, 0, 0, 0]
    assert running_lab.can_ping("office", "10.1.0.1")
