"""Snapshots of a network compared: conflicts, differences, reachability and restored objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    OBJECT_BODIES,
    create_draft,
    create_object,
    create_sample_network,
    provision,
)
from tests.people import ApiClient, ApiResponse

pytestmark = pytest.mark.django_db


def get_object(client: ApiClient, where: str, kind: str, name: str) -> Any:
    [match] = [row for row in client.get(f"{where}{kind}/?search={name}").json()["results"] if row["name"] == name]
    return match


def test_conflicts_of_a_rebase_are_listed_and_decided(
    netadmin: ApiClient, finish: Callable[[ApiResponse], None]
) -> None:
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
    assert [(rule["name"], rule["ports"]) for rule in rules] == [("web", ["9443"]), ("rule-2", ["any"])]
    assert netadmin.post(f"{my_draft}undo/").json()["edits"] == 1
    assert netadmin.post(f"{my_draft}rebase/").status_code == 200


def test_a_draft_is_compared_with_its_base_and_one_object_is_restored(
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


def test_two_snapshots_are_compared_by_reachability(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
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


def test_problems_of_a_snapshot_are_listed(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    assert netadmin.get("t/acme/live/problems/").json()["results"] == []
    create_object(netadmin, where, "groups", {"name": "empty"})
    body = {**OBJECT_BODIES["policies"], "name": "to nobody", "position": 20, "to": ["empty"]}
    create_object(netadmin, where, "policies", body)
    results = netadmin.get(f"{where}problems/").json()["results"]
    assert any("to-nobody" in row["path"] and row["severity"] == "warning" for row in results), results
    assert netadmin.get(f"{where}problems/?severity=error").json()["results"] == []
    assert_problem(netadmin.get(f"{where}problems/?colour=red"), 400)


def test_lists_have_totals_orderings_and_filters(netadmin: ApiClient) -> None:
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
