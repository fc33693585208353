"""Objects of every kind in a draft: create, read, change, delete, refusals, lists and documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from rest_framework.serializers import ListField

from portal.api.object_schemas import object_schema_of, object_schemas
from provisioning.core import intent as core
from tests.api.problem_assertions import assert_problem
from tests.api.sample_network import (
    GUEST_SEGMENT,
    INTERNET_EXIT,
    LOBBY_SITE,
    OBJECT_BODIES,
    SECOND_SITE,
    body_of,
    create_draft,
    create_every_kind,
    create_object,
    create_sample_network,
)
from tests.people import ApiClient

pytestmark = pytest.mark.django_db


def document_of(api: ApiClient, where: str) -> Any:
    return api.get(f"{where}intent/").json()


@pytest.mark.parametrize("kind", core.KINDS)
def test_every_kind_is_created_read_changed_and_deleted(netadmin: ApiClient, kind: str) -> None:
    where = create_sample_network(netadmin)
    body = {**body_of(kind), "name": "another"}
    if core.kind_of(kind).position is not None:
        body["position"] = 20
    if kind == "connectors":
        body["attachments"] = [{"segment": "corp", "group": None, "prefixes": ["10.9.0.0/16"]}]
    if kind == "exchanges":
        body["location"] = "aws-us-east-1"
    if kind == "shares":
        create_object(netadmin, where, "segments", GUEST_SEGMENT)
        create_object(netadmin, where, "connectors", LOBBY_SITE)
    if kind == "internet-apps":
        create_object(netadmin, where, "connectors", INTERNET_EXIT)
    created = create_object(netadmin, where, kind, body)
    url = created["Location"]
    row = created.json()
    assert row["name"] == "another" and row["key"] == "another"
    assert url.endswith(f"/{kind}/{row['id']}/")
    read = netadmin.get(url)
    assert read.json() == row and read["ETag"] == created["ETag"]
    patched = netadmin.patch(url, {"description": "of the tests"})
    assert patched.status_code == 200, patched.content
    assert patched.json() == {**row, "description": "of the tests"}
    assert patched["ETag"] != created["ETag"]
    put = netadmin.put(url, row)
    assert put.json() == row and put["ETag"] == created["ETag"]
    assert row in netadmin.get(f"{where}{kind}/").json()["results"]
    assert netadmin.delete(url).status_code == 204
    assert_problem(netadmin.get(url), 404)


@pytest.mark.parametrize("kind", core.KINDS)
def test_the_schema_has_the_fields_that_the_core_reads(kind: str) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    clean = core.normalise_body(kind, body_of(kind), lambda kind, name: unknown)
    assert set(object_schema_of(kind).fields) == {"id", "key", *clean}
    for field, inner in object_schema_of(kind).fields.items():
        fields = getattr(getattr(inner, "child", None), "fields", None)
        if fields is not None and clean[field]:
            assert set(fields) == set(clean[field][0]), field


def lists_in(field: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int | None]]:
    """Yield (path, maximum length) of each list in a schema."""
    child = getattr(field, "child", None)
    if isinstance(field, ListField):
        yield path, field.max_length
        path = (*path[:-1], f"{path[-1]}[0]")
    for name, inner in getattr(child or field, "fields", {}).items():
        yield from lists_in(inner, (*path, name))


def body_with(path: tuple[str, ...], value: Any) -> Any:
    for step in reversed(path):
        value = {step.removesuffix("[0]"): [value] if step.endswith("[0]") else value}
    return value


@pytest.mark.parametrize(
    ("kind", "path", "most"),
    [(kind, *problem) for kind, inner in object_schemas().items() for problem in lists_in(inner)],
)
def test_the_schema_states_the_longest_allowed_list(kind: str, path: tuple[str, ...], most: int) -> None:
    def results_for(count: int) -> Any:
        with pytest.raises(core.InvalidIntent) as refused:
            core.normalise_body(kind, body_with(path, [None] * count), lambda kind, name: None)
        return {
            problem.code.startswith("too_many_") for problem in refused.value.problems if problem.path == ".".join(path)
        }

    assert True in results_for(most + 1)
    assert True not in results_for(most)


def test_a_list_over_its_limit_is_refused_in_objects_documents_and_tables(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    long = {**OBJECT_BODIES["policies"], "name": "long", "position": 20, "rules": [{"action": "deny"}] * 1_001}
    [problem] = assert_problem(netadmin.post(f"{where}policies/", long), 422)["problems"]
    assert problem["code"] == "too_many_rules" and problem["path"] == "rules"
    assert problem["message"].startswith("There are 1,001 rules here; 1,000 is the most. Split")
    document = document_of(netadmin, where)
    [again] = assert_problem(
        netadmin.put(f"{where}intent/", {**document, "policies": [*document["policies"], long]}), 422
    )["problems"]
    assert again == {**problem, "path": "policies/long/rules"}
    table = b"name,segment,prefixes\n" + b"site-a,corp,10.1.0.0/16\n" * 257
    [cell, *_] = assert_problem(netadmin.send("POST", f"{where}import/connectors/", table, "text/csv"), 422)["problems"]
    assert (cell["code"], cell["path"]) == ("too_many_attachments", "rows[2].segment")


@pytest.mark.parametrize("kind", core.KINDS)
def test_the_schemas_example_of_every_kind_is_valid(netadmin: ApiClient, kind: str) -> None:
    groups = ("prod", "dev")
    core.normalise_body(
        kind, core.kind_of(kind).example, lambda kind, name: name if (kind == "groups") == (name in groups) else None
    )
    path = f"/api/v1/t/{{slug}}/drafts/{{draft}}/{kind}/"
    answer = netadmin.get("schema/").json()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    assert [example["value"] for example in answer["examples"].values()] == [core.kind_of(kind).example]


def test_references_accept_names_and_return_ids(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    [segment] = netadmin.get(f"{where}segments/").json()["results"]
    [policy] = netadmin.get(f"{where}policies/").json()["results"]
    assert policy["segments"] == [segment["id"]]
    assert policy["to"] == ["any"]


def test_a_segments_stance_is_accepted_but_never_returned(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    [corp] = netadmin.get(f"{where}segments/").json()["results"]
    changed = netadmin.patch(f"{where}segments/{corp['id']}/", {"stance": "closed"}).json()
    assert changed["default_action"] == "deny" and "stance" not in changed
    opened = [{"action": "change", "kind": "segments", "id": corp["id"], "body": {"stance": "open"}}]
    assert netadmin.post(f"{where}edits/", {"edits": opened}).status_code == 200
    for words, default_action in (
        ({"stance": "closed"}, "deny"),
        ({"stance": None}, "allow"),
        ({"stance": "closed"}, "deny"),
    ):
        assert netadmin.patch(f"{where}segments/{corp['id']}/", words).json()["default_action"] == default_action
    both = {"stance": "open", "default_action": "deny"}
    problem = assert_problem(netadmin.patch(f"{where}segments/{corp['id']}/", both), 422)
    assert [(reason["path"], reason["code"]) for reason in problem["problems"]] == [("stance", "contradictory")]
    for question, names in (("stance=closed", ["corp"]), ("stance=open", []), ("default_action=deny", ["corp"])):
        assert [row["name"] for row in netadmin.get(f"{where}segments/?{question}").json()["results"]] == names


def test_if_match_guards_a_write(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    listed = netadmin.get(f"{where}groups/").json()["results"][0]
    url = f"{where}groups/{listed['id']}/"
    tag = netadmin.get(url)["ETag"]
    assert netadmin.get(url, if_none_match=tag).status_code == 304
    changed = netadmin.patch(url, {"name": "production"}, if_match=tag)
    assert changed.status_code == 200
    refused = assert_problem(netadmin.patch(url, {"name": "again"}, if_match=tag), 412)
    assert (
        refused["changed_by"] == "netadmin@demo.test"
        and refused["changed_at"]
        and refused["changed_by"] in refused["detail"]
    )
    assert_problem(netadmin.put(url, {"name": "again"}, if_match=tag), 412)
    assert_problem(netadmin.delete(url, if_match=tag), 412)
    assert netadmin.get(url).json()["name"] == "production"
    assert netadmin.get(url).json()["key"] == "prod"
    assert netadmin.patch(url, {"name": "again"}, if_match=changed["ETag"]).status_code == 200
    assert netadmin.patch(url, {"name": "once more"}, if_match="*").status_code == 200


def test_pages_link_to_the_next_and_the_previous_one(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    for number in range(7):
        create_object(netadmin, where, "groups", {"name": f"g{number}"})
    first = netadmin.get(f"{where}groups/?limit=3").json()
    second = netadmin.get(first["next"]).json()
    third = netadmin.get(second["next"]).json()
    names = [[row["name"] for row in page["results"]] for page in (first, second, third)]
    assert names == [["g0", "g1", "g2"], ["g3", "g4", "g5"], ["g6"]]
    assert first["previous"] is None and third["next"] is None
    assert netadmin.get(third["previous"]).json()["results"] == second["results"]
    down = netadmin.get(f"{where}groups/?ordering=-name&limit=1").json()
    assert down["results"][0]["name"] == "g6"
    assert [row["name"] for row in netadmin.get(f"{where}groups/?search=G4").json()["results"]] == ["g4"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=x", "ordering=color", "colour=red"])
def test_an_invalid_list_query_is_refused(netadmin: ApiClient, query: str) -> None:
    answer = netadmin.get(f"{create_draft(netadmin)}groups/?{query}")
    assert answer.status_code in (400, 422)
    assert answer.json()["problems"][0]["path"] == query.partition("=")[0]


def test_lists_are_filtered_by_fields(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    [segment] = netadmin.get(f"{where}segments/").json()["results"]
    results = netadmin.get(f"{where}policies/?segments={segment['id']}").json()["results"]
    assert [policy["name"] for policy in results] == ["prod-out"]
    assert netadmin.get(f"{where}connectors/?kind=aws-vpc").json()["results"] == []
    assert len(netadmin.get(f"{where}connectors/?kind=lab-site").json()["results"]) == 2


BAD: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "equal prefixes in one segment": (
        *("connectors", {**SECOND_SITE, "name": "twin", "attachments": OBJECT_BODIES["connectors"]["attachments"]}),
        *("attachments[0].prefixes[0]", "“10.1.0.0/16”|10.1.0.0/16"),
    ),
    "an unknown reference": ("connectors", {**SECOND_SITE, "name": "x", "exchange": "mars"}, "exchange", "mars"),
    "a prefix with host bits": ("segments", {"name": "x", "prefixes": ["10.1.2.3/16"]}, "prefixes[0]", "10.1.2.3/16"),
    "a port of 70000": (
        *("policies", {**OBJECT_BODIES["policies"], "name": "x", "position": 11}),
        *("rules[0].ports[0]", "70000"),
    ),
    "a policy for a group that is not there": (
        *("policies", {**OBJECT_BODIES["policies"], "name": "x", "position": 11, "from": ["nobody"]}),
        *("from[0]", "nobody"),
    ),
    "a field there is not": ("groups", {"name": "x", "colour": "red"}, "colour", "colour"),
    "no name": ("groups", {}, "name", "name"),
    "a position that is taken": ("policies", {**OBJECT_BODIES["policies"], "name": "x"}, "position", "10"),
}
BAD["a port of 70000"][1]["rules"] = [{"action": "allow", "protocol": "tcp", "ports": ["70000"]}]


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_its_path_and_changes_nothing(netadmin: ApiClient, case: str) -> None:
    kind, body, path, words = BAD[case]
    where = create_sample_network(netadmin)
    before, draft_before = document_of(netadmin, where), netadmin.get(where).json()
    answer = netadmin.post(f"{where}{kind}/", body)
    assert 400 <= answer.status_code < 500, answer.content
    problems = assert_problem(answer, answer.status_code)["problems"]
    assert any(problem["path"].endswith(path) for problem in problems), problems
    assert any(word in problem["message"] for problem in problems for word in words.split("|")), problems
    assert all(problem["code"] and problem["message"] for problem in problems)
    assert document_of(netadmin, where) == before
    assert netadmin.get(where).json() == draft_before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"name": "x"', 400, "bad_json"),
        (b"\xff\xfe", 400, "bad_json"),
        (b'{"name": NaN}', 400, "bad_json"),
        (b'{"name": 1e999}', 400, "bad_json"),
        (b'{"name": "a\\u0000b"}', 400, "bad_json"),
        (b'{"name": "\\ud800"}', 400, "bad_json"),
        (b"[" * 100_000, 400, "bad_json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400, "bad_json"),
        (b'["name"]', 400, "wrong_type"),
        (b'{"name": "' + b"x" * 5_000_000 + b'"}', 413, "too_large"),
    ],
)
def test_an_invalid_body_is_refused_and_changes_nothing(netadmin: ApiClient, body: Any, status: int, code: str) -> None:
    where = create_sample_network(netadmin)
    before = document_of(netadmin, where)
    problem = assert_problem(netadmin.send("POST", f"{where}groups/", body), status)
    assert problem["problems"][0]["code"] == code
    assert document_of(netadmin, where) == before


def test_another_content_type_is_415(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert_problem(netadmin.send("POST", f"{where}groups/", b"name=x", "application/x-www-form-urlencoded"), 415)


def test_an_object_in_use_cannot_be_deleted(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    [segment] = netadmin.get(f"{where}segments/").json()["results"]
    refusal = assert_problem(netadmin.delete(f"{where}segments/{segment['id']}/"), 409)
    assert {problem["code"] for problem in refusal["problems"]} == {"in_use"}
    assert any("site-a" in problem["message"] for problem in refusal["problems"])


def test_edits_are_undone_and_redone_in_order(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    for number in range(51):
        create_object(netadmin, where, "groups", {"name": f"g{number}"})
    full = document_of(netadmin, where)
    for left in range(50, -1, -1):
        undone = netadmin.post(f"{where}undo/").json()
        assert undone["edits"] == left and undone["can_redo"]
    assert document_of(netadmin, where)["groups"] == []
    assert_problem(netadmin.post(f"{where}undo/"), 409)
    for _ in range(51):
        assert netadmin.post(f"{where}redo/").status_code == 200
    assert document_of(netadmin, where) == full
    assert_problem(netadmin.post(f"{where}redo/"), 409)


def test_a_draft_is_read_listed_and_discarded(netadmin: ApiClient) -> None:
    where = create_draft(netadmin, "mine")
    read = netadmin.get(where)
    assert read.json()["base_revision"] == 0 and read.json()["author"] == "netadmin@demo.test"
    assert_problem(netadmin.post("t/acme/drafts/", {"name": "mine"}), 409)
    create_object(netadmin, where, "groups")
    assert_problem(netadmin.delete(where, if_match=read["ETag"]), 412)
    assert netadmin.delete(where, if_match=netadmin.get(where)["ETag"]).status_code == 204
    assert netadmin.get("t/acme/drafts/").json()["results"] == []
    assert len(netadmin.get("t/acme/drafts/?state=discarded").json()["results"]) == 1
    assert_problem(netadmin.post(f"{where}groups/", {"name": "late"}), 409)


@pytest.mark.parametrize("media", ["application/json", "application/yaml"])
def test_a_document_round_trip_loses_nothing(netadmin: ApiClient, media: str) -> None:
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "groups", {"name": "no", "description": "2026-01-01"})
    answer = netadmin.get(f"{where}intent/", accept=media)
    assert answer["Content-Type"].startswith(media)
    again = create_draft(netadmin, "again")
    put = netadmin.send("PUT", f"{again}intent/", answer.content, media)
    assert put.status_code == 200, put.content

    def exported_without_ids(where: str) -> Any:
        return without_ids(document_of(netadmin, where))

    assert exported_without_ids(again) == exported_without_ids(where)
    back = netadmin.send("PUT", f"{where}intent/", answer.content, media)
    assert back.json() == document_of(netadmin, where)
    assert netadmin.get(where).json()["edits"] == 8


def without_ids(document: Any) -> Any:
    names = {row["id"]: row["name"] for rows in document.values() for row in rows}
    text = json.dumps(document)
    for uid, name in names.items():
        text = text.replace(uid, name)
    return json.loads(text)


def test_a_name_that_two_kinds_share_is_ambiguous(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    group = create_object(netadmin, where, "groups", {"name": "site-a"}).json()
    body = {**OBJECT_BODIES["policies"], "name": "another", "position": 20, "from": ["site-a"]}
    problem = assert_problem(netadmin.post(f"{where}policies/", body), 422)
    assert [(p["code"], p["path"]) for p in problem["problems"]] == [("ambiguous_reference", "from[0]")]
    assert netadmin.post(f"{where}policies/", {**body, "from": [group["id"]]}).status_code == 201


def test_if_match_guards_the_document(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    read = netadmin.get(f"{where}intent/")
    create_object(netadmin, where, "groups", {"name": "late"})
    assert_problem(netadmin.put(f"{where}intent/", read.json(), if_match=read["ETag"]), 412)
    assert netadmin.put(f"{where}intent/", read.json()).status_code == 200


def test_a_missing_snapshot_is_404(netadmin: ApiClient) -> None:
    assert_problem(netadmin.get("t/acme/revisions/99/segments/"), 404)
    assert_problem(netadmin.get("t/acme/drafts/00000000-0000-0000-0000-000000000000/segments/"), 404)
    assert netadmin.get("t/acme/revisions/0/segments/").json()["results"] == []
    assert netadmin.get("t/acme/live/segments/").json()["results"] == []


def test_responses_have_the_shape_of_the_schema(netadmin: ApiClient) -> None:
    document = netadmin.get("schema/").json()
    where = create_every_kind(netadmin)
    for kind in core.KINDS:
        path = f"/api/v1/t/{{slug}}/drafts/{{draft}}/{kind}/"
        shape = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**shape, "components": document["components"]}
        jsonschema.validate(netadmin.get(f"{where}{kind}/").json(), schema)
    assert yaml.safe_load(netadmin.get("schema/", accept="application/vnd.oai.openapi").content)["openapi"]
