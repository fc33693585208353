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
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import bodies, etags
from portal.api.endpoint import Endpoint, tagged
from portal.api.fields import anything, choice, flag, moment, number, several, shape, text, uid
from portal.api.intent import draft_tag, flag_of, open_draft, view_of
from portal.api.kinds import SHAPES
from portal.api.pages import Listing
from portal.api.rendering import JsonRenderer
from portal.api.schema import listed, own, query
from portal.api.tenancy import read
from provisioning.core.formats import csv_tables
from provisioning.models import Edit
from provisioning.snapshots import document_export, queries
from provisioning.services.drafts.editing import bulk, editing

MOST = 32_000_000
"""Bytes that a whole network or a table may have."""
DRY_RUN = query("dry_run", "1: only tell what would change", enum=("0", "1"))
DIFFERENCE = shape(
    "Difference",
    kind=choice(list(SHAPES)),
    id=uid(),
    name=text(),
    action=choice(("create", "change", "remove")),
    before=anything("null: not there"),
    after=anything("null: not there any more"),
    fields=several(
        shape("DifferentField", path=text("like size or rules[web].ports"), before=anything(), after=anything())
    ),
)


def _in_document(inner: Any) -> Any:
    """An object as a part of the document: its id may be sent, its key follows from its first name."""
    known = {name: field for name, field in inner.fields.items() if name not in ("id", "key")}
    return shape(f"{type(inner).__name__}InNetwork", id=serializers.UUIDField(required=False), **known)


KINDS = {kind: several(_in_document(inner), required=False) for kind, inner in SHAPES.items()}
DOCUMENT = shape("Network", **KINDS)
CHANGED = shape(
    "NetworkOrDifferences", **KINDS, differences=several(DIFFERENCE, "instead, with dry_run=1", required=False)
)


class Document(Endpoint):
    """The whole network, JSON or YAML by Accept, references by name. What was read can be sent back without loss, or
    to another tenant; with `ids=0` without the ids of this one."""

    renderer_classes = [JsonRenderer, bodies.YamlRenderer]
    parser_classes = [bodies.JsonParser, bodies.YamlParser]
    most = MOST

    @extend_schema(
        parameters=[query("ids", "0: without ids", enum=("0", "1"))],
        responses={(200, "application/json"): DOCUMENT, (200, "application/yaml"): OpenApiTypes.STR},
    )
    def get(self, request: Request, **where: Any) -> Response:
        ids = flag_of(request, "ids") if "ids" in request.query_params else True
        return Response(document_export.export_document(view_of(**where), ids=ids))


class DraftDocument(Document):
    @extend_schema(
        parameters=[DRY_RUN],
        request={"application/json": DOCUMENT, "application/yaml": OpenApiTypes.STR},
        responses={(200, "application/json"): CHANGED, (200, "application/yaml"): OpenApiTypes.STR},
        description="Makes the draft's network this one, in one edit. Objects are matched by id, else by name; "
        "what is left out is removed.",
    )
    def put(self, request: Request, draft: UUID) -> Response:
        found, dry_run = open_draft(draft), flag_of(request, "dry_run")
        if "If-Match" in request.headers:
            etags.wanted(request, etags.of(document_export.export_document(queries.snapshot_of_draft(found))))
        told = editing.import_document(found, self.fields(request), dry_run=dry_run)
        if dry_run:
            return Response({"differences": told})
        return tagged(document_export.export_document(queries.draft_snapshot(draft)))


class CsvParser(BaseParser):
    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read())


IMPORTED = shape(
    "Imported",
    rows=number("in the table, without its header"),
    created=number(),
    changed=number(),
    unchanged=number(),
    differences=several(DIFFERENCE, f"the first {bulk.MAX_DIFFERENCES} of what is created or changed"),
)


class Import(Endpoint):
    """Makes and changes the objects of a CSV table, in one edit; objects are found by name, others stay as they are.

    A table has at most 10,000 rows. The first one names the columns; `?format=csv` of the list gives a table to start
    from. Several rows of one name are several attachments (or entries) of one object. 422 with each wrong cell by row
    and column, and nothing is changed. Send the table as it is (text/csv) or as the file of a form
    (multipart/form-data, `file`).
    """

    kind: ClassVar[str]
    parser_classes = [CsvParser, MultiPartParser]
    most = MOST

    def post(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        etags.wanted(request, draft_tag(found))
        dry_run = flag_of(request, "dry_run")
        return Response(bulk.import_table(found, self.kind, self._table(request), dry_run=dry_run))

    def _table(self, request: Request) -> bytes:
        if isinstance(request.data, bytes):
            return request.data
        if not self.raw:
            raise ParseError("The body is empty. Send the table, whose first row names the columns.", "required")
        file: Any = request.FILES.get("file")
        if file is None:
            raise ParseError("The form has no file. Send the table as its field “file”.", "required")
        return bytes(file.read())


class OneEdit(serializers.Serializer):
    action = serializers.ChoiceField(("create", "change", "remove"))
    kind = serializers.ChoiceField(list(SHAPES))
    id = serializers.UUIDField(required=False, help_text="of what is changed or removed")
    body = serializers.DictField(required=False, help_text="the object, or the fields that change")


class ManyEdits(serializers.Serializer):
    edits = serializers.ListField(child=OneEdit(), allow_empty=False, max_length=bulk.MAX_EDITS)


EDIT = shape(
    "Edit",
    number=number(),
    summary=text(),
    author=text(),
    at=moment(),
    in_force=flag("false: undone, and can be made again"),
)


class Edits(Endpoint):
    """What was done in a draft, the newest first; and many edits at once."""

    listing = Listing({"number": "number"}, ("summary", "author"), {"author": "author"}, default="-number")
    most = MOST

    @listed(EDIT, "Edit", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request, draft: UUID) -> Response:
        found = queries.draft_snapshot(draft).draft
        assert found is not None
        plain = ("number", "summary", "author", "at")
        rows = Edit.objects.filter(draft=found).defer("changes")

        def show(edit: Edit) -> dict[str, Any]:
            return {**{name: getattr(edit, name) for name in plain}, "in_force": edit.number <= found.cursor}

        return Response(self.listing.page(request, rows, show))

    @extend_schema(
        parameters=[DRY_RUN],
        request=ManyEdits,
        responses=shape("Edited", differences=several(DIFFERENCE)),
        description="All of them or none, as one edit; a later one may name what an earlier one makes.",
    )
    def post(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        etags.wanted(request, draft_tag(found))
        edits = read(ManyEdits, self.fields(request))["edits"]
        return Response({"differences": bulk.apply_edits(found, edits, dry_run=flag_of(request, "dry_run"))})


def _import(kind: str) -> Any:
    described = extend_schema(
        parameters=[DRY_RUN],
        request={
            "text/csv": OpenApiTypes.STR,
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
        },
        responses=IMPORTED,
        description=f"{Import.__doc__}\n\nColumns: {', '.join(csv_tables.CSV_TABLES[kind].columns)}"
        + (", and settings.FIELD for each setting." if csv_tables.CSV_TABLES[kind].settings else "."),
    )
    made: Any = type(f"Import_{kind}", (Import,), {"post": described(own(Import.post)), "kind": kind})
    return made.as_view()


def paths(prefix: str, *, draft: bool = False) -> list[URLPattern]:
    """The document of one view, and what changes a draft's."""
    if not draft:
        return [path(f"{prefix}intent/", Document.as_view())]
    return [
        path(f"{prefix}intent/", DraftDocument.as_view()),
        path(f"{prefix}edits/", Edits.as_view()),
        *(path(f"{prefix}import/{kind}/", _import(kind)) for kind in csv_tables.CSV_TABLES),
    ]
