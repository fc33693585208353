"""Connectors and prefix lists as CSV: every wrong cell is a problem, and imports are atomic."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import encode_multipart

from provisioning.core import intent as core
from tests.api.problem_assertions import assert_problem, get_problems
from tests.api.sample_network import (
    SECOND_SITE,
    create_draft,
    create_every_kind,
    create_object,
    create_sample_network,
    get_document,
    import_csv,
)
from tests.people import ApiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["connectors", "prefix-lists"])
def test_an_exported_table_imports_without_a_difference(netadmin: ApiClient, kind: str) -> None:
    where = create_every_kind(netadmin)
    create_object(netadmin, where, "prefix-lists", {"name": "+more", "entries": []})
    two = [
        {"segment": "corp", "group": None, "prefixes": ["10.80.0.0/16", "10.81.0.0/16"]},
        {"segment": "guest", "group": "prod", "prefixes": ["10.82.0.0/16"]},
    ]
    site = {**SECOND_SITE, "name": "=two", "description": 'A "quoted", text;\nof two lines', "attachments": two}
    create_object(netadmin, where, "connectors", site, billing_tags=["research"])
    exported = netadmin.get(f"{where}{kind}/?format=csv")
    assert exported["Content-Type"].startswith("text/csv")
    assert exported.content == netadmin.get(f"{where}{kind}/", accept="text/csv").content
    text = exported.content.decode()
    assert "'=two" in text if kind == "connectors" else "'+more" in text
    answer = import_csv(netadmin, where, exported.content, kind)
    assert answer.status_code == 200, answer.content
    assert answer.json()["unchanged"] and not answer.json()["differences"]
    again = create_draft(netadmin, "again")
    for referenced_kind in ("exchanges", "segments", "groups", "billing-tags"):
        for row in netadmin.get(f"{where}{referenced_kind}/").json()["results"]:
            create_object(
                netadmin,
                again,
                referenced_kind,
                {name: value for name, value in row.items() if name not in ("id", "key")},
            )
    created = import_csv(netadmin, again, exported.content, kind).json()
    assert created["created"] == len(created["differences"]) and created["unchanged"] == 0
    assert netadmin.get(f"{again}{kind}/?format=csv").content == exported.content
    for other in set(core.KINDS) - {kind}:
        assert netadmin.get(f"{where}{other}/?format=csv").status_code == 200


def test_an_import_accepts_semicolons_and_byte_order_marks(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    rows = "\ufeffName;Kind;Exchange;Segment;Group;Prefixes\r\n" + "\r\n".join(
        f"branch-{number};lab-site;eu;corp;prod;10.{number}.0.0/24, 10.{number}.1.0/24" for number in (50, 51)
    )
    answer = import_csv(netadmin, where, rows).json()
    assert (answer["rows"], answer["created"], answer["changed"]) == (2, 2, 0)
    wide = import_csv(netadmin, where, rows.replace(";", "\t").encode("utf-16")).json()
    assert wide["unchanged"] == 2
    changed = import_csv(netadmin, where, "name,size\nbranch-50,large\nbranch-51,\n").json()
    assert (changed["changed"], changed["unchanged"]) == (1, 1)
    body = encode_multipart("XX", {"file": _file("name,size\nbranch-50,medium\n")})
    form = import_csv(netadmin, where, body, media="multipart/form-data; boundary=XX")
    assert form.json()["changed"] == 1
    assert netadmin.post(f"{where}undo/").status_code == 200
    [branch] = netadmin.get(f"{where}connectors/?search=branch-50").json()["results"]
    assert branch["size"] == "large" and branch["attachments"][0]["prefixes"] == ["10.50.0.0/24", "10.50.1.0/24"]


def _file(text: str) -> SimpleUploadedFile:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("table.csv", text.encode(), "text/csv")


COLUMNS = "name,kind,exchange,segment,prefixes"


GOOD = f"{COLUMNS}\na,lab-site,eu,corp,10.50.0.0/16"


WRONG: dict[str, str | bytes] = {
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
def test_a_wrong_cell_is_reported_by_row_and_column_and_nothing_changes(netadmin: ApiClient, path: str) -> None:
    where = create_sample_network(netadmin)
    before, read = get_document(netadmin, where), netadmin.get(where).json()
    for query in ("", "?dry_run=1"):
        refusal = assert_problem(import_csv(netadmin, where, WRONG[path], query=query), 422)
        assert path in [problem["path"] for problem in refusal["problems"]], refusal
    assert (get_document(netadmin, where), netadmin.get(where).json()) == (before, read)


def test_a_thousand_rows_are_one_edit(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    rows = [f"branch-{n},lab-site,eu,corp,prod,10.{100 + n // 256}.{n % 256}.0/24" for n in range(1000)]
    answer = import_csv(netadmin, where, "\n".join(["name,kind,exchange,segment,group,prefixes", *rows])).json()
    assert answer["created"] == 1000
    page = netadmin.get(f"{where}connectors/?total=1&limit=1").json()
    assert page["count"] == 1002
    assert netadmin.post(f"{where}undo/").json()["edits"] == 7
    assert netadmin.get(f"{where}connectors/?total=1").json()["count"] == 2


def test_an_import_lists_its_first_changes_and_counts_all(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    answer = import_csv(
        netadmin, where, "name,prefix\n" + "".join(f"list-{n},10.0.{n}.0/24\n" for n in range(250)), "prefix-lists"
    )
    assert answer.json()["created"] == 250 and len(answer.json()["differences"]) == 200
    rows = "name,prefix\n" + "list-0,10.0.0.0/24\n" * 10_001
    refused = assert_problem(import_csv(netadmin, where, rows, "prefix-lists"), 422)
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
def test_a_cell_that_cannot_be_stored_is_a_problem(netadmin: ApiClient, cells: dict[str, str]) -> None:
    where = create_sample_network(netadmin)
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
    assert assert_problem(answer, 422)["problems"][0]["path"].startswith("rows[2].")


@pytest.mark.timeout(30)
def test_a_table_with_too_many_columns_is_one_problem(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    too_many = ",".join(f"c{n}" for n in range(60_000))
    [problem] = get_problems(import_csv(netadmin, where, f"name,{too_many}\n"))
    assert problem["path"] == "rows[1]" and "60,001 columns" in problem["message"]
    few = get_problems(import_csv(netadmin, where, "name,colour,shape\n"))
    assert [problem["path"] for problem in few] == ["rows[1].colour", "rows[1].shape"]
    assert "exchange" in few[0]["message"] and "exchange" not in few[1]["message"]
    [problem] = get_problems(import_csv(netadmin, where, f"name,{'x' * 100_000}\n"))
    assert problem["path"] == "rows[1]"


def test_groups_and_labels_of_connectors_and_attachments_stand_in_columns(netadmin: ApiClient) -> None:
    where = create_sample_network(netadmin)
    create_object(netadmin, where, "groups", {"name": "dmz", "selector": "zone=dmz"})
    create_object(netadmin, where, "groups", {"name": "audited"})
    rows = (
        "name,kind,exchange,segment,groups,attachments.labels,prefixes,labels\n"
        'branch,lab-site,eu,corp,prod|audited,,10.50.0.0/24,"env=prod, critical"\n'
        "branch,lab-site,eu,corp,,zone=dmz,10.50.1.0/24,\n"
    )
    assert import_csv(netadmin, where, rows).json()["created"] == 1
    [branch] = netadmin.get(f"{where}connectors/?search=branch").json()["results"]
    assert branch["labels"] == {"critical": "", "env": "prod"}
    assert [(len(each["groups"]), each["labels"]) for each in branch["attachments"]] == [(2, {}), (0, {"zone": "dmz"})]
    [dmz] = netadmin.get(f"{where}groups/?search=dmz").json()["results"]
    [member] = netadmin.get(f"{where}groups/{dmz['id']}/members/").json()["results"]
    assert (member["connector"]["name"], member["attachment"]) == ("branch", 1)
    exported = netadmin.get(f"{where}connectors/?format=csv").content
    assert import_csv(netadmin, where, exported).json()["unchanged"] == 3
    yaml = netadmin.get(f"{where}intent/", accept="application/yaml").content
    assert netadmin.send("PUT", f"{where}intent/", yaml, "application/yaml").status_code == 200
    assert netadmin.get(f"{where}intent/", accept="application/yaml").content == yaml


def test_a_source_round_trips_as_a_cell_of_its_own(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    source = {"url": "https://files.example/x", "format": "aws", "services": ["S3"], "provision_within": 5}
    body = {"name": "feed", "entries": [{"prefix": "198.51.100.0/24"}], "source": source}
    stored = create_object(netadmin, where, "prefix-lists", body).json()
    table = netadmin.get(f"{where}prefix-lists/?format=csv").content.decode()
    other = create_draft(netadmin, "other")
    assert import_csv(netadmin, other, table, "prefix-lists").json()["created"] == 1
    [copied] = netadmin.get(f"{other}prefix-lists/").json()["results"]
    assert copied["source"] == stored["source"] == {**source, "regions": [], "ipv6": True, "interval": 24}
    assert import_csv(netadmin, where, table, "prefix-lists").json()["unchanged"] == 1
