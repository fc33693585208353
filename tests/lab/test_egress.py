"""The way to the internet through a share, compiled and tested with packets."""

from __future__ import annotations

import pytest

from provisioning.lab.workloads import INTERNET_HOSTS
from tests.core.sample_networks import policy
from tests.core.test_semantics_egress import INSPECTED, default_route, exits
from tests.core.test_semantics_exit_choice import chosen, guests, local_exit
from tests.lab.conftest import RunningLab
from tests.lab.test_shares_nat_and_applications import assert_packets_match_trace

pytestmark = [pytest.mark.packets, pytest.mark.timeout(180)]


def test_a_default_route_through_a_share_leads_out_and_not_to_another_spoke(running_lab: RunningLab) -> None:
    assert_packets_match_trace(running_lab, default_route("10.9.0.0/16"))
    assert running_lab.can_connect("red-vpc", "10.9.0.1", 443)
    assert not running_lab.can_connect("red-vpc", "10.2.0.1", 443)


def test_spokes_reach_the_internet_through_the_firewall_and_the_exits_of_the_hub(running_lab: RunningLab) -> None:
    draw = exits()
    assert_packets_match_trace(running_lab, draw)
    assert not running_lab.can_connect("red-vpc", INTERNET_HOSTS[0], 443), "no rule names the internet"
    draw.add("policies", policy("out", 1, "any", "internet", INSPECTED, segments=["hub"]))
    no_web = {"action": "deny", "ports": ["8080"], "protocol": "tcp"}
    draw.add("policies", policy("no-web", 2, "any", "internet", no_web, segments=["red"]))
    assert_packets_match_trace(running_lab, draw)
    for spoke in ("red-vpc", "blue-vpc"):
        assert running_lab.can_connect(spoke, INTERNET_HOSTS[0], 443)
        assert not running_lab.can_connect(spoke, INTERNET_HOSTS[0], 22), "the firewall denies it"
    assert not running_lab.can_connect("red-vpc", INTERNET_HOSTS[0], 8080)
    assert running_lab.can_connect("blue-vpc", INTERNET_HOSTS[0], 8080)
    assert not running_lab.can_connect("red-vpc", "10.2.0.1", 443), "the other spoke"


def test_flows_leave_by_the_exit_that_a_policy_chooses(running_lab: RunningLab) -> None:
    draw = guests(local_exit(chosen("hub")))
    assert_packets_match_trace(running_lab, draw)
    host = INTERNET_HOSTS[0]
    assert "exit-eu" in running_lab.banner("red-vpc", host, 443), "sent to the hub, past the exit of its own segment"
    assert "local" in running_lab.banner("guests", host, 443)
    draw.edit("policies", "way", via="exit-us")
    assert_packets_match_trace(running_lab, draw)
    assert "exit-us" in running_lab.banner("red-vpc", host, 443), "past the exit of its own exchange"
    draw.edit("connectors", "exit-us", enabled=False)
    assert_packets_match_trace(running_lab, draw)
    assert not running_lab.can_connect("red-vpc", host, 443), "no other exit takes its place"
    assert "local" in running_lab.banner("guests", host, 443)
    draw.edit("policies", "way", via="local")
    assert_packets_match_trace(running_lab, draw)
    assert "local" in running_lab.banner("red-vpc", host, 443)
