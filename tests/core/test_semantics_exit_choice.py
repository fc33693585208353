"""docs/semantics.md, exits that policies choose: every docstring quotes the sentence it tests."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.core.check import check_network
from provisioning.core.intent import InvalidIntent
from provisioning.core.reach import reachable_flows
from tests.core.sample_networks import IntentBuilder, policy, site
from tests.core.test_semantics_egress import OUT, exits
from tests.core.trace_queries import only_problem, run_trace, trace_disposition


def chosen(via: str, *segments: str) -> IntentBuilder:
    """Return hub and spokes with an exit in each region of the hub, where a policy of spokes chooses the way out."""
    net = exits()
    net.add("policies", policy("out", 2, "any", "internet", OUT, segments=["red", "blue", "hub"]))
    net.add("policies", policy("way", 1, "clients", "internet", segments=list(segments or ["red"]), via=via))
    return net


def local_exit(net: IntentBuilder) -> IntentBuilder:
    body = {"name": "local", "kind": "internet-exit", "exchange": "us", "attachments": [{"segment": "red"}]}
    net.add("connectors", body)
    return net


def guests(net: IntentBuilder) -> IntentBuilder:
    net.add("connectors", site("guests", "us", None, "10.7.0.0/16", segment="red"))
    return net


def exit_of(net: IntentBuilder, source: str = "red-vpc") -> str:
    """Return the exit that a flow leaves by; empty where it does not."""
    trace = run_trace(net, source, "internet", "tcp", 443)
    return [hop.name for hop in trace.hops if hop.kind == "connector"][-1] if trace.disposition == "delivered" else ""


def reaches_internet(net: IntentBuilder, source: str) -> bool:
    return any("internet" in flow.to for flow in reachable_flows(net.network(), source))


def test_a_policy_chooses_the_exit_of_its_sources() -> None:
    """“A policy that names `internet` in `to` may choose the way out of its sources (`via`): an internet exit, or a
    segment, among whose exits the choice is made as always.”"""
    net = chosen("exit-us")
    assert (exit_of(net), exit_of(net, "blue-vpc")) == ("exit-us", "exit-us")
    assert exit_of(chosen("exit-eu", "blue"), "blue-vpc") == "exit-eu"
    assert check_network(net.network()) == []
    trace = run_trace(net, "red-vpc", "internet", "tcp", 443)
    assert any("Policy “way” sends it through exit “exit-us”." in hop.reason for hop in trace.hops)


def test_the_first_policy_that_chooses_counts() -> None:
    """“The first such policy that names the sender counts, before rules are tried”"""
    net = chosen("exit-us")
    net.add("policies", policy("first", 5, "clients", "internet", segments=["red"], via="exit-eu", tier="mandatory"))
    assert exit_of(net) == "exit-eu"
    net.edit("policies", "first", enabled=False)
    assert exit_of(net) == "exit-us"


def test_the_choice_of_an_exit_allows_nothing() -> None:
    """“it decides nothing about whether a flow passes, and chooses without any rule too”"""
    net = chosen("exit-us")
    net.edit("policies", "out", enabled=False)
    assert trace_disposition(net, "red-vpc", "internet", "tcp", 443) == "denied_by_default"


def test_a_spoke_with_an_exit_of_its_own_is_sent_through_the_hub() -> None:
    """“a segment, among whose exits the choice is made as always”"""
    net = guests(local_exit(chosen("hub")))
    assert (exit_of(net), exit_of(net, "guests")) == ("exit-eu", "local")
    assert check_network(net.network()) == []
    assert reaches_internet(net, "red-vpc")
    assert reaches_internet(net, "guests")


def test_a_member_that_no_share_lets_out_has_no_other_way() -> None:
    """“A flow whose chosen exit is disabled, not there or not shared with it takes no other one”"""
    net = guests(local_exit(chosen("hub")))
    net.edit("policies", "way", **{"from": ["guests"]})
    assert trace_disposition(net, "guests", "internet", "tcp", 443) == "isolated"
    assert not reaches_internet(net, "guests")


def test_a_disabled_exit_is_not_gone_around() -> None:
    """“A flow whose chosen exit is disabled, not there or not shared with it takes no other one”"""
    net = chosen("exit-us")
    net.edit("connectors", "exit-us", enabled=False)
    trace = run_trace(net, "red-vpc", "internet", "tcp", 443)
    assert (trace.disposition, [blocker.code for blocker in trace.blockers]) == ("no_route", ["exit_disabled"])
    assert not reaches_internet(net, "red-vpc")
    assert exit_of(net, "blue-vpc") == "exit-eu"
    assert only_problem(net, "exit_disabled").severity == "warning"


@pytest.mark.parametrize("via", ["local", "blue", "red"])
def test_an_exit_that_is_not_reached_is_refused(via: str) -> None:
    """“A flow whose chosen exit is disabled, not there or not shared with it takes no other one”"""
    net = exits()
    body = {"name": "local", "kind": "internet-exit", "exchange": "us", "attachments": [{"segment": "blue"}]}
    net.add("connectors", body)
    net.add("policies", policy("out", 2, "any", "internet", OUT, segments=["red", "hub"], via=via))
    problems = {problem.path for problem in check_network(net.network()) if problem.code == "exit_not_reachable"}
    assert problems == {"policies/out/via"}
    assert trace_disposition(net, "red-vpc", "internet", "tcp", 443) == "no_route"
    assert not reaches_internet(net, "red-vpc")


def test_only_a_policy_about_the_internet_chooses_an_exit() -> None:
    """“A policy that names `internet` in `to` may choose the way out of its sources”"""
    with pytest.raises(InvalidIntent) as refused:
        exits().add("policies", policy("p", 1, "any", "any", OUT, segments=["red"], via="exit-us"))
    assert [problem.code for problem in refused.value.problems] == ["via_without_internet"]
    net = exits()
    net.add("policies", policy("p", 1, "any", "internet", OUT, segments=["hub"], via="tools"))
    assert only_problem(net, "not_an_exit").path == "policies/p/via"


def test_of_two_segments_that_share_their_exits_the_older_keeps_to_its_own() -> None:
    """“Of two segments that share their exits with each other, the older one leaves by its own only.”"""
    net = local_exit(chosen("hub"))
    sides: dict[str, Any] = {
        "a": {"segment": "hub", "prefixes": ["10.9.0.0/16"]},
        "b": {"segment": "red", "internet": True},
    }
    net.add("shares", {"name": "back", **sides, "direction": "a-to-b"})
    net.add("policies", policy("back", 3, "any", "internet", segments=["hub"], via="red"))
    errors = [problem.path for problem in check_network(net.network()) if problem.severity == "error"]
    assert errors == ["policies/back/via"]
    assert exit_of(net) == "exit-eu"
