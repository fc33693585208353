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
from tests.core.sample_networks import CATALOG, TODAY, hospital_network, policy
from tests.core.trace_queries import only_problem, run_trace, services_passed, trace_disposition

# 10


def test_failover_circuits_stand_by_at_the_other_exchange() -> None:
    """“Failover circuits are provisioned beforehand as standby”"""
    net = hospital_network()
    net.edit("connectors", "hospital-a", failover_exchange="us")
    (connector,) = (
        resource for resource in compile_network(net.network()).values() if resource.address.endswith("hospital-a")
    )
    where = {(link["node"], link["role"]) for link in connector.body["links"]}
    assert where == {("eu/1", "active"), ("eu/2", "standby"), ("us/1", "standby"), ("us/2", "standby")}


def test_a_connector_cannot_fail_over_to_its_own_exchange() -> None:
    """“a connector whose failover is its own exchange”."""
    net = hospital_network()
    net.edit("connectors", "hospital-a", failover_exchange="eu")
    (problem,) = (
        problem for problem in check_network(net.network()) if problem.path == "connectors/hospital-a/failover_exchange"
    )
    assert problem.severity == "error"


# 13


@pytest.mark.parametrize(
    ("kind", "name"),
    [("connectors", "hospital-a"), ("policies", "no-dev-in-prod"), ("policies", "web-out")],
)
def test_a_deletion_is_planned_shown_and_undone(kind: str, name: str) -> None:
    """“Deleting is an edit like any other: planned, shown, undone.”"""
    net, after = hospital_network(), hospital_network()
    after.remove(kind, name)
    before, then = net.network(), after.network()
    resources, resources_after = compile_network(before), compile_network(then)
    changes = diff_resources(resources, resources_after)
    assert changes and render_plan(changes)
    shown, undone = compare_reachability(before, then), compare_reachability(then, before)
    assert {(change.from_, change.to) for change in shown.allowed} == {
        (change.from_, change.to) for change in undone.blocked
    }
    assert {(change.from_, change.to) for change in shown.blocked} == {
        (change.from_, change.to) for change in undone.allowed
    }
    assert shown.allowed or shown.blocked
    assert compile_network(net.copy().network()) == resources, "after the undo the resources are the same"


# 14


def test_a_trace_gives_its_reasons() -> None:
    """“The model's answer ("can A reach B on tcp/443, and why")”"""
    trace = run_trace(hospital_network(), "hospital-a", "vpc-prod", "tcp", 443)
    assert (trace.disposition, trace.rule) == ("delivered_inspected", "sites-to-prod/web")
    assert any(hop.reason == "Rule “web” of policy “sites-to-prod” inspects it." for hop in trace.hops)
    stopped = run_trace(hospital_network(), "vpc-dev", "vpc-prod", "tcp", 443)
    assert stopped.rule == "no-dev-in-prod/rule-1" and stopped.hops[-1].reason


def test_traces_reachable_flows_and_assertions_agree() -> None:
    """“The model's answer … and the data plane's behaviour are the same.”: trace, reach and assertions agree."""
    net = hospital_network()
    network = net.network()
    for row in reachable_flows(network, "sites"):
        shown = row.example
        trace = trace_flow(network, shown.source, shown.destination, shown.protocol, shown.port)
        assert trace.disposition.startswith("delivered") and trace.rule == row.rule
    assert [result.holds for result in check_assertions(network, TODAY)] == [True]


@pytest.mark.parametrize(("port", "disposition"), [(443, "delivered_inspected"), (8080, "denied_by_service")])
def test_the_rules_of_linux_firewall_are_part_of_the_model(port: int, disposition: str) -> None:
    """“`linux-firewall` rules are part of the model”"""
    assert trace_disposition(hospital_network(), "hospital-a", "vpc-prod", "tcp", port) == disposition


def test_other_products_decide_by_their_own_policy() -> None:
    """“for other products an answer says that it is subject to that service's own policy”"""
    net = hospital_network()
    net.edit("services", "fw", product="pan-os", settings={})
    network = Network(load_intent(net.rows.values(), replace(CATALOG, products=("pan-os",))))
    trace = trace_flow(network, "hospital-a", "vpc-prod", "tcp", 8080)
    assert trace.disposition == "delivered_inspected" and services_passed(trace) == ["fw"]
    assert [hop.reason for hop in trace.hops if hop.kind == "service"] == ["Subject to the policy of “fw” itself."]


def test_a_rule_that_can_never_match_is_a_warning() -> None:
    """“a rule that can never match because earlier ones cover it”."""
    net = hospital_network()
    late = {"name": "never", "action": "allow", "protocol": "tcp", "ports": ["22"]}
    net.add("policies", policy("late", 90, "sites", "prod", late))
    problem = only_problem(net, "shadowed_rule")
    assert problem.severity == "warning"
    assert all(name in problem.message for name in ("never", "ssh", "sites-to-prod"))


def test_a_policy_that_names_an_empty_group_is_a_warning() -> None:
    """“a policy that names a group without members”."""
    net = hospital_network()
    net.add("groups", {"name": "nobody"})
    net.add("policies", policy("p", 90, "nobody", "prod", {"action": "allow"}))
    assert only_problem(net, "empty_group").severity == "warning"
