"""What is too large for a request: a worker imports a document or files, or tries them; the answer is where to look."""

from __future__ import annotations

import logging
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from provisioning.core.translators.translation import SourceFile
from provisioning.core.values.resource import Problem, as_json, limit_problems
from provisioning.errors import ObjectNotFound, PreconditionFailed
from provisioning.models import DocumentImport, Draft
from provisioning.services import lease
from provisioning.services.drafts import document_import, editing, foreign_import
from provisioning.services.drafts.bulk import MAX_DIFFERENCES
from provisioning.services.drafts.lifecycle import draft_to_edit
from provisioning.services.drafts.overlay import BodyChange
from tenants import actor, outbox
from tenants.actor import acting
from tenants.errors import RequestRefused
from tenants.jobs import TenantJob

SYNCHRONOUS_LIMIT = 20_000
"""Objects that a request reads and checks itself: three to five seconds of a process."""
MAX_ATTEMPTS = 3
INTERNAL_ERROR = "Importing failed because of an error in Causeway. Try again; if it fails again, report it."
WORKERS_LOST = f"{MAX_ATTEMPTS} workers ended while they imported it. Send it in parts."

logger = logging.getLogger(__name__)


def is_large(document: Any) -> bool:
    """Return whether a worker should import the document: it has more than SYNCHRONOUS_LIMIT objects."""
    lists = document.values() if isinstance(document, Mapping) else ()
    return sum(len(objects) for objects in lists if isinstance(objects, list)) > SYNCHRONOUS_LIMIT


def start_import(draft: Draft, document: Any, *, dry_run: bool) -> DocumentImport:
    """Leave the document to a worker. Raises ValidationFailed where it is none, StateConflict for a closed draft."""
    document_import.check_document(document)
    return _start(draft, dry_run=dry_run, document=document)


def start_foreign_import(
    draft: Draft, key: str, files: Sequence[SourceFile], options: Mapping[str, Any], *, dry_run: bool
) -> DocumentImport:
    """Leave files of a format to a worker. Raises as ``start_import`` does."""
    foreign_import.check_files(foreign_import.get_format(key), files)
    sent = [{"name": file.name, "data": b64encode(file.data).decode()} for file in files]
    return _start(draft, dry_run=dry_run, document=sent, format=key, options=options)


def _start(draft: Draft, *, dry_run: bool, **sent: Any) -> DocumentImport:
    draft = draft_to_edit(draft, dry_run=dry_run)
    author = actor.current_actor()
    started = DocumentImport(
        draft=draft,
        draft_version=draft.version,
        **sent,
        dry_run=dry_run,
        author=author.email,
        acting_as=author.acting_as,
        rights=author.rights and sorted(author.rights),
    )
    started.save()
    outbox.enqueue("document", document_import=started.pk)
    return started


def get_import(uid: UUID) -> DocumentImport:
    """Return an import without its document; raise ObjectNotFound where there is none."""
    found = DocumentImport.objects.select_related("draft").defer("document").filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound("There is no such job; the results of jobs are kept for a day.")
    return found


class DocumentImportJob(TenantJob[DocumentImport, None]):
    """Import a large document, or try it.

    1. Claim: take it if it is computing and no worker's lease runs, by a conditional update that raises the lease
       number. One whose workers died MAX_ATTEMPTS times fails.
    2. Work: in one transaction read the draft, check the network after, write the edit unless it is a dry run, and
       write the result under this lease number; where another worker has it meanwhile, all of it is rolled back.
    3. Whatever was raised fails it: with its problems where the document is refused, else as an internal error.
    """

    def claim(self, pk: int) -> DocumentImport | None:
        return _claim(pk, timezone.now())

    def work(self, claim: DocumentImport) -> None:
        with lease.keep_renewed(self.in_scope, claim):
            self.in_scope(_carry_out, claim)

    def record(self, claim: DocumentImport, outcome: None) -> None:
        """Nothing: the result is written with the edit."""

    def record_failure(self, claim: DocumentImport, error: Exception) -> None:
        match error:
            case _TakenOver():
                return
            case RequestRefused():
                problems = list(error.problems) or [Problem(error.kind, "", error.detail)]
            case _:
                logger.error("import %s crashed", claim.uid, exc_info=error)
                problems = [Problem("internal", "", INTERNAL_ERROR)]
        _finish(claim, DocumentImport.State.FAILED, problems=as_json(limit_problems(problems)))


class _TakenOver(Exception):
    """Another worker has this import."""


def due_imports(now: datetime) -> list[int]:
    """Return imports that a worker should do: the wake-up was lost, or the worker died."""
    computing = DocumentImport.objects.filter(state=DocumentImport.State.COMPUTING).defer("document")
    return [
        each.pk
        for each in computing
        if (lease.has_lapsed(each, now) if each.lease_number else each.created_at < now - lease.WAKE_UP_TIMEOUT)
    ]


def _claim(pk: int, now: datetime) -> DocumentImport | None:
    computing = DocumentImport.objects.filter(pk=pk, state=DocumentImport.State.COMPUTING)
    started = computing.defer("document").first()
    if started is None or (started.lease_number and not lease.has_lapsed(started, now)):
        return None
    if started.lease_number >= MAX_ATTEMPTS:
        _finish(started, DocumentImport.State.FAILED, problems=as_json([Problem("worker_lost", "", WORKERS_LOST)]))
        return None
    if not computing.filter(lease_number=started.lease_number).update(**lease.next_lease(now)):
        return None
    return computing.select_related("draft").get()


def _carry_out(claim: DocumentImport) -> None:
    """Raises what ``import_document`` does, and PreconditionFailed where the draft was edited since."""
    with acting(claim.actor):
        draft = draft_to_edit(claim.draft, dry_run=claim.dry_run)
        if not claim.dry_run and draft.version != claim.draft_version:
            raise PreconditionFailed(f"The draft {draft.name}")
        changes, report = _read(claim, draft)
        differences = editing.apply_changes(draft, changes, "imported", dry_run=claim.dry_run, most=MAX_DIFFERENCES)
    counts = Counter(map(_action, changes))
    if not _finish(claim, DocumentImport.State.DONE, differences=differences, counts=counts, report=report):
        raise _TakenOver


def _read(claim: DocumentImport, draft: Draft) -> tuple[Sequence[BodyChange], dict[str, Any]]:
    """Return what the document or the files change, and what of the files could not be said."""
    if not claim.format:
        return document_import.changes_from_document(draft, claim.document, dry_run=claim.dry_run), {}
    files = [SourceFile(sent["name"], b64decode(sent["data"])) for sent in claim.document or ()]
    found = foreign_import.changes_from_files(draft, claim.format, files, claim.options, dry_run=claim.dry_run)
    return found.changes, foreign_import.report(found)


def _action(change: BodyChange) -> str:
    return "create" if change.before is None else "remove" if change.after is None else "change"


def _finish(claim: DocumentImport, state: str, **result: Any) -> bool:
    """Write the result and drop the document; return False where another worker has the import meanwhile."""
    mine = DocumentImport.objects.filter(
        pk=claim.pk, state=DocumentImport.State.COMPUTING, lease_number=claim.lease_number
    )
    return bool(mine.update(state=state, finished_at=timezone.now(), document=None, lease_until=None, **result))
