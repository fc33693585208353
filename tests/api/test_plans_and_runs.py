"""Plans, approvals and runs through the API."""

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


def test_a_plan_lists_changes_and_runs_nothing(netadmin: ApiClient) -> None:
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


def test_provisioning_creates_a_revision_and_a_run(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
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


def test_provisioning_needs_the_digest_of_the_plan(netadmin: ApiClient) -> None:
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


def test_a_plan_is_stale_once_live_changed(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    overtaken = create_plan(netadmin, create_sample_network(netadmin))
    other = create_draft(netadmin, "other")
    create_object(netadmin, other, "groups", {"name": "late"})
    finish(provision(netadmin, other))
    answer = netadmin.get(overtaken["Location"])
    assert answer.json()["state"] == "stale" and "made on revision 0" in answer.json()["moved"][0]
    listed = {row["id"]: row["state"] for row in netadmin.get("t/acme/plans/").json()["results"]}
    assert listed[answer.json()["id"]] == "stale"
    assert netadmin.post(f"{overtaken['Location']}reject/", if_match=answer["ETag"]).json()["state"] == "rejected"


def test_if_match_guards_a_plan(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    first = create_plan(netadmin, where)
    tag = netadmin.get(first["Location"])["ETag"]
    assert tag == first["ETag"]
    create_plan(netadmin, where)
    digest = {"digest": first.json()["digest"]}
    assert_problem(netadmin.post(f"{first['Location']}provision/", digest, if_match=tag), 412)


def test_one_run_is_active_at_a_time_and_can_be_cancelled(netadmin: ApiClient) -> None:
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


def test_a_plan_is_approved_by_a_second_person(api: ApiFactory, people: People) -> None:
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


def test_a_rejected_plan_cannot_be_provisioned(api: ApiFactory) -> None:
    plan = create_plan(api("netadmin"), create_sample_network(api("netadmin")))
    assert api("secadmin").post(f"{plan['Location']}reject/").json()["state"] == "rejected"
    assert_problem(api("netadmin").post(f"{plan['Location']}provision/", {"digest": plan.json()["digest"]}), 409)


def test_objects_of_another_tenant_are_404_under_the_own_tenants_path(
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
