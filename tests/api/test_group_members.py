"""Who is in a group and why, the groups of a connector, whom a selector selects; and the plan that moves them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_object, create_plan, create_sample_network
from tests.people import ApiClient


@pytest.fixture
def where(netadmin: ApiClient) -> str:
    """The sample network, where “labelled” selects site-b, and “both” contains it and prod, which site-a names."""
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "groups", {"name": "labelled", "selector": "env=prod, !legacy"})
    create_object(netadmin, where, "groups", {"name": "both", "contains": ["prod", "labelled"]})
    netadmin.patch(f"{where}connectors/{uid(netadmin, where, 'connectors', 'site-b')}/", {"labels": {"env": "prod"}})
    return where


def uid(client: ApiClient, where: str, kind: str, name: str) -> str:
    rows = client.get(f"{where}{kind}/?limit=100").json()["results"]
    return str(next(row["id"] for row in rows if row["name"] == name))


def reasons(row: dict[str, Any]) -> list[str]:
    return [reason["labels"] or (reason["group"] or {"name": "by name"})["name"] for reason in row["reasons"]]


def test_members_say_how_they_are_in_a_group(netadmin: ApiClient, where: str) -> None:
    rows = netadmin.get(f"{where}groups/{uid(netadmin, where, 'groups', 'both')}/members/").json()["results"]
    told = [(row["connector"]["name"], row["segment"]["name"], reasons(row)) for row in rows]
    assert told == [("site-a", "corp", ["prod"]), ("site-b", "corp", ["labelled"])]
    [row] = netadmin.get(f"{where}groups/{uid(netadmin, where, 'groups', 'labelled')}/members/").json()["results"]
    assert reasons(row) == ["env=prod, !legacy"]


def test_a_connector_says_its_groups(netadmin: ApiClient, where: str) -> None:
    rows = netadmin.get(f"{where}connectors/{uid(netadmin, where, 'connectors', 'site-a')}/groups/").json()["results"]
    assert [(row["group"]["name"], reasons(row)) for row in rows] == [("both", ["prod"]), ("prod", ["by name"])]


def test_a_selector_says_whom_it_would_select(netadmin: ApiClient, where: str) -> None:
    def selected(selector: str) -> Any:
        return netadmin.get(f"{where}groups/selected/?{urlencode({'selector': selector})}")

    assert selected("env in (prod, test)").json() == {"count": 1, "connectors": ["site-b"]}
    assert selected("tier").json() == {"count": 0, "connectors": []}
    problem = assert_problem(selected("env in ("), 400)
    assert problem["problems"][0]["code"] == "bad_selector"


def test_a_group_that_is_not_there_has_no_members(netadmin: ApiClient, where: str) -> None:
    nobody = uid(netadmin, where, "connectors", "site-a")
    assert_problem(netadmin.get(f"{where}groups/{nobody}/members/"), 404)
    assert_problem(netadmin.get(f"t/acme/live/groups/{nobody}/members/"), 404)


def test_the_list_finds_members_by_label_and_through_groups(netadmin: ApiClient, where: str) -> None:
    def names(**filters: str) -> list[str]:
        rows = netadmin.get(f"{where}connectors/?{urlencode(filters)}").json()["results"]
        return [row["name"] for row in rows]

    labelled, both = (uid(netadmin, where, "groups", name) for name in ("labelled", "both"))
    assert names(group=labelled) == ["site-b"]
    assert names(group=both) == ["site-a", "site-b"]
    assert names(group=both, label="env=prod") == ["site-b"]
    assert names(label="env") == ["site-b"]
    assert names(label="env=test") == []
    assert names(group=both, search="a") == ["site-a"]
    counted = netadmin.get(f"{where}connectors/?group={both}&total=1").json()
    assert counted["count"] == 2


def test_a_plan_says_who_joins_because_of_what(netadmin: ApiClient, where: str) -> None:
    plan = create_plan(netadmin, where).json()
    joins = {"attachment": "site-b in corp", "group": "labelled", "joins": True, "because": "env=prod, !legacy"}
    assert joins in plan["memberships"]
    assert "  + site-b in corp joins labelled because env=prod, !legacy\n" in plan["text"]
