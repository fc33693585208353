"""The whole network as one document, tables, many edits at once: nothing is lost, nothing happens by half."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml
from django.test.client import encode_multipart

from portal.api.kinds import SHAPES
from provisioning.core import intent as core
from provisioning.selectors import document as documents
from tests.api.network import BODIES, EXIT, GUESTS, LOBBY, SECOND_SITE, add, draft, draw
from tests.api.problems import is_problem

NOBODY = "11111111-1111-4111-8111-111111111111"
pytestmark = pytest.mark.django_db


def draw_everything(api, name="work"):
    """A draft with an object of every kind; returns its address."""
    where = draw(api, name)
    add(api, where, "segments", GUESTS)
    add(api, where, "connectors", LOBBY)
    add(api, where, "connectors", EXIT)
    for kind in (
        "prefix-lists",
        "billing-tags",
        "shares",
        "nat-rules",
        "route-policies",
        "internet-apps",
        "assertions",
    ):
        add(api, where, kind)
    [policy] = api.get(f"{where}policies/").json()["results"]
    rules = [{**policy["rules"][0], "source": ["offices"], "name": "offices"}]
    told = {"rules": rules, "to": ["shop", "any"], "description": "=1+1"}
    assert api.patch(f"{where}policies/{policy['id']}/", told).status_code == 200
    return where


def document_of(api, where, query=""):
    return api.get(f"{where}intent/{query}").json()


@pytest.mark.parametrize("media", ["application/json", "application/yaml"])
def test_every_kind_goes_to_another_tenant_and_back_without_a_difference(netadmin, api, media):
    where = draw_everything(netadmin)
    for query in ("", "?ids=0"):
        answer = netadmin.get(f"{where}intent/{query}", accept=media)
        other = api("stranger")
        made = other.post("t/initech/drafts/", {"name": f"copy{query}"}).json()["id"]
        there = f"t/initech/drafts/{made}/"
        put = other.send("PUT", f"{there}intent/", answer.content, media)
        assert put.status_code == 200, put.content
        assert document_of(other, there, "?ids=0") == document_of(netadmin, where, "?ids=0")
    edits = netadmin.get(where).json()["edits"]
    assert netadmin.send("PUT", f"{where}intent/", answer.content, media).status_code == 200
    assert netadmin.get(where).json()["edits"] == edits
    assert all(document_of(netadmin, where).values())


def test_references_are_names_and_the_name_comes_first(netadmin):
    where = draw_everything(netadmin)
    told = document_of(netadmin, where, "?ids=0")
    assert list(told) == list(core.KINDS)
    [policy] = told["policies"]
    assert policy["segments"] == ["corp"] and policy["to"] == ["shop", "any"]
    assert policy["rules"][0]["source"] == ["offices"] and policy["rules"][0]["services"] == ["fw"]
    assert all(next(iter(row)) == "name" for rows in told.values() for row in rows)
    assert told["shares"][0]["b"]["segment"] == "guest"
    text = netadmin.get(f"{where}intent/", accept="application/yaml").content
    assert yaml.safe_load(text) == document_of(netadmin, where)


def test_a_name_that_could_mean_two_things_stays_an_id(netadmin):
    where = draw(netadmin)
    group = add(netadmin, where, "groups", {"name": "site-a"}).json()["id"]
    body = {**BODIES["policies"], "name": "another", "position": 20, "from": [group]}
    add(netadmin, where, "policies", body)
    told = document_of(netadmin, where)
    assert [row["from"] for row in told["policies"] if row["name"] == "another"] == [[group]]
    assert netadmin.put(f"{where}intent/", told).json() == told


@pytest.mark.parametrize("kind", core.KINDS)
def test_fields_are_in_the_order_of_the_schema(kind):
    def told(value):
        return {name: told(one) for name, one in value.items()} if isinstance(value, dict) else None

    def promised(shape):
        inner = getattr(shape, "child", shape)
        if not hasattr(inner, "fields"):
            return None
        # A circuit's bgp has no type of its own.
        return {name: promised(one) if name != "bgp" else None for name, one in inner.fields.items()}

    def turned(order):
        return {name: turned(order[name]) for name in sorted(order, reverse=True)} if order else order

    order = {name: inner for name, inner in promised(SHAPES[kind]).items() if name not in ("id", "key")}
    assert json.dumps(told(documents.arranged(kind, turned(order)))) == json.dumps(order)


def test_a_dry_run_tells_what_would_change_and_changes_nothing(netadmin):
    where = draw(netadmin)
    before, read = document_of(netadmin, where), netadmin.get(where).json()
    told = json.loads(json.dumps(before))
    told["connectors"][0]["size"] = "large"
    told["groups"].append({"name": "new"})
    told["assertions"] = []
    [policy] = told["policies"]
    policy["rules"][0]["ports"] = ["8443"]
    found = netadmin.put(f"{where}intent/?dry_run=1", told).json()["differences"]
    changed = {(one["kind"], one["action"]): one for one in found}
    assert set(changed) == {("groups", "create"), ("connectors", "change"), ("policies", "change")}
    [field] = changed["connectors", "change"]["fields"]
    assert field == {"path": "size", "before": "small", "after": "large"}
    assert changed["policies", "change"]["fields"][0]["path"] == "rules[web].ports"
    assert (document_of(netadmin, where), netadmin.get(where).json()) == (before, read)
    told["connectors"][1]["attachments"][0]["prefixes"] = ["10.1.0.0/16"]
    is_problem(netadmin.put(f"{where}intent/?dry_run=1", told), 422)
    is_problem(netadmin.put(f"{where}intent/?dry_run=maybe", told), 400)


def table(api, where, data, kind="connectors", query="", media="text/csv"):
    return api.send("POST", f"{where}import/{kind}/{query}", data if isinstance(data, bytes) else data.encode(), media)


@pytest.mark.parametrize("kind", ["connectors", "prefix-lists"])
def test_a_table_that_was_exported_is_read_back_without_a_difference(netadmin, kind):
    where = draw_everything(netadmin)
    add(netadmin, where, "prefix-lists", {"name": "+more", "entries": []})
    two = [
        {"segment": "corp", "group": None, "prefixes": ["10.80.0.0/16", "10.81.0.0/16"]},
        {"segment": "guest", "group": "prod", "prefixes": ["10.82.0.0/16"]},
    ]
    site = {**SECOND_SITE, "name": "=two", "description": 'A "quoted", text;\nof two lines', "attachments": two}
    add(netadmin, where, "connectors", site, billing_tags=["research"])
    exported = netadmin.get(f"{where}{kind}/?format=csv")
    assert exported["Content-Type"].startswith("text/csv")
    assert exported.content == netadmin.get(f"{where}{kind}/", accept="text/csv").content
    text = exported.content.decode()
    assert "'=two" in text if kind == "connectors" else "'+more" in text
    answer = table(netadmin, where, exported.content, kind)
    assert answer.status_code == 200, answer.content
    assert answer.json()["unchanged"] and not answer.json()["differences"]
    again = draft(netadmin, "again")
    for one in ("exchanges", "segments", "groups", "billing-tags"):
        for row in netadmin.get(f"{where}{one}/").json()["results"]:
            add(netadmin, again, one, {name: value for name, value in row.items() if name not in ("id", "key")})
    made = table(netadmin, again, exported.content, kind).json()
    assert made["created"] == len(made["differences"]) and made["unchanged"] == 0
    assert netadmin.get(f"{again}{kind}/?format=csv").content == exported.content
    for other in set(core.KINDS) - {kind}:
        assert netadmin.get(f"{where}{other}/?format=csv").status_code == 200


def test_spreadsheets_write_semicolons_and_byte_order_marks(netadmin):
    where = draw(netadmin)
    rows = "\ufeffName;Kind;Exchange;Segment;Group;Prefixes\r\n" + "\r\n".join(
        f"branch-{number};lab-site;eu;corp;prod;10.{number}.0.0/24, 10.{number}.1.0/24" for number in (50, 51)
    )
    told = table(netadmin, where, rows).json()
    assert (told["rows"], told["created"], told["changed"]) == (2, 2, 0)
    wide = table(netadmin, where, rows.replace(";", "\t").encode("utf-16")).json()
    assert wide["unchanged"] == 2
    changed = table(netadmin, where, "name,size\nbranch-50,large\nbranch-51,\n").json()
    assert (changed["changed"], changed["unchanged"]) == (1, 1)
    body = encode_multipart("XX", {"file": _file("name,size\nbranch-50,medium\n")})
    form = table(netadmin, where, body, media="multipart/form-data; boundary=XX")
    assert form.json()["changed"] == 1
    assert netadmin.post(f"{where}undo/").status_code == 200
    [branch] = netadmin.get(f"{where}connectors/?search=branch-50").json()["results"]
    assert branch["size"] == "large" and branch["attachments"][0]["prefixes"] == ["10.50.0.0/24", "10.50.1.0/24"]


def _file(text):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("table.csv", text.encode(), "text/csv")


COLUMNS = "name,kind,exchange,segment,prefixes"
GOOD = f"{COLUMNS}\na,lab-site,eu,corp,10.50.0.0/16"
WRONG = {
    "rows[3].exchange": f"{GOOD}\nb,lab-site,mars,corp,10.51.0.0/16\n",
    "rows[2].prefixes": f"{COLUMNS}\na,lab-site,eu,corp,10.1.2.3/16\n",
    "rows[3].prefixes": f"{GOOD}\nb,lab-site,eu,corp,10.1.0.0/16\n",
    "rows[3].segment": f"{GOOD}\na,,,moon,10.51.0.0/16\n",
    "rows[2].enabled": "name,enabled\nsite-a,perhaps\n",
    "rows[2].preference": "name,preference\nsite-a,1.5\n",
    "rows[3].size": "name,size\nsite-a,small\nsite-a,large\n",
    "rows[1].colour": "name,colour\nsite-a,red\n",
    "rows[2].settings.region": f"{COLUMNS},settings.region\na,lab-site,eu,corp,10.50.0.0/16,x\n",
    "rows[2]": 'name\n"open\n',
    "rows[1]": b"name\xff\n",
}


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_cell_is_told_by_row_and_column_and_nothing_is_changed(netadmin, path):
    where = draw(netadmin)
    before, read = document_of(netadmin, where), netadmin.get(where).json()
    for query in ("", "?dry_run=1"):
        told = is_problem(table(netadmin, where, WRONG[path], query=query), 422)
        assert path in [problem["path"] for problem in told["problems"]], told
    assert (document_of(netadmin, where), netadmin.get(where).json()) == (before, read)


def test_a_thousand_rows_are_one_edit(netadmin):
    where = draw(netadmin)
    rows = [f"branch-{n},lab-site,eu,corp,prod,10.{100 + n // 256}.{n % 256}.0/24" for n in range(1000)]
    told = table(netadmin, where, "\n".join(["name,kind,exchange,segment,group,prefixes", *rows])).json()
    assert told["created"] == 1000
    page = netadmin.get(f"{where}connectors/?total=1&limit=1").json()
    assert page["count"] == 1002
    assert netadmin.post(f"{where}undo/").json()["edits"] == 7
    assert netadmin.get(f"{where}connectors/?total=1").json()["count"] == 2


def test_many_edits_are_made_together_or_not_at_all(netadmin):
    where = draw(netadmin)
    [group] = netadmin.get(f"{where}groups/").json()["results"]
    site = netadmin.get(f"{where}connectors/?search=site-b").json()["results"][0]
    lab = {"segment": "lab", "group": "labs", "prefixes": ["192.168.0.0/24"]}
    edits = [
        {"action": "create", "kind": "segments", "body": {"name": "lab"}},
        {"action": "create", "kind": "groups", "body": {"name": "labs"}},
        {"action": "change", "kind": "connectors", "id": site["id"], "body": {"attachments": [lab]}},
    ]
    dry = netadmin.post(f"{where}edits/?dry_run=1", {"edits": edits}).json()
    assert [one["action"] for one in dry["differences"]] == ["create", "create", "change"]
    before = netadmin.get(where).json()["edits"]
    assert netadmin.post(f"{where}edits/", {"edits": edits}).status_code == 200
    assert netadmin.get(where).json()["edits"] == before + 1
    listed = netadmin.get(f"{where}edits/").json()["results"]
    assert listed[0]["summary"] == "Make 3 changes" and listed[0]["in_force"]
    full = document_of(netadmin, where)
    told = is_problem(
        netadmin.post(f"{where}edits/", {"edits": [{"action": "remove", "kind": "groups", "id": group["id"]}]}), 422
    )
    assert {problem["code"] for problem in told["problems"]} == {"in_use"}
    bad = [*edits[:1], {"action": "create", "kind": "segments", "body": {"name": "x", "prefixes": ["no"]}}]
    told = is_problem(netadmin.post(f"{where}edits/", {"edits": bad}), 422)
    assert told["problems"][0]["path"] == "edits[1].prefixes[0]"
    assert document_of(netadmin, where) == full


def test_each_of_many_edits_sees_what_those_before_it_left(netadmin):
    where = draw(netadmin)
    [prod] = netadmin.get(f"{where}groups/").json()["results"]
    site = {**SECOND_SITE, "name": "late"}
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
    told = netadmin.post(f"{where}edits/", {"edits": edits}).json()["differences"]
    made = {one["name"]: one for one in told}
    assert made["late"]["after"]["attachments"][0]["group"] == made["prod"]["id"] != prod["id"]
    gone = [
        {"action": "remove", "kind": "groups", "id": made["passing"]["id"]},
        {"action": "change", "kind": "connectors", "id": made["late"]["id"], "body": {"attachments": []}},
        {"action": "create", "kind": "connectors", "body": {**site, "name": "no", "exchange": "passing"}},
        {
            "action": "create",
            "kind": "connectors",
            "body": {**site, "name": "later", "attachments": [{**attachment, "group": "passing"}]},
        },
    ]
    refused = is_problem(netadmin.post(f"{where}edits/", {"edits": gone}), 422)["problems"]
    assert [one["path"] for one in refused] == [
        "edits[1].attachments",
        "edits[2].exchange",
        "edits[3].attachments[0].group",
    ]


def test_a_table_tells_the_first_of_what_it_changes_and_counts_all(netadmin):
    where = draw(netadmin)
    told = table(
        netadmin, where, "name,prefix\n" + "".join(f"list-{n},10.0.{n}.0/24\n" for n in range(250)), "prefix-lists"
    )
    assert told.json()["created"] == 250 and len(told.json()["differences"]) == 200
    rows = "name,prefix\n" + "list-0,10.0.0.0/24\n" * 10_001
    refused = is_problem(table(netadmin, where, rows, "prefix-lists"), 422)
    assert refused["problems"][0]["code"] == "bad_table" and "more than 10,000 rows" in refused["detail"]


@pytest.mark.parametrize(
    "cells",
    [
        {"circuits": "[" * 100_000},
        {"settings.facility": "[" * 100_000},
        {"billing_tags": '["\\ud800"]'},
        {"settings.attachments": '["\\ud800"]'},
        {"settings.attachments": '["a\\u0000"]'},
    ],
)
def test_a_cell_that_cannot_be_stored_is_told_and_not_tried(netadmin, cells):
    where = draw(netadmin)
    row = {
        "name": "new",
        "kind": "interconnect",
        "exchange": "eu",
        "segment": "corp",
        "prefixes": "10.9.0.0/16",
        **cells,
    }
    out = io.StringIO()
    csv.writer(out).writerows([list(row), list(row.values())])
    answer = netadmin.send("POST", f"{where}import/connectors/", out.getvalue().encode(), content_type="text/csv")
    assert is_problem(answer, 422)["problems"][0]["path"].startswith("rows[2].")


def test_an_id_stands_for_one_object_and_a_name_that_moved_for_another(netadmin):
    where = draw(netadmin)
    network = netadmin.get(f"{where}intent/").json()
    [prod] = network["groups"]
    twice = [prod, {"name": "one", "id": NOBODY}, {"name": "two", "id": NOBODY}]
    told = is_problem(netadmin.put(f"{where}intent/", {**network, "groups": twice}), 422)
    assert [(one["code"], one["path"]) for one in told["problems"]] == [("duplicate", "groups[2].id")]
    moved = [{"name": "prod"}, {**prod, "name": "production"}]
    assert netadmin.put(f"{where}intent/", {**network, "groups": moved}).status_code == 200
    after = {one["name"]: one["id"] for one in netadmin.get(f"{where}groups/").json()["results"]}
    assert after["production"] == prod["id"] and after["prod"] != prod["id"]


def problems_of(answer, status=422):
    assert len(answer.content) < 200_000
    return is_problem(answer, status)["problems"]


@pytest.mark.timeout(30)
def test_a_table_with_too_many_columns_is_told_in_one_problem(netadmin):
    where = draw(netadmin)
    many = ",".join(f"c{n}" for n in range(60_000))
    [one] = problems_of(table(netadmin, where, f"name,{many}\n"))
    assert one["path"] == "rows[1]" and "60,001 columns" in one["message"]
    few = problems_of(table(netadmin, where, "name,colour,shape\n"))
    assert [one["path"] for one in few] == ["rows[1].colour", "rows[1].shape"]
    assert "exchange" in few[0]["message"] and "exchange" not in few[1]["message"]
    [one] = problems_of(table(netadmin, where, f"name,{'x' * 100_000}\n"))
    assert one["path"] == "rows[1]"


MANY = 150_001


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("media", "body", "code"),
    [
        ("application/yaml", b"segments: [" + b"a," * MANY + b"]", "too_many_objects"),
        ("application/json", json.dumps({"groups": [{"name": "z"}] * MANY}).encode(), "too_many_objects"),
        ("application/json", json.dumps(dict.fromkeys(map(str, range(MANY)))).encode(), "too_many_objects"),
        ("application/json", json.dumps({"groups": [{"name": "z"}] * 100_000}).encode(), "duplicate_name"),
        ("application/json", json.dumps(dict.fromkeys(map(str, range(100_000)))).encode(), "unknown_field"),
        ("application/json", json.dumps({"x" * 1_000_000: []}).encode(), "unknown_field"),
    ],
)
def test_a_document_that_is_too_much_is_told_in_a_short_answer(netadmin, media, body, code):
    where = draft(netadmin)
    told = problems_of(netadmin.send("PUT", f"{where}intent/", body, media))
    assert told[0]["code"] == code and len(told) <= 101


def test_the_rest_of_many_problems_is_counted(netadmin):
    where = draw(netadmin)
    told = problems_of(netadmin.put(f"{where}intent/", {"groups": [{}] * 250}))
    assert len(told) == 101 and told[-1]["code"] == "more_problems" and "150 more" in told[-1]["message"]
    rows = "".join(f"b-{n},mars\n" for n in range(250))
    told = problems_of(table(netadmin, where, f"name,exchange\n{rows}"))
    assert len(told) == 101 and told[-1]["code"] == "more_problems"


@pytest.mark.parametrize(
    ("told", "code", "path"),
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
def test_identity_that_cannot_be_taken_is_a_problem(netadmin, told, code, path):
    where = draft(netadmin)
    found = problems_of(netadmin.put(f"{where}intent/", {"groups": [{"name": "new", **told}]}))
    assert [(one["code"], one["path"]) for one in found] == [(code, path)]


def test_what_an_object_tells_of_itself_can_be_sent_in_a_document(netadmin):
    where = draw(netadmin)
    network = document_of(netadmin, where)
    network["groups"] = netadmin.get(f"{where}groups/").json()["results"]
    assert network["groups"][0]["key"] == "prod"
    assert netadmin.put(f"{where}intent/", network).status_code == 200


@pytest.mark.parametrize("name", ["no", "0x10", "12", "1.5"])
def test_a_name_that_yaml_reads_as_something_else_is_to_be_quoted(netadmin, name):
    where = draft(netadmin)
    [one] = problems_of(netadmin.send("PUT", f"{where}intent/", f"groups: [name: {name}]".encode(), "application/yaml"))
    assert one["path"] == "groups[0].name" and "quotes" in one["message"]
    text = f"groups: [name: '{name}']".encode()
    assert netadmin.send("PUT", f"{where}intent/", text, "application/yaml").status_code == 200


@pytest.mark.parametrize("media", ["application/json", "application/yaml"])
def test_a_number_without_end_is_told_in_our_words(netadmin, media):
    where = draft(netadmin)
    body = f'{{"policies": [{{"name": "x", "position": {"7" * 5000}}}]}}'.encode()
    told = is_problem(netadmin.send("PUT", f"{where}intent/", body, media), 400)
    assert "a number has 5,000" in told["detail"]
