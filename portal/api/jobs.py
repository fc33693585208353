"""What a worker does because it takes longer than a request may: for now the import of a large document."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.differences import DIFFERENCE
from portal.api.import_reports import REPORT
from portal.api.schema_fields import any_json, boolean, choice, list_of, number, object_schema, text, timestamp, uid
from provisioning.models import DocumentImport
from provisioning.services.drafts import large_documents
from provisioning.services.drafts.bulk import MAX_DIFFERENCES

JOB = object_schema(
    "Job",
    id=uid(),
    draft=text("id"),
    dry_run=boolean("true: it only tells what would change"),
    state=choice(DocumentImport.State.values, "computing: read it again later; failed: problems say why"),
    author=text(),
    created_at=timestamp(),
    finished_at=timestamp(allow_null=True),
    counts=object_schema(
        "JobCounts",
        create=number(required=False),
        change=number(required=False),
        remove=number(required=False),
    ),
    differences=list_of(DIFFERENCE, f"the first {MAX_DIFFERENCES}"),
    problems=list_of(any_json('{"code", "path", "message", "severity"}'), "why it failed"),
    report=REPORT,
)


def job_json(job: DocumentImport) -> dict[str, Any]:
    plain = ("dry_run", "state", "author", "created_at", "finished_at", "counts", "differences", "problems", "report")
    return {"id": str(job.uid), "draft": str(job.draft.uid), **{name: getattr(job, name) for name in plain}}


class JobDetailView(BaseApiView):
    """What a worker was asked to do by an answer 202, and what came of it; kept for a day."""

    @extend_schema(responses=JOB)
    def get(self, request: Request, job: UUID) -> Response:
        return Response(job_json(large_documents.get_import(job)))
