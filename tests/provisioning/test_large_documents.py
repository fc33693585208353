"""Documents that are too large for a request: a worker imports or tries them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from provisioning.models import DocumentImport, Draft, Edit, Item, Overlay
from provisioning.services import lease
from provisioning.services.drafts import editing, large_documents, lifecycle
from provisioning.services.drafts.large_documents import DocumentImportJob
from tenants.actor import Actor, acting
from tenants.models import AuditEntry
from tenants.scope import scope
from tests.people import People

pytestmark = pytest.mark.django_db(databases=["default"])
DOCUMENT = {"groups": [{"name": f"group-{number}"} for number in range(300)]}


def start(document: Any = DOCUMENT, *, dry_run: bool = False) -> DocumentImport:
    with acting(Actor("netadmin@acme.test")):
        return large_documents.start_import(lifecycle.create_draft("work"), document, dry_run=dry_run)


def test_a_worker_imports_a_document_in_the_name_of_who_sent_it(people: People) -> None:
    with scope(people.acme):
        started = start()
        DocumentImportJob(people.acme).run(started.pk)
        done = large_documents.get_import(started.uid)
        assert (done.state, done.counts, done.problems) == ("done", {"create": 300}, [])
        assert 0 < len(done.differences) < 300 and done.finished_at
        assert Overlay.objects.filter(draft=started.draft).count() == 300
        assert Edit.objects.get(draft=started.draft).author == "netadmin@acme.test"
        assert AuditEntry.objects.filter(action="draft.edit", actor="netadmin@acme.test").count() == 300
        assert DocumentImport.objects.get(pk=started.pk).document is None


def test_a_worker_that_tries_a_document_changes_nothing(people: People) -> None:
    with scope(people.acme):
        started = start(dry_run=True)
        DocumentImportJob(people.acme).run(started.pk)
        assert large_documents.get_import(started.uid).counts == {"create": 300}
        assert not Item.objects.exists() and not Edit.objects.exists()
        assert Draft.objects.get(pk=started.draft_id).version == started.draft_version


def test_a_document_that_is_refused_fails_with_its_problems(people: People) -> None:
    with scope(people.acme):
        started = start({"groups": [{"name": "twice"}, {"name": "twice"}]})
        DocumentImportJob(people.acme).run(started.pk)
        failed = large_documents.get_import(started.uid)
        assert failed.state == "failed"
        [problem] = failed.problems
        assert (problem["code"], problem["path"]) == ("duplicate_name", "groups[1].name")


def test_of_thousands_of_problems_the_first_are_kept_and_the_others_counted(people: People) -> None:
    with scope(people.acme):
        started = start({"groups": [{"name": "same"}] * 300})
        DocumentImportJob(people.acme).run(started.pk)
        assert [problem["code"] for problem in large_documents.get_import(started.uid).problems[99:]] == [
            "duplicate_name",
            "more_problems",
        ]


def test_a_draft_that_was_edited_meanwhile_is_not_written_over(people: People) -> None:
    with scope(people.acme):
        started = start()
        editing.add_object(started.draft, "groups", {"name": "meanwhile"})
        DocumentImportJob(people.acme).run(started.pk)
        failed = large_documents.get_import(started.uid)
        assert failed.state == "failed" and failed.problems[0]["code"] == "changed"
        assert Item.objects.get().key == "meanwhile"


def test_an_import_whose_worker_died_is_done_by_another_and_only_once(people: People) -> None:
    with scope(people.acme):
        started, now = start(), timezone.now()
        assert large_documents.due_imports(now) == []
        assert large_documents.due_imports(now + 2 * lease.WAKE_UP_TIMEOUT) == [started.pk]
        dead = {"lease_owner": f"{lease.current_worker().rsplit('/', 2)[0]}/999999999/1", "lease_number": 1}
        DocumentImport.objects.filter(pk=started.pk).update(**dead, lease_until=now + lease.LEASE_DURATION)
        assert large_documents.due_imports(now) == [started.pk]
        for _ in range(2):
            DocumentImportJob(people.acme).run(started.pk)
        assert large_documents.get_import(started.uid).state == "done"
        assert Edit.objects.count() == 1


def test_an_import_whose_workers_all_died_fails(people: People) -> None:
    with scope(people.acme):
        started = start()
        lapsed = timezone.now() - lease.LEASE_DURATION
        DocumentImport.objects.filter(pk=started.pk).update(
            lease_number=large_documents.MAX_ATTEMPTS, lease_owner=lease.current_worker(), lease_until=lapsed
        )
        DocumentImportJob(people.acme).run(started.pk)
        assert large_documents.get_import(started.uid).problems[0]["code"] == "worker_lost"


def test_results_are_kept_for_a_day(people: People) -> None:
    with scope(people.acme):
        started = start()
        DocumentImportJob(people.acme).run(started.pk)
        for days, is_kept in ((0.5, True), (2, False)):
            finished = timezone.now() - days * lifecycle.IMPORT_RESULTS_KEPT_FOR
            DocumentImport.objects.filter(pk=started.pk).update(finished_at=finished)
            lifecycle.PurgeJob(people.acme).run()
            assert DocumentImport.objects.filter(pk=started.pk).exists() is is_kept
