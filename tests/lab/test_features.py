"""Shares, NAT, internet applications, IPv6, route policies and failover exchanges, drawn by a customer, on the wire."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from provisioning.core.check import check_network
from provisioning.core.resolve.network import Network
from tests.core.sample_networks import IntentBuilder, policy, site
from tests.lab.conftest import World
from tests.lab.drawn import documents
from tests.lab.judged import Judge

pytestmark = [pytest.mark.packets, pytest.mark.timeout(180)]


def make(world: World, draw: IntentBuilder) -> Judge:
    network = Network(draw.intent())
    errors = [problem.message for problem in check_network(network) if problem.severity == "error"]
    assert not errors, errors
    world.publish({})
    world.publish(documents(network))
    return Judge(world, network)


def agree(world: World, draw: IntentBuilder) -> Judge:
    judge = make(world, draw)
    wrong = judge.differences()
    assert not wrong, "\n".join(wrong)
    return judge


def two_segments() -> IntentBuilder:
    """corp and partner use the same addresses where they do not show them to each other."""
    draw = IntentBuilder()
    draw.add("exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    draw.add("exchanges", {"name": "us", "location": "aws-us-east-1"})
    draw.add("segments", {"name": "corp"})
    draw.add("segments", {"name": "partner", "stance": "closed"})
    for group in ("red", "blue"):
        draw.add("groups", {"name": group})
    draw.add("connectors", site("app", "eu", "red", "10.1.0.0/16"))
    draw.add("connectors", site("office", "us", "blue", "10.3.0.0/16"))
    draw.add("connectors", site("supplier", "us", "red", "10.2.0.0/16", segment="partner"))
    draw.add("connectors", site("depot", "eu", "blue", "10.3.0.0/16", segment="partner"))
    return draw


def firewall(name: str, exchange: str, *rules: dict[str, object]) -> dict[str, object]:
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


def test_segments_reach_each_other_through_a_share_and_only_there(world: World) -> None:
    draw = two_segments()
    draw.add("shares", share("both"))
    judge = agree(world, draw)
    assert world.connects("app", "10.2.0.1", 443)
    assert world.connects("supplier", "10.1.0.1", 443)
    assert not world.connects("office", "10.2.0.1", 443)
    assert any(judge.said(probe).disposition.startswith("delivered") for probe in judge.probes())


def test_a_share_may_be_begun_from_one_side_only(world: World) -> None:
    draw = two_segments()
    draw.add("shares", share("inwards", direction="b-to-a"))
    agree(world, draw)
    assert world.connects("supplier", "10.1.0.1", 443)
    assert not world.connects("app", "10.2.0.1", 443)


def test_both_segments_policies_are_tried_and_chains_join(world: World) -> None:
    draw = two_segments()
    for name, exchange in (("fw", "eu"), ("ids", "us")):
        inner = [{"action": "deny", "protocol": "tcp", "ports": ["22"]}] if name == "ids" else []
        draw.add("services", firewall(name, exchange, *inner))
    draw.add("shares", share("both", services=["ids"]))
    look = {"action": "inspect", "services": ["fw"], "protocol": "tcp"}
    draw.add("policies", policy("ours", 1, "red", "any", look, {"action": "deny", "protocol": "udp", "ports": ["53"]}))
    no_web = {"action": "deny", "protocol": "tcp", "ports": ["8080"]}
    draw.add("policies", policy("theirs", 2, "any", "supplier", no_web, segments=["partner"]))
    agree(world, draw)
    assert world.connects("app", "10.2.0.1", 443)
    assert not world.connects("app", "10.2.0.1", 8080)
    assert not world.connects("app", "10.2.0.1", 22)
    assert not world.datagram("app", "10.2.0.1", 53)


def test_ipv6_goes_everywhere_that_ipv4_goes(world: World) -> None:
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
    agree(world, draw)
    assert world.pings("app", "fd10:3::1")
    assert world.pings("app", "fd10:2::1", "-s", "1400")


def test_a_nat_edge_shows_the_network_other_addresses_than_there_are(world: World) -> None:
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
    draw.edit("segments", "partner", stance="open")
    agree(world, draw)
    assert world.connects("office", "10.1.0.1", 443)
    assert world.connects("app", "172.20.0.1", 443)
    assert not world.connects("app", "172.20.0.1", 22)
    assert not world.connects("app", "10.3.0.1", 443)
    assert world.connects("supplier", "172.21.0.1", 22)
    assert "172.21.0.1" in who(world, "depot", "10.2.0.1")


def who(world: World, workload: str, address: str) -> str:
    """The source address that the other side sees."""
    ask = (
        "import socket,sys; s=socket.socket(2,2); s.settimeout(2); s.sendto(b'who',(sys.argv[1],53)); print(s.recv(99))"
    )
    return world.run(workload, sys.executable, "-c", ask, address)


def test_one_exit_serves_two_segments_that_use_the_same_addresses(world: World) -> None:
    draw = two_segments()
    both = [{"segment": "corp"}, {"segment": "partner"}]
    draw.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": "us", "attachments": both})
    web = {"action": "allow", "protocol": "tcp", "ports": ["443"]}
    draw.add("policies", policy("out", 1, "any", "internet", web, segments=["corp", "partner"]))
    agree(world, draw)
    assert world.connects("office", "198.51.100.10", 443)
    assert world.connects("depot", "198.51.100.10", 443)


@pytest.mark.parametrize("source_nat", [True, False])
def test_the_internet_reaches_an_application_when_a_policy_allows_it(world: World, source_nat: bool) -> None:
    draw = two_segments()
    draw.add("connectors", {"name": "exit", "kind": "internet-exit", "exchange": "us",
                            "attachments": [{"segment": "corp"}]})  # fmt: skip
    draw.add("internet-apps", {"name": "shop", "connector": "exit", "protocol": "tcp", "port": 443,
                               "target": {"connector": "app", "addresses": ["10.1.2.3"], "port": 8443},
                               "source_nat": source_nat})  # fmt: skip
    public = draw.network().nodes_by_id["us/1"].public_ip
    agree(world, draw)
    draw.add("services", firewall("fw", "eu"))
    rules = [
        {"action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443"], "source": ["198.51.100.10/32"]}
    ]
    draw.add("policies", policy("shop", 1, "internet", "shop", *rules))
    draw.add("policies", policy("out", 2, "any", "internet", {"action": "allow", "protocol": "tcp"}))
    agree(world, draw)
    assert world.connects("exit", public, 443, "198.51.100.10")
    assert world.connects("exit", public, 443), "who names no source speaks as the first host of the internet"
    assert not world.connects("exit", public, 443, "198.51.100.77")


def test_a_route_policy_keeps_two_sites_apart_in_both_directions(world: World) -> None:
    draw = two_segments()
    draw.add("connectors", site("plant", "us", "red", "10.9.0.0/16"))
    draw.add("route-policies", {"name": "hide", "segment": "corp", "direction": "out", "targets": ["office"],
                                "rules": [{"match": {"prefixes": ["10.1.0.0/16"]}, "action": "deny"}]})  # fmt: skip
    draw.add("route-policies", {"name": "refuse", "segment": "corp", "direction": "in", "targets": ["plant"],
                                "rules": [{"match": {"prefixes": ["10.9.0.0/16"]}, "action": "deny"}]})  # fmt: skip
    agree(world, draw)
    assert not world.pings("app", "10.3.0.1")
    assert not world.pings("plant", "10.1.0.1")


def test_a_redundant_connector_sends_from_what_is_routed_to_the_other_and_is_judged_by_its_own_group(
    world: World,
) -> None:
    draw = two_segments()
    for name, exchange, group, preference in (("one", "eu", "red", 200), ("two", "us", "blue", 100)):
        body = site(name, exchange, group, "10.8.0.0/16")
        draw.add("connectors", {**body, "redundancy_group": "twins", "preference": preference})
    draw.add("policies", policy("no", 1, "blue", "app", {"action": "deny", "protocol": "udp", "ports": ["8000"]}))
    draw.add("policies", policy("yes", 2, "any", "any", {"action": "allow", "protocol": "udp"}))
    judge = agree(world, draw)
    sent = {
        probe.connector: judge.said(probe).disposition
        for probe in judge.probes()
        if (probe.source, probe.destination, probe.port) == ("10.8.0.1", "10.1.0.1", 8000)
    }
    assert sent == {"one": "delivered", "two": "denied_by_rule"}


def test_packets_that_are_too_long_are_told_of_through_shares_and_edges_and_streams_fit(world: World) -> None:
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
    agree(world, draw)
    assert "mtu = 1400" in too_long(world, "app", "10.5.0.1")
    assert "mtu=1400" in too_long(world, "app", "fd10:5::1")
    assert "mtu=1400" in too_long(world, "app", "fd10:6::1")
    for start, end in (("app", "10.5.0.1"), ("app", "fd10:5::1"), ("branch", "10.1.0.1"), ("branch", "fd10:1::1")):
        assert world.run(start, sys.executable, "-c", STREAMED, end).strip() == "300000", (start, end)


def attached(segment: str, group: str, *prefixes: str) -> dict[str, object]:
    return {"segment": segment, "group": group, "prefixes": list(prefixes)}


def too_long(world: World, workload: str, address: str) -> str:
    return world.run(workload, "ping", "-M", "do", "-c2", "-i0.2", "-W1", "-s", "1440", address)


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


def test_the_failover_exchange_takes_over_when_both_circuits_at_home_are_gone(world: World) -> None:
    draw = two_segments()
    draw.edit("connectors", "app", failover_exchange="us")
    draw.add("connectors", {**site("natted", "eu", "red", "10.7.0.0/16"), "failover_exchange": "us"})
    draw.add("nat-rules", {"name": "out", "segment": "corp", "connector": "natted", "position": 2,
                           "direction": "outbound", "match": {"source": ["10.7.0.0/16"]},
                           "source": {"type": "static", "prefixes": ["172.22.0.0/16"]}})  # fmt: skip
    agree(world, draw)
    script = "import sys; from provisioning.lab.control import Lab; Lab(sys.argv[1]).flap('acme', *sys.argv[2:], 7)"
    state = str(world.folder / "state.json")
    flaps = [
        subprocess.Popen([sys.executable, "-c", script, state, name, circuit])
        for name in ("app", "natted")
        for circuit in "AB"
    ]
    time.sleep(1.5)
    assert world.pings("office", "10.1.0.1")
    assert world.connects("app", "10.3.0.1", 443)
    assert world.pings("natted", "10.3.0.1")
    assert all(flap.poll() is None for flap in flaps)
    assert [flap.wait(20) for flap in flaps] == [0, 0, 0, 0]
    assert world.pings("office", "10.1.0.1")
