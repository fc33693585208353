"""The network as one document and lists of edits: complete round trips and atomic changes."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.api.object_schemas import object_schema_of
from provisioning.core import intent as core
from provisioning.models import DocumentImport, Item
from provisioning.services.drafts import large_documents, overlay
from provisioning.snapshots import document_export as documents
from provisioning.snapshots import tenant_cache
from tests.api.problem_assertions import assert_problem, get_problems
from tests.api.sample_network import (
    OBJECT_BODIES,
    SECOND_SITE,
    create_draft,
    create_every_kind,
    create_object,
    create_sample_network,
    get_document,
    import_csv,
)
from tests.people import ApiClient, ApiFactory, People, TenantScope

NOBODY = "11111111-1111-4111-8111-111111111111"
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("media", ["application/json", "application/yaml"])
def test_every_kind_is_exported_to_another_tenant_without_a_difference(
    netadmin: ApiClient, api: ApiFactory, media: str
) -> None:
    where = create_every_kind(netadmin)
    for query in ("", "?ids=0"):
        answer = netadmin.get(f"{where}intent/{query}", accept=media)
        other = api("stranger")
        created = other.post("t/initech/drafts/", {"name": f"copy{query}"}).json()["id"]
        other_draft = f"t/initech/drafts/{created}/"
        put = other.send("PUT", f"{other_draft}intent/", answer.content, media)
        assert put.status_code == 200, put.content
        assert get_document(other, other_draft, "?ids=0") == get_document(netadmin, where, "?ids=0")
    edits = netadmin.get(where).json()["edits"]
    assert netadmin.send("PUT", f"{where}intent/", answer.content, media).status_code == 200
    assert netadmin.get(where).json()["edits"] == edits
    assert all(get_document(netadmin, where).values())


def test_documents_refer_by_name_and_put_the_name_first(netadmin: ApiClient) -> None:
    where = create_every_kind(netadmin)
    answer = get_document(netadmin, where, "?ids=0")
    assert list(answer) == list(core.KINDS)
    [policy] = answer["policies"]
    assert policy["segments"] == ["corp"] and policy["to"] == ["any", "shop"]
    assert policy["rules"][0]["source"] == ["offices"] and policy["rules"][0]["services"] == ["fw"]
    assert all(next(iter(row)) == "name" for rows in answer.values() for row in rows)
    assert answer["shares"][0]["b"]["segment"] == "guest"
    text = netadmin.get(f"{where}intent/", accept="application/yaml").content
    assert yaml.safe_load(text) == get_document(netadmin, where)


def test_an_ambiguous_reference_is_exported_with_its_kind(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    group = create_object(netadmin, where, "groups", {"name": "site-a"}).json()["id"]
    body = {**OBJECT_BODIES["policies"], "name": "another", "position": 20, "from": [group]}
    create_object(netadmin, where, "policies", body)
    answer = get_document(netadmin, where)
    assert [row["from"] for row in answer["policies"] if row["name"] == "another"] == [["groups/site-a"]]
    assert netadmin.put(f"{where}intent/", answer).json() == answer


@pytest.mark.parametrize("kind", core.KINDS)
def test_document_fields_are_in_the_order_of_the_schema(kind: str) -> None:
    def field_order(value: Any) -> Any:
        return {name: field_order(inner) for name, inner in value.items()} if isinstance(value, dict) else None

    def schema_order(shape: Any) -> Any:
        inner = getattr(shape, "child", shape)
        if not hasattr(inner, "fields"):
            return None
        # A circuit's bgp has no type of its own.
        return {name: schema_order(field) if name != "bgp" else None for name, field in inner.fields.items()}

    def reversed_order(order: Any) -> Any:
        return {name: reversed_order(order[name]) for name in sorted(order, reverse=True)} if order else order

    order = {name: inner for name, inner in schema_order(object_schema_of(kind)).items() if name not in ("id", "key")}
    assert json.dumps(field_order(documents.order_fields(kind, reversed_order(order)))) == json.dumps(order)


@pytest.mark.parametrize("how", ["intent", "edits", "import"])
def test_a_dry_run_writes_and_locks_nothing_and_keeps_no_network(
    netadmin: ApiClient, people: People, tenant_scope: TenantScope, how: str
) -> None:
    where = create_sample_network(netadmin)
    names = [f"list-{number}" for number in range(50)]
    document = {**get_document(netadmin, where), "prefix-lists": [{"name": name} for name in names]}
    edits = [{"action": "create", "kind": "prefix-lists", "body": {"name": name}} for name in names]
    table = "name,prefix\n" + "".join(f"{name},10.0.0.0/8\n" for name in names)
    kept = tenant_cache.stats()
    with CaptureQueriesContext(connection) as queries:
        if how == "intent":
            answer = netadmin.put(f"{where}intent/?dry_run=1", document)
        elif how == "edits":
            answer = netadmin.post(f"{where}edits/?dry_run=1", {"edits": edits})
        else:
            answer = netadmin.send("POST", f"{where}import/prefix-lists/?dry_run=1", table.encode(), "text/csv")
    assert answer.status_code == 200, answer.content
    assert [row["name"] for row in answer.json()["differences"] if row["action"] == "create"] == names
    writes = re.compile(r"FOR UPDATE|INSERT|UPDATE|DELETE|nextval")
    assert queries.captured_queries and not [query["sql"] for query in queries if writes.search(query["sql"])]
    assert tenant_cache.stats() == kept
    with tenant_scope(people.acme):
        before = Item.objects.latest("number").number
        [item] = overlay.create_items("groups", ["next"])
    # Numbers are in the names of interfaces and in VXLAN headers, and there are only so many.
    assert item.number == before + 1


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
def test_a_large_document_is_left_to_a_worker_and_its_result_is_a_job(
    netadmin: ApiClient, people: People, tenant_scope: TenantScope, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(large_documents, "SYNCHRONOUS_LIMIT", 10)
    where = create_sample_network(netadmin)
    document = {**get_document(netadmin, where), "prefix-lists": [{"name": f"list-{number}"} for number in range(20)]}
    asked = netadmin.put(f"{where}intent/{query}", document)
    assert asked.status_code == 202 and asked.json()["state"] == "computing"
    assert asked["Location"] == f"/api/v1/t/acme/jobs/{asked.json()['id']}/"
    assert not get_document(netadmin, where)["prefix-lists"]
    with tenant_scope(people.acme):
        pk = DocumentImport.objects.get().pk
    large_documents.DocumentImportJob(people.acme).run(pk)
    done = netadmin.get(asked["Location"]).json()
    assert (done["state"], done["counts"], len(done["differences"])) == ("done", {"create": 20}, 20)
    assert len(get_document(netadmin, where)["prefix-lists"]) == (0 if query else 20)
    assert_problem(netadmin.put(f"{where}intent/{query}", {"nothing": [{}] * 20}), 422)
    assert_problem(netadmin.put(f"{where}intent/", document, if_match='"old"'), 412)


def test_a_dry_run_lists_changes_and_changes_nothing(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    before, read = get_document(netadmin, where), netadmin.get(where).json()
    edited = json.loads(json.dumps(before))
    edited["connectors"][0]["size"] = "large"
    edited["groups"].append({"name": "new"})
    edited["assertions"] = []
    [policy] = edited["policies"]
    policy["rules"][0]["ports"] = ["8443"]
    results = netadmin.put(f"{where}intent/?dry_run=1", edited).json()["differences"]
    changed = {(row["kind"], row["action"]): row for row in results}
    assert set(changed) == {("groups", "create"), ("connectors", "change"), ("policies", "change")}
    [field] = changed["connectors", "change"]["fields"]
    assert field == {"path": "size", "before": "small", "after": "large"}
    assert changed["policies", "change"]["fields"][0]["path"] == "rules[web].ports"
    assert (get_document(netadmin, where), netadmin.get(where).json()) == (before, read)
    edited["connectors"][1]["attachments"][0]["prefixes"] = ["10.1.0.0/16"]
    assert_problem(netadmin.put(f"{where}intent/?dry_run=1", edited), 422)
    assert_problem(netadmin.put(f"{where}intent/?dry_run=maybe", edited), 400)


def test_a_list_of_edits_is_atomic(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    [group] = netadmin.get(f"{where}groups/").json()["results"]
    site = netadmin.get(f"{where}connectors/?search=site-b").json()["results"][0]
    lab = {"segment": "lab", "group": "labs", "prefixes": ["192.168.0.0/24"]}
    edits = [
        {"action": "create", "kind": "segments", "body": {"name": "lab"}},
        {"action": "create", "kind": "groups", "body": {"name": "labs"}},
        {"action": "change", "kind": "connectors", "id": site["id"], "body": {"attachments": [lab]}},
    ]
    dry = netadmin.post(f"{where}edits/?dry_run=1", {"edits": edits}).json()
    assert [difference["action"] for difference in dry["differences"]] == ["create", "create", "change"]
    before = netadmin.get(where).json()["edits"]
    assert netadmin.post(f"{where}edits/", {"edits": edits}).status_code == 200
    assert netadmin.get(where).json()["edits"] == before + 1
    listed = netadmin.get(f"{where}edits/").json()["results"]
    assert listed[0]["summary"] == "3 changes made" and listed[0]["in_force"]
    full = get_document(netadmin, where)
    refusal = assert_problem(
        netadmin.post(f"{where}edits/", {"edits": [{"action": "remove", "kind": "groups", "id": group["id"]}]}), 422
    )
    assert {problem["code"] for problem in refusal["problems"]} == {"in_use"}
    bad = [*edits[:1], {"action": "create", "kind": "segments", "body": {"name": "x", "prefixes": ["no"]}}]
    refusal = assert_problem(netadmin.post(f"{where}edits/", {"edits": bad}), 422)
    assert refusal["problems"][0]["path"] == "edits[1].prefixes[0]"
    assert get_document(netadmin, where) == full


def test_each_edit_of_a_list_sees_the_edits_before_it(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    [prod] = netadmin.get(f"{where}groups/").json()["results"]
    site: dict[str, Any] = {**SECOND_SITE, "name": "late"}
    [attachment] = site["attachments"]
    edits = [
        {"action": "change", "kind": "groups", "id": prod["id"], "body": {"name": "production"}},
        {"action": "create", "kind": "groups", "body": {"name": "prod"}},
        {"action": "create", "kind": "groups", "body": {"name": "passing"}},
        {
            "action": "create",
            "kind": "connectors",
            "body": {**site, "attachments": [{**attachment, "group": "prod", "prefixes": ["10.77.0.0/16"]}]},
        },
    ]
    answer = netadmin.post(f"{where}edits/", {"edits": edits}).json()["differences"]
    created = {difference["name"]: difference for difference in answer}
    assert created["late"]["after"]["attachments"][0]["groups"] == [created["prod"]["id"]] != [prod["id"]]
    removed = [
        {"action": "remove", "kind": "groups", "id": created["passing"]["id"]},
        {"action": "change", "kind": "connectors", "id": created["late"]["id"], "body": {"attachments": []}},
        {"action": "create", "kind": "connectors", "body": {**site, "name": "no", "exchange": "passing"}},
        {
            "action": "create",
            "kind": "connectors",
            "body": {**site, "name": "later", "attachments": [{**attachment, "group": "passing"}]},
        },
    ]
    refused = assert_problem(netadmin.post(f"{where}edits/", {"edits": removed}), 422)["problems"]
    assert [problem["path"] for problem in refused] == [
        "edits[1].attachments",
        "edits[2].exchange",
        "edits[3].attachments[0].groups[0]",
    ]


def test_an_id_identifies_one_object_even_if_its_name_moved_to_another(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    network = netadmin.get(f"{where}intent/").json()
    [prod] = network["groups"]
    twice = [prod, {"name": "one", "id": NOBODY}, {"name": "two", "id": NOBODY}]
    problem = assert_problem(netadmin.put(f"{where}intent/", {**network, "groups": twice}), 422)
    assert [(row["code"], row["path"]) for row in problem["problems"]] == [("duplicate", "groups[2].id")]
    moved = [{"name": "prod"}, {**prod, "name": "production"}]
    assert netadmin.put(f"{where}intent/", {**network, "groups": moved}).status_code == 200
    after = {row["name"]: row["id"] for row in netadmin.get(f"{where}groups/").json()["results"]}
    assert after["production"] == prod["id"] and after["prod"] != prod["id"]


MANY = 150_001


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("media", "body", "code"),
    [
        ("application/yaml", b"segments: [" + b"a," * MANY + b"]", "too_many_objects"),
        ("application/json", json.dumps({"groups": [{"name": "z"}] * MANY}).encode(), "too_many_objects"),
        ("application/json", json.dumps(dict.fromkeys(map(str, range(MANY)))).encode(), "too_many_objects"),
        ("application/json", json.dumps({"groups": [{"name": "z"}] * 20_000}).encode(), "duplicate_name"),
        ("application/json", json.dumps(dict.fromkeys(map(str, range(100_000)))).encode(), "unknown_field"),
        ("application/json", json.dumps({"x" * 1_000_000: []}).encode(), "unknown_field"),
    ],
)
def test_a_document_with_too_many_objects_or_problems_gets_a_short_response(
    netadmin: ApiClient, media: str, body: Any, code: str
) -> None:
    where = create_draft(netadmin)
    problems = get_problems(netadmin.send("PUT", f"{where}intent/", body, media))
    assert problems[0]["code"] == code and len(problems) <= 101


def test_problems_beyond_the_limit_are_counted(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    problems = get_problems(netadmin.put(f"{where}intent/", {"groups": [{}] * 250}))
    assert len(problems) == 101 and problems[-1]["code"] == "more_problems" and "150 more" in problems[-1]["message"]
    rows = "".join(f"b-{n},mars\n" for n in range(250))
    problems = get_problems(import_csv(netadmin, where, f"name,exchange\n{rows}"))
    assert len(problems) == 101 and problems[-1]["code"] == "more_problems"


@pytest.mark.parametrize(
    ("identity", "code", "path"),
    [
        ({"id": "not-a-uuid"}, "wrong_type", "groups[0].id"),
        ({"id": 7}, "wrong_type", "groups[0].id"),
        ({"id": ""}, "wrong_type", "groups[0].id"),
        ({"key": "mykey"}, "unknown_field", "groups[0].key"),
        ({"number": 70}, "unknown_field", "groups[0].number"),
        ({"name": False}, "wrong_type", "groups[0].name"),
        ({"name": 16}, "wrong_type", "groups[0].name"),
        ({"name": ""}, "required", "groups[0].name"),
    ],
)
def test_an_invalid_id_key_number_or_name_is_a_problem(
    netadmin: ApiClient, identity: dict[str, Any], code: str, path: str
) -> None:
    where = create_draft(netadmin)
    problems = get_problems(netadmin.put(f"{where}intent/", {"groups": [{"name": "new", **identity}]}))
    assert [(problem["code"], problem["path"]) for problem in problems] == [(code, path)]


def test_an_objects_response_can_be_sent_in_a_document(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    network = get_document(netadmin, where)
    network["groups"] = netadmin.get(f"{where}groups/").json()["results"]
    assert network["groups"][0]["key"] == "prod"
    assert netadmin.put(f"{where}intent/", network).status_code == 200


@pytest.mark.parametrize("name", ["true", "0x10", "12", "1.5"])
def test_an_unquoted_name_that_yaml_reads_as_another_type_is_refused(netadmin: ApiClient, name: str) -> None:
    where = create_draft(netadmin)
    [one] = get_problems(
        netadmin.send("PUT", f"{where}intent/", f"groups: [name: {name}]".encode(), "application/yaml")
    )
    assert one["path"] == "groups[0].name" and "quotes" in one["message"]
    text = f"groups: [name: '{name}']".encode()
    assert netadmin.send("PUT", f"{where}intent/", text, "application/yaml").status_code == 200


@pytest.mark.parametrize("media", ["application/json", "application/yaml"])
def test_a_number_with_too_many_digits_is_a_problem_document(netadmin: ApiClient, media: str) -> None:
    where = create_draft(netadmin)
    body = f'{{"policies": [{{"name": "x", "position": {"7" * 5000}}}]}}'.encode()
    problem = assert_problem(netadmin.send("PUT", f"{where}intent/", body, media), 400)
    assert "a number has 5,000" in problem["detail"]


def test_a_document_with_an_error_changes_nothing(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    before = netadmin.get(f"{where}intent/").json()
    broken = json.loads(json.dumps(before))
    broken["connectors"][1]["attachments"][0]["prefixes"] = ["10.1.0.0/16"]
    assert_problem(netadmin.put(f"{where}intent/", broken), 422)
    assert_problem(netadmin.put(f"{where}intent/", {"things": []}), 422)
    bomb = b"a: &a [x]\nb: &b [*a, *a]\n"
    problem = assert_problem(netadmin.send("PUT", f"{where}intent/", bomb, "application/yaml"), 400)
    assert problem["problems"][0]["code"] == "bad_yaml"
    assert_problem(netadmin.send("PUT", f"{where}intent/", b"a: [", "application/yaml"), 400)
    assert netadmin.get(f"{where}intent/").json() == before


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", b""),
        ("application/yaml", b""),
        ("application/json", b'{"groups": [], "groups": []}'),
        ("application/yaml", b"groups: []\ngroups: []"),
        ("application/yaml", b"a: " + b"[" * 200_000),
        ("application/yaml", b"policies: [{position: 0x" + b"f" * 9000 + b"}]"),
        ("application/yaml", b"groups: !!bool x"),
        ("application/yaml", b"groups: !!timestamp x"),
        ("application/yaml", b'groups: !!int ""'),
    ],
)
@pytest.mark.timeout(20)
def test_an_empty_duplicate_or_malicious_document_is_refused_and_deletes_nothing(
    netadmin: ApiClient, media: str, body: Any
) -> None:
    where = create_sample_network(netadmin)
    before = netadmin.get(f"{where}intent/").json()
    problem = assert_problem(netadmin.send("PUT", f"{where}intent/", body, media), 400)
    assert problem["problems"][0]["code"] in ("required", "bad_json", "bad_yaml")
    assert netadmin.get(f"{where}intent/").json() == before


def test_a_draft_is_created_with_its_first_edits_or_not_at_all(netadmin: ApiClient) -> None:
    edits = [
        {"action": "create", "kind": "segments", "body": {"name": "corp"}},
        {"action": "create", "kind": "groups", "body": {"name": "prod"}},
    ]
    wrong = [*edits, {"action": "create", "kind": "exchanges", "body": {"name": "eu", "location": "moon"}}]
    refusal = assert_problem(netadmin.post("t/acme/drafts/", {"name": "first", "edits": wrong}), 422)
    assert [problem["path"] for problem in refusal["problems"]] == ["exchanges/eu/location"]
    assert netadmin.get("t/acme/drafts/").json()["results"] == []
    draft = netadmin.post("t/acme/drafts/", {"name": "first", "edits": edits}).json()
    assert draft["edits"] == 1 and draft["can_undo"]
    names = netadmin.get(f"t/acme/drafts/{draft['id']}/groups/").json()["results"]
    assert [group["name"] for group in names] == ["prod"]


def test_a_document_of_24000_list_entries_is_taken_in_five_seconds(netadmin: ApiClient) -> None:
    """With descriptions, 1.3 MB: three lists, since one holds 10,000."""
    lists = [
        {
            "name": f"list-{number}",
            "entries": [
                {"prefix": f"{20 + number}.{row // 256}.{row % 256}.0/24", "description": f"row {row}"}
                for row in range(8_000)
            ],
        }
        for number in range(3)
    ]
    where = create_draft(netadmin)
    began = time.process_time()
    answer = netadmin.put(f"{where}intent/", {"prefix-lists": lists})
    assert (answer.status_code, time.process_time() - began < 5) == (200, True)
