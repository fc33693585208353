"""Traces and reachable flows through the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    INTERNET_EXIT,
    OBJECT_BODIES,
    SECOND_SITE,
    create_object,
    create_sample_network,
    provision,
)
from tests.people import ApiClient, ApiResponse

pytestmark = pytest.mark.django_db


def test_a_trace_returns_the_disposition_hops_and_rule(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    answer = netadmin.get(f"{where}trace/?from=site-a&to=10.2.0.1&protocol=tcp&port=443")
    assert answer.status_code == 200, answer.content
    trace = answer.json()
    assert trace["disposition"] == "delivered_inspected" and trace["rule"] == "prod-out/web"
    assert trace["hops"][0]["name"] == "site-a" and trace["return"]["hops"]
    plain = netadmin.get(f"{where}trace/?from=site-a&to=site-b&port=80").json()
    assert plain["disposition"] == "delivered" and plain["rule"] is None


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("to=site-b&port=80", "from"),
        ("from=nobody&to=site-b&port=80", "from"),
        ("from=site-a&to=site-b", "port"),
        ("from=site-a&to=site-b&port=70000", "port"),
        ("from=site-a&to=site-b&port=80&protocol=nonsense", "protocol"),
        ("from=site-a&to=site-b&port=80&segment=mars", "segment"),
        ("from=site-a&to=site-b&port=80&assume=observed", "assume"),
    ],
)
def test_an_invalid_trace_query_names_its_parameter(netadmin: ApiClient, query: str, path: str) -> None:
    refusal = assert_problem(netadmin.get(f"{create_sample_network(netadmin)}trace/?{query}"), 400)
    assert path in {problem["path"] for problem in refusal["problems"]}


def test_a_trace_to_a_group_suggests_a_member(netadmin: ApiClient) -> None:
    refusal = assert_problem(netadmin.get(f"{create_sample_network(netadmin)}trace/?from=site-b&to=prod&port=80"), 400)
    [problem] = refusal["problems"]
    assert problem["path"] == "to" and "“prod” is a group" in problem["message"] and "“site-a”" in problem["message"]


def test_a_trace_of_live_can_use_the_observed_state(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    query = "from=site-a&to=site-b&port=80"
    assert netadmin.get(f"t/acme/live/trace/?{query}").json()["disposition"] == "delivered"
    observed = netadmin.get(f"t/acme/live/trace/?{query}&assume=observed").json()
    assert observed["disposition"] == "connector_down"
    assert observed["hops"][-1]["reason"] == "“site-a” is not provisioned yet."


def test_reach_lists_the_flows_of_a_group(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    page = netadmin.get(f"{where}reach/?from=prod").json()
    inspected = [flow for flow in page["results"] if flow["via"] == ["fw"]]
    assert inspected and inspected[0]["to"] and inspected[0]["rule"] == "prod-out/web"
    assert_problem(netadmin.get(f"{where}reach/?from=nobody"), 400)
    assert_problem(netadmin.get(f"{where}reach/"), 400)


def test_reach_towards_a_member_lists_its_senders(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "connectors", INTERNET_EXIT)
    create_object(netadmin, where, "internet-apps")
    [policy] = netadmin.get(f"{where}policies/").json()["results"]
    shop = {"action": "allow", "name": "shop", "protocol": "tcp", "ports": ["443"]}
    body = {
        **OBJECT_BODIES["policies"],
        "name": "shop",
        "position": 5,
        "from": ["internet"],
        "to": ["shop"],
        "rules": [shop],
    }
    create_object(netadmin, where, "policies", body)
    results = netadmin.get(f"{where}reach/?to=site-b").json()["results"]
    assert results and all("site-b" in str(row["to"]) or "any" in row["to"] for row in results), results
    assert netadmin.get(f"{where}reach/?to=shop").json()["results"]
    assert_problem(netadmin.get(f"{where}reach/?to=site-b&from=site-a"), 400)
    assert_problem(netadmin.get(f"{where}reach/?to=nobody"), 400)
    answer = netadmin.get(f"{where}trace/?from=internet&to=shop").json()
    assert answer["disposition"] == "delivered" and answer["rule"] == "shop/shop", answer
    assert {"app", "nat"} & {hop["kind"] for hop in answer["hops"]}
    assert policy["name"] == "prod-out"


def test_a_trace_across_a_share_names_both_segments(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "segments", {"name": "guest", "prefixes": ["10.0.0.0/8"]})
    lobby = [{"segment": "guest", "group": None, "prefixes": ["10.7.0.0/16"]}]
    create_object(netadmin, where, "connectors", {**SECOND_SITE, "name": "lobby", "attachments": lobby})
    create_object(netadmin, where, "shares")
    query = "from=lobby&to=site-a&port=443&from_segment=guest&to_segment=corp"
    answer = netadmin.get(f"{where}trace/?{query}").json()
    assert (answer["segment"], answer["to_segment"]) == ("guest", "corp"), answer
    assert answer["disposition"].startswith("delivered")
