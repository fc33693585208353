"""Files of other systems through the API: tried, imported, refused, left to a worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import encode_multipart

from provisioning.core.translators import FORMATS
from provisioning.models import DocumentImport
from provisioning.services.drafts import foreign_import
from provisioning.services.drafts.large_documents import DocumentImportJob
from tenants.scope import scope
from tests.api.problem_assertions import assert_problem, get_problems
from tests.api.sample_network import create_draft, create_object, create_plan, get_document
from tests.people import ApiClient, ApiFactory, ApiResponse, People

pytestmark = pytest.mark.django_db
SOURCES = Path(__file__).parents[1] / "core/translators/sources"
ALKIRA = (SOURCES / "alkira.tf").read_text()


def send(client: ApiClient, where: str, key: str, text: str, query: str = "", **options: Any) -> ApiResponse:
    body = {"files": [{"name": "main.tf", "text": text}], "options": options}
    return client.post(f"{where}import/{key}/{query}", body)


def test_trying_files_tells_all_and_changes_nothing(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    tried = send(netadmin, where, "alkira-terraform", ALKIRA, "?dry_run=1")
    assert tried.status_code == 200, tried.content
    answer = tried.json()
    assert answer["created"] == len(answer["differences"]) > 10 and answer["changed"] == 0
    assert {note["kind"] for note in answer["notes"]} == {"left_out", "assumed", "needed"}
    assert not any(get_document(netadmin, where).values())
    assert netadmin.get(where).json()["edits"] == 0


def test_importing_again_changes_nothing_and_one_undo_takes_all_back(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    assert send(netadmin, where, "alkira-terraform", ALKIRA).json()["created"] > 10
    again = send(netadmin, where, "alkira-terraform", ALKIRA).json()
    assert (again["created"], again["changed"], again["differences"]) == (0, 0, [])
    assert netadmin.post(f"{where}undo/").status_code == 200
    assert not any(get_document(netadmin, where).values())


def test_what_the_files_do_not_name_stays_and_policies_come_after_those_of_the_draft(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    create_object(netadmin, where, "exchanges")
    create_object(netadmin, where, "segments", name="guest")
    rules = [{"name": "all", "action": "allow"}]
    own = {"name": "own", "position": 500, "segments": ["guest"], "from": ["any"], "to": ["any"], "rules": rules}
    create_object(netadmin, where, "policies", own)
    before = get_document(netadmin, where, "?ids=0")
    answer = send(netadmin, where, "alkira-terraform", ALKIRA, exchange="eu")
    assert answer.status_code == 200, answer.content
    after = get_document(netadmin, where, "?ids=0")
    assert {each["name"] for each in after["segments"]} == {"guest", "corp", "dmz"}
    imported = [policy for policy in after["policies"] if policy not in before["policies"]]
    assert [policy["name"] for policy in imported] == ["p", "p shop"]
    assert all(policy["position"] > 500 for policy in imported)
    assert {each["exchange"] for each in after["connectors"]} == {"eu"}


def test_an_account_that_nobody_added_is_told_and_the_draft_warns_of_it(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    text = ALKIRA.replace("123456789012", "210987654321")
    assert send(netadmin, where, "alkira-terraform", text.replace("2109", "21x9")).status_code == 422
    [note] = [
        note for note in send(netadmin, where, "alkira-terraform", text).json()["notes"] if "account" in note["says"]
    ]
    assert (note["kind"], note["says"]) == ("needed", "aws account 210987654321")
    warnings = create_plan(netadmin, where).json()["warnings"]
    assert "account_missing" in {warning["code"] for warning in warnings}


def test_files_of_a_form_are_read_like_those_of_json(netadmin: ApiClient) -> None:
    where = create_draft(netadmin)
    head, middle, tail = ALKIRA.partition('resource "alkira_policy" ')
    fields = {
        "file": [SimpleUploadedFile("a.tf", head.encode()), SimpleUploadedFile("b.tf", (middle + tail).encode())],
        "options": json.dumps({"places": {"XX": "us-east-1"}}),
    }
    body = encode_multipart("part", fields)
    answer = netadmin.send("POST", f"{where}import/alkira-terraform/", body, "multipart/form-data; boundary=part")
    assert answer.status_code == 200, answer.content
    assert {note["place"].partition(":")[0] for note in answer.json()["notes"]} >= {"a.tf", "b.tf"}


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ({"files": [{"name": "x.tf", "text": "resource {{"}]}, "unreadable", "x.tf:1"),
        ({"files": [{"name": "x.tf", "text": ""}]}, "nothing_to_import", "files"),
        ({"files": [{"name": "x.tf", "text": "x"}], "options": {"nope": "a"}}, "unknown_field", "options.nope"),
        ({"files": [{"name": "x.tf", "text": "x"}], "options": {"exchange": 5}}, "wrong_type", "options.exchange"),
        ({"files": [{"name": "x.tf", "text": "x"}], "options": {"places": {"a": 5}}}, "wrong_type", "options.places"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    netadmin: ApiClient, body: dict[str, Any], code: str, path: str
) -> None:
    where = create_draft(netadmin)
    [problem] = get_problems(netadmin.post(f"{where}import/alkira-terraform/", body))
    assert (problem["code"], problem["path"]) == (code, path)


def test_sizes_and_counts_are_bounded(netadmin: ApiClient) -> None:
    where, most = create_draft(netadmin), FORMATS["alkira-terraform"].max_bytes
    [problem] = get_problems(send(netadmin, where, "alkira-terraform", "#" * (most + 1)))
    assert problem["code"] == "too_large"
    many = {"files": [{"name": "a", "text": ""}] * (foreign_import.MAX_FILES + 1)}
    [problem] = get_problems(netadmin.post(f"{where}import/alkira-terraform/", many))
    assert problem["code"] == "too_many_files"
    assert_problem(netadmin.post(f"{where}import/nothing/", {"files": [{"name": "a", "text": ""}]}), 404)


def test_a_worker_reads_large_files_and_tells_what_could_not_be_said(netadmin: ApiClient, people: People) -> None:
    where = create_draft(netadmin)
    text = ALKIRA + "# padding\n" * 12_000
    accepted = send(netadmin, where, "alkira-terraform", text)
    assert accepted.status_code == 202
    with scope(people.acme):
        DocumentImportJob(people.acme).run(DocumentImport.objects.get().pk)
    job = netadmin.get(accepted["Location"].removeprefix("/api/v1/")).json()
    assert job["state"] == "done" and job["counts"]["create"] > 10
    assert job["report"]["notes"]
    assert get_document(netadmin, where)["connectors"]


def test_nobody_imports_into_a_draft_of_another_tenant(netadmin: ApiClient, api: ApiFactory) -> None:
    where = create_draft(netadmin)
    foreign = where.replace("t/acme/", "t/initech/")
    assert send(api("stranger"), foreign, "alkira-terraform", ALKIRA).status_code == 404
    assert send(api("stranger"), where, "alkira-terraform", ALKIRA).status_code == 404
    assert send(api("viewer"), where, "alkira-terraform", ALKIRA).status_code == 403
