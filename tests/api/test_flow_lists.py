"""Many flows asked in one request, as JSON and as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from provisioning.core.formats.flow_list import MAX_FLOWS, TRACE_COLUMNS
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_sample_network
from tests.people import ApiClient, ApiFactory

pytestmark = pytest.mark.django_db
WEB = {"from": "site-a", "to": "10.2.0.1", "protocol": "tcp", "port": 443}


def test_flows_are_answered_in_order_each_with_its_trace_or_its_problems(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    flows = [WEB, {"from": "nobody", "to": "site-b", "port": 80}, {"to": "site-b", "colour": "red"}, "text"]
    answer = netadmin.post(f"{where}traces/", flows)
    assert answer.status_code == 200, answer.content
    web, unknown, wrong, text = answer.json()
    assert web["trace"] == netadmin.get(f"{where}trace/?from=site-a&to=10.2.0.1&port=443").json()
    assert web["problems"] == [] and unknown["trace"] is None
    assert [(p["code"], p["path"]) for p in unknown["problems"]] == [("unknown_reference", "from")]
    assert {p["path"] for p in wrong["problems"]} == {"colour", "from"}
    assert text["problems"][0]["code"] == "wrong_type"


def test_a_table_is_answered_as_a_table_that_can_be_asked_again(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    table = b"From;To;Protocol;Port;via\r\nsite-a;10.2.0.1;tcp;443;fw\r\nsite-a;nobody;;;\r\n"
    answer = netadmin.send("POST", f"{where}traces/?format=csv", table, content_type="text/csv")
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv"), answer.content
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert tuple(rows[0]) == TRACE_COLUMNS
    assert (rows[0]["disposition"], rows[0]["rule"], rows[0]["services"]) == (
        "delivered_inspected",
        "prod-out/web",
        "fw",
    )
    assert rows[1]["disposition"] == "" and "nobody" in rows[1]["reason"]
    again = netadmin.send("POST", f"{where}traces/?format=csv", answer.content, content_type="text/csv")
    assert again.content == answer.content


def test_source_ports_icmp_types_and_dscp_are_columns_of_flows(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    header = b"from,to,protocol,port,source_port,icmp_type,dscp"
    table = b"\n".join((header, b"site-a,10.2.0.1,udp,53,53,,EF", b"site-a,10.2.0.1,icmp,,,13,"))
    answer = netadmin.send("POST", f"{where}traces/", table, content_type="text/csv").json()
    assert [flow["trace"]["packet"] for flow in answer] == [
        {"protocol": "udp", "port": 53, "source_port": 53, "icmp_type": None, "dscp": 46},
        {"protocol": "icmp", "port": None, "source_port": None, "icmp_type": "timestamp-request", "dscp": 0},
    ]
    [wrong] = netadmin.post(f"{where}traces/", [{**WEB, "dscp": 64}]).json()
    assert [problem["path"] for problem in wrong["problems"]] == ["dscp"]


def test_a_json_list_may_be_answered_as_a_table_by_accept(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    answer = netadmin.post(f"{where}traces/", [WEB], Accept="text/csv")
    assert answer["Content-Type"].startswith("text/csv") and answer.content.count(b"\r\n") == 2


def test_too_many_flows_and_what_is_no_list_are_refused(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    assert_problem(netadmin.post(f"{where}traces/", [WEB] * (MAX_FLOWS + 1)), 400)
    assert_problem(netadmin.post(f"{where}traces/", WEB), 400)
    refusal = assert_problem(
        netadmin.send("POST", f"{where}traces/", b"from;port\na;1\n", content_type="text/csv"), 400
    )
    assert refusal["problems"][0]["path"] == "rows[1]" and "“to”" in refusal["problems"][0]["message"]
    refusal = assert_problem(netadmin.post(f"{where}traces/?assume=observed", [WEB]), 400)
    assert refusal["problems"][0]["path"] == "assume"
    assert netadmin.post("t/acme/live/traces/?assume=observed", []).json() == []


def test_viewers_may_ask_and_strangers_may_not(netadmin: ApiClient, api: ApiFactory) -> None:
    where = create_sample_network(netadmin)
    [answer] = api("viewer").post(f"{where}traces/", [WEB]).json()
    assert answer["trace"]["disposition"] == "delivered_inspected"
    assert_problem(api("stranger").post(f"{where}traces/", [WEB]), 404)


def test_via_avoid_and_blockers_are_in_the_answer(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    trace = netadmin.get(f"{where}trace/?from=site-a&to=10.2.0.1&port=443&via=fw,site-b&avoid=site-a").json()
    assert [(w["kind"], w["name"], w["passed"]) for w in trace["via"]] == [
        ("service", "fw", True),
        ("connector", "site-b", True),
    ]
    assert trace["avoid"][0]["passed"] and trace["blockers"] == []
    refusal = assert_problem(netadmin.get(f"{where}trace/?from=site-a&to=10.2.0.1&port=443&via=mars"), 400)
    assert refusal["problems"][0]["path"] == "via"
    [blocker] = netadmin.get(f"{where}trace/?from=site-a&to=172.16.0.1&port=443").json()["blockers"]
    assert blocker["code"] == "no_route" and blocker["object"].startswith("segments/") and blocker["remedy"]
