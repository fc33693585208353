"""Files of other systems, translated and added to a draft: one endpoint for every format of ``core.translators``."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import parsers
from portal.api.base_view import BaseApiView
from portal.api.differences import DIFFERENCE
from portal.api.import_reports import REPORT_FIELDS
from portal.api.intent_objects import boolean_parameter, get_matching_draft
from portal.api.jobs import JOB, job_json
from portal.api.schema import query_parameter
from portal.api.schema_fields import list_of, number, object_schema
from portal.api.validation import validate_body
from provisioning.core.translators import FORMATS
from provisioning.core.translators.translation import SourceFile
from provisioning.services.drafts import foreign_import, large_documents
from provisioning.services.drafts.bulk import MAX_DIFFERENCES

MAX_BODY_BYTES = max(source_format.max_bytes for source_format in FORMATS.values()) * 5 // 4
"""JSON escapes line ends and quotes."""
OPTION_HELP = {
    "segment": "the segment of what names none",
    "exchange": "the exchange that everything attaches to",
    "places": "place in the files → exchange",
    "columns": "field → column of the table",
}
FOREIGN_IMPORT_RESULT = object_schema(
    "ForeignImported",
    created=number(),
    changed=number(),
    unchanged=number(),
    differences=list_of(DIFFERENCE, f"the first {MAX_DIFFERENCES} of what is created or changed"),
    **REPORT_FIELDS,
)


class SourceFileSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=200, help_text="such as main.tf; places in the report begin with it")
    text = serializers.CharField(max_length=MAX_BODY_BYTES, trim_whitespace=False, allow_blank=True)


class ForeignImportSerializer(serializers.Serializer):
    files = SourceFileSerializer(many=True, allow_empty=False)
    options = serializers.DictField(
        required=False, help_text="; ".join(f"{name}: {help_text}" for name, help_text in OPTION_HELP.items())
    )


class ForeignImportView(BaseApiView):
    """Translates files of another system and adds what they say to the draft, as one edit."""

    parser_classes = [parsers.JsonParser, MultiPartParser]
    max_body_bytes = MAX_BODY_BYTES

    @extend_schema(
        parameters=[query_parameter("dry_run", "1: only tell what would change", enum=("0", "1"))],
        request={
            "application/json": ForeignImportSerializer,
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    "options": {"type": "string", "description": "as JSON"},
                },
            },
        },
        responses={200: FOREIGN_IMPORT_RESULT, 202: JOB},
        description="Objects are matched by name; what the files do not name stays. The answer says what changes, and "
        "what of the files could not be said. Formats: "
        + "; ".join(f"`{key}`: {each.help}" for key, each in FORMATS.items())
        + " A worker reads large files: 202 and a job, whose state is at Location.",
    )
    def post(self, request: Request, draft: UUID, source_format: str) -> Response:
        chosen = foreign_import.get_format(source_format)
        files, options = self._files(request)
        dry_run = boolean_parameter(request, "dry_run")
        draft_row = get_matching_draft(request, draft, lock=not dry_run)
        if foreign_import.is_large(chosen, files):
            job = large_documents.start_foreign_import(draft_row, chosen.key, files, options, dry_run=dry_run)
            return Response(job_json(job), 202, headers={"Location": self.tenant_path("jobs", job.uid)})
        return Response(foreign_import.import_files(draft_row, chosen.key, files, options, dry_run=dry_run))

    def _files(self, request: Request) -> tuple[list[SourceFile], dict[str, Any]]:
        if "file" not in request.FILES:
            body = validate_body(ForeignImportSerializer, self.json_body(request))
            files = [SourceFile(sent["name"], sent["text"].encode()) for sent in body["files"]]
            return files, body.get("options", {})
        try:
            options = json.loads(request.POST.get("options") or "{}")
        except (ValueError, RecursionError) as error:
            raise ParseError(f"“options” is not JSON: {error}.", "bad_json") from error
        if not isinstance(options, dict):
            raise ParseError("“options” is a JSON object.", "wrong_type")
        sent_files: Any = request.FILES.getlist("file")
        return [SourceFile(str(file.name)[:200], bytes(file.read())) for file in sent_files], options


def foreign_import_urls(prefix: str) -> list[URLPattern]:
    """Beside the import of tables, whose addresses have to come first."""
    return [path(f"{prefix}import/<slug:source_format>/", ForeignImportView.as_view())]
