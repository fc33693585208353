"""Revisions: comparison, restore, and drafts of older revisions merged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    create_draft,
    create_sample_network,
    provision,
)
from tests.people import ApiClient, ApiResponse

pytestmark = pytest.mark.django_db


def test_revisions_are_compared_and_restored(netadmin: ApiClient, finish: Callable[[ApiResponse], None]) -> None:
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


def test_two_drafts_merge_by_field_or_list_conflicts(
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
