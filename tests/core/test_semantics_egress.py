"""docs/semantics.md, the way to the internet through a share: every docstring quotes the sentence it tests."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.reach import reachable_flows
from tests.core.sample_networks import IntentBuilder, site
from tests.core.trace_queries import run_trace, trace_disposition


def hub_and_spokes(**hub_side: Any) -> IntentBuilder:
    """Return segment hub (deny) and two spokes (allow), each joined with it by a share that shows of the hub what
    ``hub_side`` says."""
    net = IntentBuilder()
    for name, location in (("eu", "aws-eu-central-1"), ("us", "aws-us-east-1")):
        net.add("exchanges", {"name": name, "location": location})
    net.add("groups", {"name": "clients"})
    net.add("segments", {"name": "hub", "default_action": "deny"})
    for index, (name, exchange) in enumerate((("red", "eu"), ("blue", "us")), 1):
        net.add("segments", {"name": name})
        net.add("connectors", site(f"{name}-vpc", exchange, "clients", f"10.{index}.0.0/16", segment=name))
        sides = {"a": {"segment": name, "groups": ["clients"]}, "b": {"segment": "hub", **hub_side}}
        net.add("shares", {"name": f"{name}-egress", **sides, "direction": "a-to-b"})
    return net


def default_route(*more: str, **hub_side: Any) -> IntentBuilder:
    """Return the same with a headquarters in the hub that has the default route."""
    net = hub_and_spokes(**(hub_side or {"prefixes": ["0.0.0.0/0"]}))
    net.add("connectors", site("hq", "eu", None, "0.0.0.0/0", *more, segment="hub"))
    return net


def test_a_default_route_is_exempt_from_uniqueness_across_a_share() -> None:
    """“The default route is exempt, inside a segment and through a share.”"""
    for hub_side in ({"prefixes": ["0.0.0.0/0"]}, {"prefixes": ["8.0.0.0/8"]}):
        assert check_network(default_route(**hub_side).network()) == []
    assert trace_disposition(default_route(), "red-vpc", "8.8.8.8", "tcp", 443) == "delivered"


@pytest.mark.parametrize(
    ("destination", "disposition", "last"),
    [("8.8.8.8", "delivered", "hq"), ("10.9.0.1", "delivered", "hq"), ("10.1.7.7", "local", "red-vpc")],
)
def test_the_longest_prefix_wins_across_a_share(destination: str, disposition: str, last: str) -> None:
    """“Inside a segment the longest prefix wins.”"""
    trace = run_trace(default_route(), "red-vpc", destination, "tcp", 443)
    assert (trace.disposition, trace.hops[-1].name) == (disposition, last)


def test_what_a_share_brings_is_not_behind_a_default_route() -> None:
    """“what a share brings by a longer prefix goes there, and nobody sends from it by a default route”"""
    net = default_route()
    net.edit("shares", "red-egress", direction="both")
    assert trace_disposition(net, "hq", "10.1.0.5", "tcp", 443) == "delivered"
    assert run_trace(net, "hq", "10.1.0.5", "tcp", 443).hops[-1].name == "red-vpc"
    assert trace_disposition(net, "hq@10.2.0.5", "10.1.0.5", "tcp", 443) == "denied_spoofed"


def test_spokes_do_not_reach_each_other_by_a_default_route() -> None:
    """“and shares are not transitive”"""
    net = default_route()
    assert trace_disposition(net, "red-vpc", "10.2.0.5", "tcp", 443) == "isolated"
    assert {end for flow in reachable_flows(net.network(), "red-vpc") for end in flow.to} == {"hq"}


def test_a_segments_own_default_route_goes_before_one_that_is_shared() -> None:
    """“Of default routes a segment's own goes first, then that of the oldest segment that shares one.”"""
    net = default_route()
    net.add("segments", {"name": "late"})
    net.add("connectors", site("backup", "us", None, "0.0.0.0/0", segment="late"))
    side = {"segment": "late", "prefixes": ["0.0.0.0/0"]}
    net.add("shares", {"name": "second", "a": {"segment": "red", "groups": ["clients"]}, "b": side})
    assert run_trace(net, "red-vpc", "8.8.8.8", "tcp", 443).hops[-1].name == "hq"
    net.add("connectors", site("line", "eu", None, "0.0.0.0/0", segment="red"))
    assert run_trace(net, "red-vpc", "8.8.8.8", "tcp", 443).hops[-1].name == "line"
    assert not [problem for problem in check_network(net.network()) if problem.severity == "error"]
