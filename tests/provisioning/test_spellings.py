"""Names in another spelling, and sets in another order, are the same objects wherever they come in."""

from __future__ import annotations

import unicodedata

import pytest

from provisioning.errors import ValidationFailed
from provisioning.models import Draft
from provisioning.selectors import listing
from provisioning.services.cloud_accounts import add_account
from provisioning.services.drafts import bulk, editing
from provisioning.services.drafts.lifecycle import create_draft
from provisioning.snapshots import document_export, queries
from tenants.scope import scope
from tests.people import People
from tests.provisioning.small_network import DOCUMENT, draft_with_document

pytestmark = pytest.mark.django_db

COMPOSED = "Zürich"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def add_group(draft: Draft, name: str) -> str:
    return editing.add_object(draft, "groups", {"name": name}).uid


def test_a_name_in_another_spelling_is_found_refused_twice_and_imported_as_itself(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document("first", DOCUMENT)
        uid = add_group(draft, DECOMPOSED)
        with pytest.raises(ValidationFailed) as caught:
            add_group(draft, COMPOSED.upper())
        assert caught.value.problems[0].code == "duplicate_name"
        snapshot = queries.snapshot_of_draft(draft)
        for spelling in (COMPOSED, DECOMPOSED, DECOMPOSED[:3], COMPOSED.lower()):
            assert [row.uid for row in listing.list_page(snapshot, "groups", search=spelling).rows] == [uid]
        document = document_export.export_document(snapshot, ids=False)
        for group in document["groups"]:
            group["name"] = unicodedata.normalize("NFD", group["name"])
        assert editing.import_document(draft, document) == []
        editing.add_object(draft, "prefix-lists", {"name": COMPOSED, "entries": []})
        table = f"name,prefix\n{DECOMPOSED},10.1.0.0/16\n".encode()
        assert bulk.import_table(draft, "prefix-lists", table)["created"] == 0


def test_sets_in_another_order_change_nothing_even_where_they_were_stored_unsorted(people: People) -> None:
    with scope(people.acme):
        draft = draft_with_document("first", DOCUMENT)
        prefixes = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
        stored = editing.add_object(draft, "segments", {"name": "wide", "prefixes": prefixes[::-1]})
        assert stored.body["prefixes"] == prefixes
        overlay = draft.overlays.get(item=stored.number)
        overlay.body = {**stored.body, "prefixes": prefixes[::-1]}
        overlay.save()
        version = Draft.objects.get(pk=draft.pk).version
        editing.replace_object(draft, "segments", stored.uid, {"name": "wide", "prefixes": prefixes})
        assert editing.import_document(draft, document_export.export_document(queries.snapshot_of_draft(draft))) == []
        assert Draft.objects.get(pk=draft.pk).version == version


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines", "a\u202eb"])
def test_names_of_drafts_and_accounts_obey_the_rules_of_names(people: People, name: str) -> None:
    with scope(people.acme):
        with pytest.raises(ValidationFailed) as caught:
            create_draft(name)
        assert [problem.path for problem in caught.value.problems] == ["name"]
        with pytest.raises(ValidationFailed) as caught:
            add_account(name=name, provider="aws", account_id="123456789012", regions=[], credentials={})
        assert [problem.path for problem in caught.value.problems] == ["name"]
