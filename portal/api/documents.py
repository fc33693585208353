"""The network as one document, tables and many edits at once: ways to change a draft in one step that undo takes back.

Each of them can be tried with ``?dry_run=1``: it is read, checked and told, and nothing is changed.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import etags, parsers
from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.differences import DIFFERENCE
from portal.api.intent_objects import (
    boolean_parameter,
    get_draft_by_uid,
    get_matching_draft,
    lock_draft_by_uid,
    requested_snapshot,
)
from portal.api.jobs import JOB, job_json
from portal.api.object_schemas import object_schemas
from portal.api.pagination import CursorPaginator
from portal.api.renderers import JsonRenderer, YamlRenderer
from portal.api.schema import copy_method, extend_list_schema, query_parameter
from portal.api.schema_fields import boolean, list_of, number, object_schema, text, timestamp
from portal.api.validation import validate_body
from provisioning.core import intent as core
from provisioning.core.formats import csv_tables
from provisioning.models import Edit
from provisioning.services.drafts import bulk, editing, large_documents
from provisioning.snapshots import document_export, queries

MAX_DOCUMENT_BYTES = 32_000_000
"""Bytes that a whole network or a table may have."""
DRY_RUN = query_parameter("dry_run", "1: only tell what would change", enum=("0", "1"))


def _document_schema(inner: Any) -> Any:
    """An object as a part of the document: its id may be sent, its key follows from its first name."""
    known = {name: field for name, field in inner.fields.items() if name not in ("id", "key")}
    return object_schema(f"{type(inner).__name__}InNetwork", id=serializers.UUIDField(required=False), **known)


DOCUMENT_FIELDS = {kind: list_of(_document_schema(inner), required=False) for kind, inner in object_schemas().items()}
DOCUMENT = object_schema("Network", **DOCUMENT_FIELDS)
NETWORK_OR_DIFFERENCES = object_schema(
    "NetworkOrDifferences",
    **DOCUMENT_FIELDS,
    differences=list_of(DIFFERENCE, "instead, with dry_run=1", required=False),
)


class NetworkDocumentView(BaseApiView):
    """The whole network, JSON or YAML by Accept, references by name. What was read can be sent back without loss, or
    to another tenant; with `ids=0` without the ids of this one."""

    renderer_classes = [JsonRenderer, YamlRenderer]
    parser_classes = [parsers.JsonParser, parsers.YamlParser]
    max_body_bytes = MAX_DOCUMENT_BYTES

    @extend_schema(
        parameters=[query_parameter("ids", "0: without ids", enum=("0", "1"))],
        responses={(200, "application/json"): DOCUMENT, (200, "application/yaml"): OpenApiTypes.STR},
    )
    def get(self, request: Request, **where: Any) -> Response:
        ids = boolean_parameter(request, "ids") if "ids" in request.query_params else True
        return Response(document_export.export_document(requested_snapshot(**where), ids=ids))


class DraftDocumentView(NetworkDocumentView):
    @extend_schema(
        parameters=[DRY_RUN],
        request={"application/json": DOCUMENT, "application/yaml": OpenApiTypes.STR},
        responses={
            (200, "application/json"): NETWORK_OR_DIFFERENCES,
            (200, "application/yaml"): OpenApiTypes.STR,
            (202, "application/json"): JOB,
        },
        description="Makes the draft's network this one, in one edit. Objects are matched by id, else by name; "
        "what is left out is removed. A worker does it for a document of more than "
        f"{large_documents.SYNCHRONOUS_LIMIT:,} objects: 202 and a job, whose state is at Location.",
    )
    def put(self, request: Request, draft: UUID) -> Response:
        # Read before the draft is locked; trying a document locks nothing.
        document, dry_run = self.json_body(request), boolean_parameter(request, "dry_run")
        draft_row = get_draft_by_uid(draft) if dry_run else lock_draft_by_uid(draft)
        if "If-Match" in request.headers:
            etags.check_if_match(
                request, etags.entity_tag(document_export.export_document(queries.snapshot_of_draft(draft_row)))
            )
        if large_documents.is_large(document):
            job = large_documents.start_import(draft_row, document, dry_run=dry_run)
            return Response(job_json(job), 202, headers={"Location": self.tenant_path("jobs", job.uid)})
        differences = editing.import_document(draft_row, document, dry_run=dry_run)
        if dry_run:
            return Response({"differences": differences})
        return response_with_etag(document_export.export_document(queries.draft_snapshot(draft)))


IMPORT_RESULT = object_schema(
    "Imported",
    rows=number("in the table, without its header"),
    created=number(),
    changed=number(),
    unchanged=number(),
    differences=list_of(DIFFERENCE, f"the first {bulk.MAX_DIFFERENCES} of what is created or changed"),
)


class CsvImportView(BaseApiView):
    """Makes and changes the objects of a CSV table, in one edit; objects are found by name, others stay as they are.

    A table has at most 10,000 rows. The first one names the columns; `?format=csv` of the list gives a table to start
    from. Several rows of one name are several attachments (or entries) of one object. 422 with each wrong cell by row
    and column, and nothing is changed. Send the table as it is (text/csv) or as the file of a form
    (multipart/form-data, `file`).
    """

    kind: ClassVar[str]
    parser_classes = [parsers.CsvParser, MultiPartParser]
    max_body_bytes = MAX_DOCUMENT_BYTES

    def post(self, request: Request, draft: UUID) -> Response:
        table, dry_run = self._table(request), boolean_parameter(request, "dry_run")
        draft_row = get_matching_draft(request, draft, lock=not dry_run)
        return Response(bulk.import_table(draft_row, self.kind, table, dry_run=dry_run))

    def _table(self, request: Request) -> bytes:
        if isinstance(request.data, bytes):
            return request.data
        if not self.raw_body:
            raise ParseError("The body is empty. Send the table, whose first row names the columns.", "required")
        file: Any = request.FILES.get("file")
        if file is None:
            raise ParseError("The form has no file. Send the table as its field “file”.", "required")
        return bytes(file.read())


class EditRequestSerializer(serializers.Serializer):
    action = serializers.ChoiceField(("create", "change", "remove"))
    kind = serializers.ChoiceField(list(core.KINDS))
    id = serializers.UUIDField(required=False, help_text="of what is changed or removed")
    body = serializers.DictField(required=False, help_text="the object, or the fields that change")


class EditBatchSerializer(serializers.Serializer):
    edits = serializers.ListField(child=EditRequestSerializer(), allow_empty=False, max_length=bulk.MAX_EDITS)


EDIT = object_schema(
    "Edit",
    number=number(),
    summary=text(),
    author=text(),
    at=timestamp(),
    in_force=boolean("false: undone, and can be made again"),
)


class EditListView(BaseApiView):
    """What was done in a draft, the newest first; and many edits at once."""

    paginator = CursorPaginator({"number": "number"}, ("summary", "author"), {"author": "author"}, default="-number")
    max_body_bytes = MAX_DOCUMENT_BYTES

    @extend_list_schema(EDIT, "Edit", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request, draft: UUID) -> Response:
        draft_row = get_draft_by_uid(draft)
        plain = ("number", "summary", "author", "at")
        rows = Edit.objects.filter(draft=draft_row).defer("changes")

        def show(edit: Edit) -> dict[str, Any]:
            return {**{name: getattr(edit, name) for name in plain}, "in_force": edit.number <= draft_row.cursor}

        return Response(self.paginator.page(request, rows, show))

    @extend_schema(
        parameters=[DRY_RUN],
        request=EditBatchSerializer,
        responses=object_schema("Edited", differences=list_of(DIFFERENCE)),
        description="All of them or none, as one edit; a later one may name what an earlier one makes.",
    )
    def post(self, request: Request, draft: UUID) -> Response:
        edits = validate_body(EditBatchSerializer, self.json_body(request))["edits"]
        dry_run = boolean_parameter(request, "dry_run")
        draft_row = get_matching_draft(request, draft, lock=not dry_run)
        return Response({"differences": bulk.apply_edits(draft_row, edits, dry_run=dry_run)})


def _csv_import_view(kind: str) -> Any:
    described = extend_schema(
        parameters=[DRY_RUN],
        request={
            "text/csv": OpenApiTypes.STR,
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
        },
        responses=IMPORT_RESULT,
        description=f"{CsvImportView.__doc__}\n\nColumns: {', '.join(csv_tables.CSV_TABLES[kind].columns)}"
        + (", and settings.FIELD for each setting." if csv_tables.CSV_TABLES[kind].settings else "."),
    )
    made: Any = type(
        f"Import_{kind}", (CsvImportView,), {"post": described(copy_method(CsvImportView.post)), "kind": kind}
    )
    return made.as_view()


def document_urls(prefix: str, *, draft: bool = False) -> list[URLPattern]:
    """The document of one snapshot, and what changes a draft's."""
    if not draft:
        return [path(f"{prefix}intent/", NetworkDocumentView.as_view())]
    return [
        path(f"{prefix}intent/", DraftDocumentView.as_view()),
        path(f"{prefix}edits/", EditListView.as_view()),
        *(path(f"{prefix}import/{kind}/", _csv_import_view(kind)) for kind in csv_tables.CSV_TABLES),
    ]
