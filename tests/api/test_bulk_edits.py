"""Many objects changed or removed at once: one edit, one undo, all problems, rights and ETags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import create_draft, create_object
from tests.people import ApiClient, ApiFactory

SITES = tuple(f"site-{number}" for number in range(1, 61))


@pytest.fixture
def where(netadmin: ApiClient) -> str:
    """Return the address of a draft with 60 sites of the group prod."""
    where = create_draft(netadmin)
    create_object(netadmin, where, "exchanges", {"name": "eu", "location": "aws-eu-central-1"})
    for segment in ("corp", "guest"):
        create_object(netadmin, where, "segments", {"name": segment})
    for group in ("prod", "dev"):
        create_object(netadmin, where, "groups", {"name": group})
    create_object(netadmin, where, "billing-tags", {"name": "research"})
    edits = [{"action": "create", "kind": "connectors", "body": site(number)} for number in range(1, 61)]
    assert netadmin.post(f"{where}edits/", {"edits": edits}).status_code == 200
    return where


def site(number: int) -> dict[str, Any]:
    attachment = {"segment": "corp", "group": "prod", "prefixes": [f"10.{number}.0.0/16"]}
    return {"name": f"site-{number}", "kind": "lab-site", "exchange": "eu", "attachments": [attachment]}


def connectors(client: ApiClient, where: str, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"{where}connectors/?limit=200{query}").json()["results"]
    return rows


def id_of(client: ApiClient, where: str, kind: str, name: str) -> str:
    return str(client.get(f"{where}{kind}/?search={name}").json()["results"][0]["id"])


def edit(client: ApiClient, where: str, action: str, kind: str = "connectors", etag: str = "", **body: Any) -> Any:
    headers = {"If_Match": etag} if etag else {}
    return client.post(f"{where}{kind}/bulk/", {"action": action, **body}, **headers)


def test_all_that_match_are_changed_in_one_edit_that_undo_takes_back(netadmin: ApiClient, where: str) -> None:
    before, prod = connectors(netadmin, where), id_of(netadmin, where, "groups", "prod")
    changed = edit(netadmin, where, "set", matching={"filters": {"group": prod}}, field="groups", value=["dev"])
    assert changed.status_code == 200, changed.content
    assert changed.json()["count"] == 60 and len(changed.json()["differences"]) == 60
    dev = id_of(netadmin, where, "groups", "dev")
    assert [row["attachments"][0]["groups"] for row in connectors(netadmin, where)] == [[dev]] * 60
    assert netadmin.get(f"{where}edits/").json()["results"][0]["summary"] == "60 connectors changed: groups"
    assert edit(netadmin, where, "set", matching={}, field="groups", value=["dev"]).json()["count"] == 0
    assert netadmin.post(f"{where}undo/").status_code == 200
    assert connectors(netadmin, where) == before


def test_each_field_is_changed_as_it_is_declared(netadmin: ApiClient, where: str) -> None:
    ids = [row["id"] for row in connectors(netadmin, where)[:3]]
    tag = id_of(netadmin, where, "billing-tags", "research")
    for action, field, value, shown in (
        ("set", "enabled", False, lambda row: row["enabled"] is False),
        ("set", "size", "medium", lambda row: row["size"] == "medium"),
        ("add", "billing_tags", ["research"], lambda row: row["billing_tags"] == [tag]),
        ("discard", "billing_tags", ["research"], lambda row: row["billing_tags"] == []),
        ("discard", "groups", ["prod"], lambda row: row["attachments"][0]["groups"] == []),
    ):
        answer = edit(netadmin, where, action, ids=ids, field=field, value=value)
        assert answer.status_code == 200 and answer.json()["count"] == 3, (field, answer.content)
        assert [row["id"] for row in connectors(netadmin, where) if shown(row)][:3] == ids, field


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"action": "set", "field": "name", "value": "all"}, "field"),
        ({"action": "set", "field": "size", "value": "enormous"}, None),
        ({"action": "add", "field": "size", "value": "small"}, "action"),
        ({"action": "set", "field": "exchange", "value": "mars"}, "value"),
        ({"action": "set", "field": "exchange", "value": None}, "value"),
        ({"action": "add", "field": "billing_tags", "value": []}, "value"),
    ],
)
def test_what_cannot_be_set_is_refused_once_and_nothing_changes(
    netadmin: ApiClient, where: str, body: dict[str, Any], path: str | None
) -> None:
    before = connectors(netadmin, where)
    refused = netadmin.post(f"{where}connectors/bulk/", {"matching": {}, **body})
    problems = assert_problem(refused, 422)["problems"]
    if path:
        assert [problem["path"] for problem in problems] == [path], problems
    else:
        assert all(problem["path"].startswith("connectors/site-") for problem in problems) and len(problems) == 60
    assert connectors(netadmin, where) == before


def test_which_objects_has_to_be_said(netadmin: ApiClient, where: str) -> None:
    both: dict[str, Any] = {"ids": [connectors(netadmin, where)[0]["id"]], "matching": {}}
    choices: tuple[dict[str, Any], ...] = ({}, {"ids": []}, both)
    for which in choices:
        assert_problem(netadmin.post(f"{where}connectors/bulk/", {"action": "remove", **which}), 400)
    assert len(connectors(netadmin, where)) == 60


def test_what_is_in_use_is_not_removed_and_every_user_is_named(netadmin: ApiClient, where: str) -> None:
    ids = [id_of(netadmin, where, "groups", name) for name in ("prod", "dev")]
    problems = assert_problem(edit(netadmin, where, "remove", "groups", ids=ids), 422)["problems"]
    assert {problem["path"] for problem in problems} == {f"connectors/{name}" for name in SITES}
    assert problems[0]["message"].endswith("refers to prod, which is removed.")
    assert edit(netadmin, where, "remove", matching={"search": "site-1"}).json()["count"] == 11
    assert edit(netadmin, where, "remove", "groups", ids=ids[1:]).json()["count"] == 1


def test_a_late_edit_one_without_the_right_and_a_stranger_are_refused(
    netadmin: ApiClient, where: str, api: ApiFactory
) -> None:
    draft = netadmin.get(where)
    first = edit(netadmin, where, "set", etag=draft["ETag"], matching={}, field="enabled", value=False)
    assert first.status_code == 200
    late = edit(netadmin, where, "remove", etag=draft["ETag"], matching={})
    assert "changed" in assert_problem(late, 412)["detail"]
    assert_problem(edit(api("viewer"), where, "remove", matching={}), 403)
    assert_problem(edit(api("stranger"), where, "remove", matching={}), 404)
    assert_problem(edit(api("stranger"), where.replace("t/acme", "t/initech"), "remove", matching={}), 404)
    other = "00000000-0000-4000-8000-000000000000"
    problems = assert_problem(edit(netadmin, where, "remove", ids=[other]), 422)["problems"]
    assert [problem["path"] for problem in problems] == ["ids[0]"]
    assert len(connectors(netadmin, where)) == 60


def test_a_selection_is_exported_as_a_table_or_yaml(netadmin: ApiClient, where: str) -> None:
    rows = connectors(netadmin, where)
    ids = ",".join(row["id"] for row in rows[:2])
    table = netadmin.get(f"{where}connectors/?format=csv&ids={ids}").content.decode().splitlines()
    assert [line.split(",")[0] for line in table] == ["name", rows[0]["name"], rows[1]["name"]]
    answer = netadmin.get(f"{where}connectors/?format=yaml&ids={ids}")
    assert answer["Content-Disposition"] == 'attachment; filename="connectors.yaml"'
    text = answer.content.decode()
    assert text.startswith("connectors:") and text.count("- name: site-") == 2
    assert "groups:" in text and "- prod" in text
    assert_problem(netadmin.get(f"{where}connectors/?format=csv&ids=one"), 400)


def test_labels_are_added_and_taken_out_by_key_or_by_value(netadmin: ApiClient, where: str) -> None:
    def labels() -> list[dict[str, str]]:
        return [row["labels"] for row in connectors(netadmin, where)]

    assert (
        edit(netadmin, where, "add", matching={}, field="labels", value={"env": "prod", "tier": "web"}).json()["count"]
        == 60
    )
    edit(netadmin, where, "add", matching={"search": "site-7"}, field="labels", value={"env": "test"})
    edit(netadmin, where, "discard", matching={}, field="labels", value={"env": "prod"})
    assert labels().count({"tier": "web"}) == 59 and labels().count({"env": "test", "tier": "web"}) == 1
    edit(netadmin, where, "discard", matching={"filters": {"label": "env=test"}}, field="labels", value={"env": ""})
    assert labels() == [{"tier": "web"}] * 60
    refused = edit(netadmin, where, "add", matching={}, field="labels", value={"a b": "x"})
    assert refused.status_code == 422 and refused.json()["problems"][0]["code"] == "bad_label"
