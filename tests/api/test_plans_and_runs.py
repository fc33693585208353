"""From a draft to a plan, an approval and a run, and back through revisions; what reaches what on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    OBJECT_BODIES,
    SECOND_SITE,
    create_draft,
    create_object,
    create_plan,
    create_sample_network,
    provision,
)
from tests.people import ApiClient, ApiFactory, ApiResponse, People

pytestmark = pytest.mark.django_db


def test_a_plan_says_what_would_change_and_runs_nothing(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    created = create_plan(netadmin, where)
    plan = created.json()
    assert netadmin.get(created["Location"]).json() == plan
    assert plan["state"] == "ready" and plan["digest"]
    steps = {step["address"]: step for step in plan["steps"]}
    assert steps["connector/site-a"]["action"] == "create"
    assert steps["connector/site-a"]["before"] is None
    assert {"allowed", "blocked", "inspected"} <= set(plan["reachability"])
    assert {"monthly_before", "monthly_after", "lines"} <= set(plan["cost"])
    flow = plan["reachability"]["allowed"][0]
    assert flow["from"] and flow["to"]
    assert netadmin.get("t/acme/live/connectors/").json()["results"] == []
    assert netadmin.get("t/acme/runs/").json()["results"] == []
    [listed] = netadmin.get("t/acme/plans/?state=ready").json()["results"]
    assert listed["id"] == plan["id"] and "steps" not in listed


def test_a_failing_assertion_blocks_a_plan_and_is_named(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    create_object(
        *(netadmin, where, "assertions"),
        {"name": "never", "from": "prod", "to": "site-b", "protocol": "tcp", "expect": "blocked"},
    )
    problem = assert_problem(netadmin.post(f"{where}plan/"), 422)
    assert problem["problems"][0]["code"] == "assertion_failed"
    assert problem["problems"][0]["path"] == "assertions/never"
    message = problem["problems"][0]["message"]
    assert message.startswith("“never” does not hold: 10.") and " tcp/" in message and "It is delivered" in message


def test_provisioning_makes_a_revision_and_a_run(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    where = create_sample_network(netadmin)
    provisioning = provision(netadmin, where)
    run = netadmin.get(provisioning["Location"]).json()
    assert run["state"] in ("pending", "running") and run["revision"] == 1
    assert {step["state"] for step in run["steps"]} == {"pending"}
    [revision] = netadmin.get("t/acme/revisions/").json()["results"]
    assert revision["number"] == 1 and revision["live"] and revision["message"] == "work"
    names = [row["name"] for row in netadmin.get("t/acme/live/connectors/").json()["results"]]
    assert names == ["site-a", "site-b"]
    assert netadmin.get(where).json()["state"] == "provisioned"
    finish(provisioning)
    assert netadmin.get(provisioning["Location"]).json()["state"] == "succeeded"
    assert netadmin.get("t/acme/runs/?state=succeeded").json()["results"][0]["id"] == run["id"]


def test_the_digest_has_to_be_the_plans(netadmin: ApiClient) -> None:
    plan = create_plan(netadmin, create_sample_network(netadmin))
    assert_problem(netadmin.post(f"{plan['Location']}provision/", {"digest": "another"}), 409)
    assert_problem(netadmin.post(f"{plan['Location']}provision/", {}), 400)


def test_a_plan_is_stale_once_its_draft_was_edited(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    plan = create_plan(netadmin, where)
    create_object(netadmin, where, "groups", {"name": "late"})
    problem = assert_problem(netadmin.post(f"{plan['Location']}provision/", {"digest": plan.json()["digest"]}), 409)
    assert "edited" in problem["detail"]
    assert netadmin.get("t/acme/revisions/").json()["results"] == []


def test_a_plan_tells_that_it_is_stale_once_live_moved(
    netadmin: ApiClient, finish: Callable[[ApiResponse], None]
) -> None:
    overtaken = create_plan(netadmin, create_sample_network(netadmin))
    other = create_draft(netadmin, "other")
    create_object(netadmin, other, "groups", {"name": "late"})
    finish(provision(netadmin, other))
    answer = netadmin.get(overtaken["Location"])
    assert answer.json()["state"] == "stale" and "made on revision 0" in answer.json()["moved"][0]
    listed = {row["id"]: row["state"] for row in netadmin.get("t/acme/plans/").json()["results"]}
    assert listed[answer.json()["id"]] == "stale"
    assert netadmin.post(f"{overtaken['Location']}reject/", if_match=answer["ETag"]).json()["state"] == "rejected"


def test_a_plan_is_guarded_by_its_tag(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    first = create_plan(netadmin, where)
    tag = netadmin.get(first["Location"])["ETag"]
    assert tag == first["ETag"]
    create_plan(netadmin, where)
    digest = {"digest": first.json()["digest"]}
    assert_problem(netadmin.post(f"{first['Location']}provision/", digest, if_match=tag), 412)


def test_only_one_run_goes_and_it_can_be_cancelled(netadmin: ApiClient) -> None:
    run = provision(netadmin, create_sample_network(netadmin))
    again = create_draft(netadmin, "again")
    create_object(netadmin, again, "groups", {"name": "late"})
    plan = create_plan(netadmin, again)
    assert_problem(netadmin.post(f"{plan['Location']}provision/", {"digest": plan.json()["digest"]}), 409)
    assert_problem(netadmin.post(f"{run['Location']}retry/"), 409)
    cancelled = netadmin.post(f"{run['Location']}cancel/")
    assert cancelled.status_code == 202 and cancelled.json()["state"] == "cancelled"
    assert_problem(netadmin.post(f"{run['Location']}cancel/"), 409)
    assert netadmin.post(f"{run['Location']}retry/").status_code == 202


def test_a_second_person_approves(api: ApiFactory, people: People) -> None:
    people.acme.requires_approval = True
    people.acme.save()
    author, second = api("netadmin"), api("secadmin")
    plan = create_plan(author, create_sample_network(author))
    digest = {"digest": plan.json()["digest"]}
    assert_problem(author.post(f"{plan['Location']}provision/", digest), 409)
    assert_problem(author.post(f"{plan['Location']}approve/"), 403)
    approved = second.post(f"{plan['Location']}approve/")
    assert approved.json()["state"] == "approved" and approved.json()["decided_by"] == "secadmin@demo.test"
    assert_problem(second.post(f"{plan['Location']}provision/", digest), 403)
    assert author.post(f"{plan['Location']}provision/", digest).status_code == 202


def test_a_rejected_plan_does_not_run(api: ApiFactory) -> None:
    plan = create_plan(api("netadmin"), create_sample_network(api("netadmin")))
    assert api("secadmin").post(f"{plan['Location']}reject/").json()["state"] == "rejected"
    assert_problem(api("netadmin").post(f"{plan['Location']}provision/", {"digest": plan.json()["digest"]}), 409)


def test_revisions_are_compared_and_brought_back(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    where = create_draft(netadmin, "second")
    [site] = netadmin.get(f"{where}connectors/?search=site-b").json()["results"]
    netadmin.patch(f"{where}connectors/{site['id']}/", {"size": "large"})
    finish(provision(netadmin, where))
    diff = netadmin.get("t/acme/revisions/1/diff/2/").json()
    assert (diff["from"], diff["to"]) == (1, 2)
    [changed] = diff["differences"]
    assert changed["name"] == "site-b" and changed["action"] == "change"
    assert changed["fields"] == [{"path": "size", "before": "small", "after": "large"}]
    refused = assert_problem(netadmin.post("t/acme/revisions/1/restore/", {"foo": 1}), 400)
    assert [problem["code"] for problem in refused["problems"]] == ["unknown_field"]
    assert netadmin.post("t/acme/revisions/1/restore/", {"name": "as it was"}).json()["name"] == "as it was"
    restored = netadmin.post("t/acme/revisions/1/restore/")
    assert restored.status_code == 201 and restored.json()["edits"] == 1
    back = netadmin.get(f"{restored['Location']}connectors/{site['id']}/").json()
    assert back["size"] == "small"
    assert netadmin.get("t/acme/revisions/0/diff/2/").json()["differences"][0]["action"] == "create"
    assert_problem(netadmin.get("t/acme/revisions/1/diff/9/"), 404)
    assert_problem(netadmin.post("t/acme/revisions/9/restore/"), 404)
    assert netadmin.get("t/acme/revisions/1/").json()["live"] is False


def test_two_drafts_merge_field_by_field_or_say_what_conflicts(
    netadmin: ApiClient, finish: Callable[[ApiResponse], None]
) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    my_draft, their_draft = create_draft(netadmin, "mine"), create_draft(netadmin, "theirs")
    [site] = netadmin.get(f"{my_draft}connectors/?search=site-b").json()["results"]
    netadmin.patch(f"{my_draft}connectors/{site['id']}/", {"description": "mine"})
    netadmin.patch(f"{their_draft}connectors/{site['id']}/", {"size": "large"})
    finish(provision(netadmin, their_draft))
    assert netadmin.post(f"{my_draft}rebase/").json()["base_revision"] == 2
    merged = netadmin.get(f"{my_draft}connectors/{site['id']}/").json()
    assert (merged["description"], merged["size"]) == ("mine", "large")


def test_a_trace_tells_what_becomes_of_a_flow(netadmin: ApiClient) -> None:
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
def test_a_trace_that_cannot_be_asked(netadmin: ApiClient, query: str, path: str) -> None:
    refusal = assert_problem(netadmin.get(f"{create_sample_network(netadmin)}trace/?{query}"), 400)
    assert path in {problem["path"] for problem in refusal["problems"]}


def test_a_trace_to_a_group_names_a_member_to_ask_for(netadmin: ApiClient) -> None:
    refusal = assert_problem(netadmin.get(f"{create_sample_network(netadmin)}trace/?from=site-b&to=prod&port=80"), 400)
    [problem] = refusal["problems"]
    assert problem["path"] == "to" and "“prod” is a group" in problem["message"] and "“site-a”" in problem["message"]


def test_live_can_be_asked_as_observed(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    query = "from=site-a&to=site-b&port=80"
    assert netadmin.get(f"t/acme/live/trace/?{query}").json()["disposition"] == "delivered"
    observed = netadmin.get(f"t/acme/live/trace/?{query}&assume=observed").json()
    assert observed["disposition"] == "connector_down"
    assert observed["hops"][-1]["reason"] == "“site-a” is not provisioned yet."


def test_reach_lists_what_a_group_can_reach(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    page = netadmin.get(f"{where}reach/?from=prod").json()
    inspected = [flow for flow in page["results"] if flow["via"] == ["fw"]]
    assert inspected and inspected[0]["to"] and inspected[0]["rule"] == "prod-out/web"
    assert_problem(netadmin.get(f"{where}reach/?from=nobody"), 400)
    assert_problem(netadmin.get(f"{where}reach/"), 400)


def test_the_topology_and_health_show_what_is_live(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    empty = netadmin.get("t/acme/topology/").json()
    assert (empty["nodes"], empty["edges"]) == ([], [])
    finish(provision(netadmin, create_sample_network(netadmin)))
    drawn = netadmin.get("t/acme/topology/").json()
    kinds = sorted(node["kind"] for node in drawn["nodes"])
    assert kinds == ["connector", "connector", "exchange", "service"]
    ends = {node["id"] for node in drawn["nodes"]}
    assert all(edge["from"] in ends and edge["to"] in ends for edge in drawn["edges"])
    assert netadmin.get("t/acme/health/").json()["state"] in ("pending", "down")


def test_a_cloud_account_keeps_its_secret(netadmin: ApiClient, api: ApiFactory) -> None:
    body = {
        "name": "prod",
        "provider": "aws",
        "account_id": "123456789012",
        "regions": ["eu-central-1"],
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "very secret"},
    }
    created = netadmin.post("t/acme/cloud-accounts/", body)
    assert created.status_code == 201, created.content
    assert "secret" not in created.content.decode() and "AKIA" not in created.content.decode()
    url = created["Location"]
    assert netadmin.get(url).json() == created.json()
    patched = netadmin.patch(url, {"regions": ["us-east-1"]}, if_match=created["ETag"])
    assert patched.json()["regions"] == ["us-east-1"]
    assert netadmin.post(f"{url}discover/").json()["discovery"] == "running"
    assert netadmin.get(f"{url}inventory/").json()["vpcs"] == []
    assert "very secret" not in netadmin.get("t/acme/audit/").content.decode()
    assert_problem(netadmin.post("t/acme/cloud-accounts/", body), 409)
    assert_problem(netadmin.post("t/acme/cloud-accounts/", {**body, "name": "x", "account_id": "1"}), 422)
    problem = assert_problem(netadmin.post("t/acme/cloud-accounts/", {**body, "credentials": {"password": "x"}}), 400)
    assert problem["problems"][0]["path"] == "credentials.password"
    assert_problem(api("viewer").get(f"{url}inventory/"), 403)


def test_another_tenants_things_are_not_found_below_ones_own_address(
    api: ApiFactory, netadmin: ApiClient, finish: Callable[[ApiResponse], None]
) -> None:
    where = create_sample_network(netadmin)
    run = provision(netadmin, where)
    plan = netadmin.get("t/acme/plans/").json()["results"][0]["id"]
    other = api("globex_owner")
    for path in (where, f"{where}segments/", f"{where}intent/", run["Location"], f"t/acme/plans/{plan}/"):
        elsewhere = path.replace("t/acme/", "t/globex/")
        assert_problem(other.get(elsewhere), 404)
        assert_problem(other.get(path), 404)
    assert_problem(other.post(f"{where.replace('acme', 'globex')}plan/"), 404)
    create_object(other, draft_in(other), "exchanges", OBJECT_BODIES["exchanges"])
    assert SECOND_SITE["name"] not in other.get("t/globex/live/intent/").content.decode()


def draft_in(client: ApiClient) -> str:
    created = client.post("t/globex/drafts/", {"name": "ours"})
    return f"t/globex/drafts/{created.json()['id']}/"
