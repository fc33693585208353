"""docs/semantics.md, the way to the internet through a share: every docstring quotes the sentence it tests."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import reachable_flows
from provisioning.drivers.aws.compile_routes import vpc_routes
from tests.core.sample_networks import IntentBuilder, policy, site, vpc
from tests.core.trace_queries import only_problem, problems_with_code, run_trace, services_passed, trace_disposition


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
        sides: dict[str, Any] = {"a": {"segment": name, "groups": ["clients"]}, "b": {"segment": "hub", **hub_side}}
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


def exits(**more: Any) -> IntentBuilder:
    """Return the hub with an exit in each region instead, which the shares bring to the spokes, and a firewall."""
    net = hub_and_spokes(internet=True)
    for exchange in ("eu", "us"):
        body = {"name": f"exit-{exchange}", "kind": "internet-exit", "exchange": exchange}
        net.add("connectors", {**body, "attachments": [{"segment": "hub"}]})
    net.add("connectors", site("tools", "eu", None, "10.9.0.0/16", segment="hub"))
    settings = {"default": "allow", "rules": [{"action": "deny", "protocol": "tcp", "ports": ["22"]}]}
    firewall = {"name": "fw", "product": "linux-firewall", "segments": ["hub", "red", "blue"], "settings": settings}
    net.add("services", {**firewall, "placements": [{"exchange": "eu", "min_instances": 1}]})
    return net


OUT = {"name": "out", "action": "allow"}
INSPECTED = {"name": "out", "action": "inspect", "services": ["fw"]}


@pytest.mark.parametrize(("segment", "start"), [("hub", "any"), ("red", "any"), ("hub", "clients"), ("hub", "red-vpc")])
def test_a_rule_of_either_segment_lets_a_spoke_out(segment: str, start: str) -> None:
    """“The share by itself never allows what lies behind an exit: it needs a rule of either segment that names
    `internet`.”"""
    net = exits()
    assert trace_disposition(net, "red-vpc", "internet", "tcp", 443) == "denied_by_default"
    assert [blocker.code for blocker in run_trace(net, "red-vpc", "internet", "tcp", 443).blockers] == [
        "default_action"
    ]
    net.add("policies", policy("p", 1, start, "internet", OUT, segments=[segment]))
    trace = run_trace(net, "red-vpc", "internet", "tcp", 443)
    assert (trace.disposition, trace.rule) == ("delivered", "p/out")
    assert [hop.name for hop in trace.hops if hop.kind == "connector"] == ["red-vpc", "exit-eu"]


def test_a_deny_of_either_segment_keeps_a_spoke_in() -> None:
    """“a deny in either denies”"""
    net = exits()
    net.add("policies", policy("hub-out", 1, "any", "internet", OUT, segments=["hub"]))
    net.add("policies", policy("no", 2, "any", "internet", {"action": "deny"}, segments=["red"]))
    assert trace_disposition(net, "red-vpc", "internet", "tcp", 443) == "denied_by_rule"
    assert trace_disposition(net, "blue-vpc", "internet", "tcp", 443) == "delivered"


def test_spokes_leave_through_the_firewall_of_the_hub() -> None:
    """“Service chains concatenate source, share, destination without repeats.”"""
    net = exits()
    net.add("policies", policy("out", 1, "any", "internet", INSPECTED, segments=["hub"]))
    trace = run_trace(net, "blue-vpc", "internet", "tcp", 443)
    assert (trace.disposition, services_passed(trace)) == ("delivered_inspected", ["fw"])
    assert [hop.name for hop in trace.hops if hop.kind == "connector"][-1] == "exit-us", "the exit of its exchange"
    assert trace_disposition(net, "blue-vpc", "internet", "tcp", 22) == "denied_by_service"
    flows = {(flow.to, flow.via) for flow in reachable_flows(net.network(), "red-vpc")}
    assert flows == {(("internet",), ("fw",))}


def test_the_internet_through_a_share_leads_to_no_other_spoke() -> None:
    """“and shares are not transitive”"""
    net = exits()
    net.add("policies", policy("out", 1, "any", "internet", OUT, segments=["hub", "red", "blue"]))
    net.add("connectors", site("odd", "us", "clients", "203.0.114.0/24", segment="blue"))
    for destination, disposition in (("10.2.0.5", "isolated"), ("203.0.114.9", "isolated"), ("10.9.0.1", "isolated")):
        assert trace_disposition(net, "red-vpc", destination, "tcp", 443) == disposition
    assert trace_disposition(net, "red-vpc@10.1.0.1", "203.0.114.9", "tcp", 443, segment="red") == "no_route"


def test_who_may_begin_decides_whether_a_spoke_gets_out() -> None:
    """“A share names side `a` and side `b` (segment, groups, prefixes) and who may initiate.”"""
    net = exits()
    net.add("policies", policy("out", 1, "any", "internet", OUT, segments=["hub"]))
    net.edit("shares", "red-egress", direction="b-to-a")
    assert trace_disposition(net, "red-vpc", "internet", "tcp", 443) == "no_route"


def test_a_segments_own_exit_goes_before_one_that_is_shared() -> None:
    """“Exits come after default routes, and of them the segment's own first.”"""
    net = exits()
    net.add("policies", policy("out", 1, "any", "internet", OUT, segments=["hub", "red"]))
    body = {"name": "local", "kind": "internet-exit", "exchange": "us", "attachments": [{"segment": "red"}]}
    net.add("connectors", body)
    assert [hop.name for hop in run_trace(net, "red-vpc", "internet", "tcp", 443).hops][-2] == "local"
    assert "of its own, which goes first" in only_problem(net, "egress_unused").message


def test_a_share_of_no_way_to_the_internet_is_a_warning() -> None:
    """“A side may also share its way to the internet (`internet: true`): its exits, and the public addresses behind its
    default routes.”"""
    assert {problem.path for problem in problems_with_code(hub_and_spokes(internet=True), "share_of_nothing")} == {
        "shares/red-egress/b.internet",
        "shares/blue-egress/b.internet",
    }
    net = default_route(internet=True)
    assert check_network(net.network()) == []
    assert trace_disposition(net, "red-vpc", "8.8.8.8", "tcp", 443) == "delivered"
    assert trace_disposition(net, "red-vpc", "10.50.0.1", "tcp", 443) == "isolated", "the hub's private addresses"


def test_only_one_side_of_a_share_brings_the_internet() -> None:
    """“a share that would loop”"""
    with pytest.raises(InvalidIntent) as refused:
        exits().edit(
            "shares", "red-egress", a={"segment": "red", "internet": True}, b={"segment": "hub", "internet": True}
        )
    assert [problem.path for problem in refused.value.problems] == ["b.internet"]


def test_a_vpc_of_a_spoke_routes_the_internet_to_the_exchange_where_a_policy_of_either_segment_lets_it_out() -> None:
    """“A side may also share its way to the internet (`internet: true`): its exits”"""
    net = exits()
    body = vpc("red-cloud", "eu", "clients", "10.3.0.0/16", "vpc-0c1")
    net.add("connectors", {**body, "attachments": [{**body["attachments"][0], "segment": "red"}]})

    def routes(segment: str) -> list[str]:
        network = net.network()
        resolved = network.resolved(net.uid_of("segments", segment))
        return vpc_routes(resolved, network.intent.connectors[net.uid_of("connectors", "red-cloud")])

    assert "0.0.0.0/0" not in routes("red")
    net.add("policies", policy("out", 1, "clients", "internet", OUT, segments=["hub"]))
    assert routes("red")[0] == "0.0.0.0/0"
