"""Versions of a network beside each other: conflicts decided, differences told, objects brought back, large plans."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from provisioning.services import plans
from tenants.models import Tenant
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    INTERNET_EXIT,
    OBJECT_BODIES,
    SECOND_SITE,
    create_draft,
    create_object,
    create_sample_network,
    provision,
)
from tests.people import ApiClient, ApiResponse

pytestmark = pytest.mark.django_db


def get_object(client: ApiClient, where: str, kind: str, name: str) -> Any:
    [found] = [row for row in client.get(f"{where}{kind}/?search={name}").json()["results"] if row["name"] == name]
    return found


def test_conflicts_are_told_and_decided(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    my_draft, their_draft = create_draft(netadmin, "mine"), create_draft(netadmin, "theirs")
    site, policy = (
        get_object(netadmin, my_draft, "connectors", "site-b"),
        get_object(netadmin, my_draft, "policies", "prod-out"),
    )
    web = policy["rules"][0]
    netadmin.patch(f"{my_draft}connectors/{site['id']}/", {"size": "medium", "description": "mine"})
    netadmin.patch(f"{my_draft}policies/{policy['id']}/", {"rules": [{**web, "ports": ["8443"]}, {"action": "watch"}]})
    netadmin.patch(f"{their_draft}connectors/{site['id']}/", {"size": "large", "preference": 7})
    netadmin.patch(f"{their_draft}policies/{policy['id']}/", {"rules": [{**web, "ports": ["9443"]}]})
    finish(provision(netadmin, their_draft))

    problem = assert_problem(netadmin.post(f"{my_draft}rebase/"), 409)
    conflicts = {(row["name"], row["path"]): row for row in problem["conflicts"]}
    assert set(conflicts) == {("site-b", "size"), ("prod-out", "rules[web].ports")}
    size = conflicts["site-b", "size"]
    assert (size["base"], size["mine"], size["theirs"]) == ("small", "medium", "large")
    assert size["kind"] == "connectors" and size["id"] == site["id"]
    assert_problem(netadmin.post(f"{my_draft}plan/"), 409)
    takes = {"size": "mine", "rules[web].ports": "theirs"}
    decided = [
        {"kind": row["kind"], "id": row["id"], "path": row["path"], "take": takes[row["path"]]}
        for row in problem["conflicts"]
    ]
    assert_problem(netadmin.post(f"{my_draft}rebase/", {"resolutions": decided[:1]}), 409)
    assert_problem(netadmin.post(f"{my_draft}rebase/", {"resolutions": [{**decided[0], "take": "both"}]}), 400)
    astray = {"kind": "policies", "id": policy["id"], "path": "rules[web].protocol", "take": "mine"}
    problem = assert_problem(netadmin.post(f"{my_draft}rebase/", {"resolutions": [*decided, astray]}), 409)
    assert [(row["code"], row["path"]) for row in problem["problems"]] == [("not_in_conflict", "resolutions[2].path")]
    assert netadmin.get(my_draft).json()["base_revision"] == 1
    rebased = netadmin.post(f"{my_draft}rebase/", {"resolutions": decided})
    assert rebased.status_code == 200 and rebased.json()["base_revision"] == 2 and rebased.json()["edits"] == 2
    merged = netadmin.get(f"{my_draft}connectors/{site['id']}/").json()
    assert (merged["size"], merged["description"], merged["preference"]) == ("medium", "mine", 7)
    rules = netadmin.get(f"{my_draft}policies/{policy['id']}/").json()["rules"]
    assert [(rule["name"], rule["ports"]) for rule in rules] == [("web", ["9443"]), ("rule-2", [])]
    assert netadmin.post(f"{my_draft}undo/").json()["edits"] == 1
    assert netadmin.post(f"{my_draft}rebase/").status_code == 200


def test_a_draft_is_compared_with_its_base_and_one_object_is_brought_back(
    netadmin: ApiClient, finish: Callable[[ApiResponse], None]
) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    where = create_draft(netadmin, "second")
    site = get_object(netadmin, where, "connectors", "site-b")
    url = f"{where}connectors/{site['id']}/"
    far = [{"segment": "corp", "group": None, "prefixes": ["10.3.0.0/16"]}]
    netadmin.patch(url, {"attachments": far})
    answer = netadmin.get(f"{where}diff/").json()
    assert answer["base_revision"] == 1
    [field] = answer["differences"][0]["fields"]
    assert field == {"path": "attachments[corp].prefixes", "before": ["10.2.0.0/16"], "after": ["10.3.0.0/16"]}
    finish(provision(netadmin, where))
    where = create_draft(netadmin, "third")
    url = f"{where}connectors/{site['id']}/"
    assert netadmin.delete(url).status_code == 204
    assert netadmin.get(f"{where}diff/").json()["differences"][0]["action"] == "remove"
    assert netadmin.post(f"{url}restore/").json()["attachments"][0]["prefixes"] == ["10.3.0.0/16"]
    assert netadmin.get(f"{where}diff/").json()["differences"] == []
    back = netadmin.post(f"{url}restore/", {"revision": 1})
    assert back.status_code == 200 and back.json()["attachments"][0]["prefixes"] == ["10.2.0.0/16"]
    assert_problem(netadmin.post(f"{url}restore/", {"revision": 1}), 409)
    assert_problem(netadmin.post(f"{url}restore/", {"revision": 9}), 404)
    assert_problem(netadmin.post(f"{url}restore/", {"revision": -1}), 400)


def test_any_two_versions_are_compared_by_what_reaches_what(
    netadmin: ApiClient, finish: Callable[[ApiResponse], None]
) -> None:
    finish(provision(netadmin, create_sample_network(netadmin)))
    where = create_draft(netadmin, "closed")
    corp = get_object(netadmin, where, "segments", "corp")
    netadmin.patch(f"{where}segments/{corp['id']}/", {"default_action": "deny"})
    here = where.removeprefix("t/acme/")
    answer = netadmin.get(f"t/acme/delta/?after={here}").json()
    assert answer["before"] == "live" and answer["counts"]["blocked"] and not answer["counts"]["allowed"]
    assert answer["blocked"][0]["example"]["source"] and answer["blocked"][0]["segment"] == "corp"
    other = netadmin.get(f"t/acme/delta/?before={here}&after=revisions/1&limit=1").json()
    assert other["counts"]["allowed"] == answer["counts"]["blocked"] and len(other["allowed"]) == 1
    assert netadmin.get("t/acme/delta/?before=revisions/0&after=live").json()["allowed"]
    for wrong in ("", "?after=mars", "?after=live&before=draft", "?after=live&limit=0", "?after=live&x=1"):
        assert_problem(netadmin.get(f"t/acme/delta/{wrong}"), 400)
    assert_problem(netadmin.get("t/acme/delta/?after=revisions/9"), 404)


def test_problems_of_a_view_are_listed(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    assert netadmin.get("t/acme/live/problems/").json()["results"] == []
    create_object(netadmin, where, "groups", {"name": "empty"})
    body = {**OBJECT_BODIES["policies"], "name": "to nobody", "position": 20, "to": ["empty"]}
    create_object(netadmin, where, "policies", body)
    results = netadmin.get(f"{where}problems/").json()["results"]
    assert any("to-nobody" in row["path"] and row["severity"] == "warning" for row in results), results
    assert netadmin.get(f"{where}problems/?severity=error").json()["results"] == []
    assert_problem(netadmin.get(f"{where}problems/?colour=red"), 400)


def test_what_can_reach_something_is_asked_from_the_other_end(netadmin: ApiClient) -> None:
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


def test_totals_orderings_and_filters_of_lists(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    corp, prod = get_object(netadmin, where, "segments", "corp"), get_object(netadmin, where, "groups", "prod")
    create_object(
        netadmin, where, "policies", {**OBJECT_BODIES["policies"], "name": "first", "position": 1, "to": ["site-b"]}
    )
    answer = netadmin.get(f"{where}policies/?ordering=position&total=1").json()
    assert [row["name"] for row in answer["results"]] == ["first", "prod-out"] and answer["count"] == 2
    results = netadmin.get(f"{where}connectors/?segment={corp['id']}&group={prod['id']}&total=1").json()
    assert [row["name"] for row in results["results"]] == ["site-a"] and results["count"] == 1
    assert "count" not in netadmin.get(f"{where}connectors/").json()
    for wrong in ("total=2", "ordering=size", "format=xls", "colour=red"):
        assert_problem(netadmin.get(f"{where}connectors/?{wrong}"), 400)


def test_a_large_network_is_planned_while_one_waits_or_later(
    netadmin: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    settings.PLAN_PATIENCE = 0.3
    where = create_sample_network(netadmin)
    waiting = netadmin.post(f"{where}plan/")
    assert waiting.status_code == 202 and waiting.json()["state"] == "computing" and waiting["Location"]
    assert waiting.json()["progress"] and netadmin.get(waiting["Location"]).json()["state"] == "computing"


def run_planner(tenant: str, plan: int) -> None:
    """The outbox's handler, with a worker of its own."""

    def work() -> None:
        plans.process_plan(Tenant.objects.get(slug=tenant), plan)
        connection.close()

    threading.Thread(target=work).start()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_quick_enough_answers_at_once(
    netadmin: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(plans, "SYNCHRONOUS_LIMIT", 0)
    settings.OUTBOX_HANDLERS = {**settings.OUTBOX_HANDLERS, "plan": "tests.api.test_snapshot_comparison.run_planner"}
    where = create_sample_network(netadmin)
    created = netadmin.post(f"{where}plan/")
    assert created.status_code == 201, created.content
    assert created.json()["state"] == "ready" and created.json()["steps"]
    assert netadmin.get(created["Location"])["ETag"] == created["ETag"]
    create_object(netadmin, where, "assertions", {"name": "x", "from": "prod", "to": "site-b", "expect": "blocked"})
    problem = assert_problem(netadmin.post(f"{where}plan/"), 422)
    assert problem["problems"][0]["code"] == "assertion_failed"
    [failed] = netadmin.get("t/acme/plans/?state=failed").json()["results"]
    assert netadmin.get(f"t/acme/plans/{failed['id']}/").json()["problems"][0]["path"] == "assertions/x"
