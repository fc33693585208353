"""docs/semantics.md, “Availability and truth” and “Checks”, where the core answers for them; docstrings quote it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioning.core.check import check_network
from provisioning.core.intent import load_intent
from provisioning.core.plan import diff_resources, render_plan
from provisioning.core.reach import check_assertions, compare_reachability, reachable_flows, trace_flow
from provisioning.core.resolve.network import Network
from provisioning.drivers import compile_network
from tests.core.sample_networks import CATALOG, hospital_network, policy
from tests.core.trace_queries import only_problem, run_trace, services_passed, trace_disposition

# 10


def test_failover_circuits_stand_by_at_the_other_exchange() -> None:
    """“Failover circuits are provisioned beforehand as standby”"""
    net = hospital_network()
    net.edit("connectors", "hospital-a", failover_exchange="us")
    (wanted,) = (one for one in compile_network(net.network()).values() if one.address.endswith("hospital-a"))
    where = {(link["node"], link["role"]) for link in wanted.body["links"]}
    assert where == {("eu/1", "active"), ("eu/2", "standby"), ("us/1", "standby"), ("us/2", "standby")}


def test_a_connector_cannot_fail_over_to_its_own_exchange() -> None:
    """“a connector whose failover is its own exchange”."""
    net = hospital_network()
    net.edit("connectors", "hospital-a", failover_exchange="eu")
    (problem,) = (one for one in check_network(net.network()) if one.path == "connectors/hospital-a/failover_exchange")
    assert problem.severity == "error"


# 13


@pytest.mark.parametrize(
    ("kind", "name"),
    [("connectors", "hospital-a"), ("policies", "no-dev-in-prod"), ("policies", "web-out")],
)
def test_deleting_is_planned_shown_and_undone(kind: str, name: str) -> None:
    """“Deleting is an edit like any other: planned, shown, undone.”"""
    net, after = hospital_network(), hospital_network()
    after.remove(kind, name)
    before, then = net.network(), after.network()
    there, wanted = compile_network(before), compile_network(then)
    changes = diff_resources(there, wanted)
    assert changes and render_plan(changes)
    shown, undone = compare_reachability(before, then), compare_reachability(then, before)
    assert {(one.from_, one.to) for one in shown.allowed} == {(one.from_, one.to) for one in undone.blocked}
    assert {(one.from_, one.to) for one in shown.blocked} == {(one.from_, one.to) for one in undone.allowed}
    assert shown.allowed or shown.blocked
    assert compile_network(net.copy().network()) == there, "undone, it is what it was"


# 14


def test_an_answer_says_why() -> None:
    """“The model's answer ("can A reach B on tcp/443, and why")”"""
    found = run_trace(hospital_network(), "hospital-a", "vpc-prod", "tcp", 443)
    assert (found.disposition, found.rule) == ("delivered_inspected", "sites-to-prod/web")
    assert any("sites-to-prod/web" in hop.reason for hop in found.hops)
    stopped = run_trace(hospital_network(), "vpc-dev", "vpc-prod", "tcp", 443)
    assert stopped.rule == "no-dev-in-prod/rule-1" and stopped.hops[-1].reason


def test_every_answer_is_the_same_answer() -> None:
    """“The model's answer … and the data plane's behaviour are the same.”: trace, reach and assertions agree."""
    net = hospital_network()
    network = net.network()
    for row in reachable_flows(network, "sites"):
        shown = row.example
        told = trace_flow(network, shown.source, shown.destination, shown.protocol, shown.port)
        assert told.disposition.startswith("delivered") and told.rule == row.rule
    assert [one.holds for one in check_assertions(network)] == [True]


@pytest.mark.parametrize(("port", "disposition"), [(443, "delivered_inspected"), (8080, "denied_by_service")])
def test_the_rules_of_our_firewall_are_part_of_the_model(port: int, disposition: str) -> None:
    """“`linux-firewall` rules are part of the model”"""
    assert trace_disposition(hospital_network(), "hospital-a", "vpc-prod", "tcp", port) == disposition


def test_other_products_decide_for_themselves() -> None:
    """“for other products an answer says that it is subject to that service's own policy”"""
    net = hospital_network()
    net.edit("services", "fw", product="pan-os", settings={})
    network = Network(load_intent(net.rows.values(), replace(CATALOG, products=("pan-os",))))
    found = trace_flow(network, "hospital-a", "vpc-prod", "tcp", 8080)
    assert found.disposition == "delivered_inspected" and services_passed(found) == ["fw"]
    assert [hop.reason for hop in found.hops if hop.kind == "service"] == ["Subject to the policy of “fw” itself."]


def test_a_rule_that_never_gets_a_turn_is_told() -> None:
    """“a rule that can never match because earlier ones cover it”."""
    net = hospital_network()
    late = {"name": "never", "action": "allow", "protocol": "tcp", "ports": ["22"]}
    net.add("policies", policy("late", 90, "sites", "prod", late))
    problem = only_problem(net, "shadowed_rule")
    assert problem.severity == "warning"
    assert all(name in problem.message for name in ("never", "ssh", "sites-to-prod"))


def test_a_policy_about_nobody_is_told() -> None:
    """“a policy that names a group without members”."""
    net = hospital_network()
    net.add("groups", {"name": "nobody"})
    net.add("policies", policy("p", 90, "nobody", "prod", {"action": "allow"}))
    assert only_problem(net, "empty_group").severity == "warning"
