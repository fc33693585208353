"""Intent objects in the three views: a draft, live, an old revision.

Each kind has its own endpoint classes, made here from a few patterns, so that each has its own path and schema.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import OpenApiExample, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import bodies, etags
from portal.api.endpoint import Endpoint, tagged
from portal.api.examples import EXAMPLES
from portal.api.kinds import SHAPES
from portal.api.pages import bad, envelope, limit_of, refuse_unknown
from portal.api.rendering import CsvRenderer, JsonRenderer
from portal.api.schema import listed, own, page_of, query
from portal.api.tenancy import read
from provisioning.core.formats import csv_text, csv_tables
from provisioning.models import Draft
from provisioning.snapshots import document_export, queries; from provisioning.selectors import listing
from provisioning.snapshots.search_index import FILTER_FIELDS
from provisioning.snapshots.queries import StoredObject, Snapshot
from provisioning.services.drafts.editing import editing
from provisioning.errors import ObjectNotFound

FORMATS = ("json", "csv")
ALSO = ("total", "format")


def view_of(draft: UUID | None = None, n: int | None = None) -> Snapshot:
    """The view an address is about: ``drafts/{draft}``, ``revisions/{n}``, or live."""
    if draft is not None:
        return queries.draft_snapshot(draft)
    return queries.live_snapshot() if n is None else queries.revision_snapshot(n)


def open_draft(uid: UUID) -> Draft:
    """The draft, held until the transaction ends: tags are compared with what is changed then."""
    found = Draft.objects.select_for_update().filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound("There is no such draft.")
    return found


def row_json(row: StoredObject) -> dict[str, Any]:
    return {"id": row.uid, "key": row.key, **document_export.order_fields(row.kind, row.body)}


def flag_of(request: Request, name: str) -> bool:
    """A parameter that is 1 or true, 0 or false, or left out."""
    text = request.query_params.get(name, "0").lower()
    if text not in ("0", "1", "true", "false"):
        raise bad(name, f"“{text[:20]}” is neither 1 nor 0.", "wrong_type")
    return text in ("1", "true")


def _row(row: StoredObject, status: int = 200, location: str | None = None) -> Response:
    return tagged(row_json(row), status, tag=row.etag, location=location)


class Objects(Endpoint):
    """A page of objects, or as CSV all of them."""

    kind: ClassVar[str]
    renderer_classes = [JsonRenderer, CsvRenderer]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """`?format=` says what is wanted, whatever Accept says."""
        wanted = request.query_params.get("format")
        if wanted in FORMATS:
            chosen = CsvRenderer if wanted == "csv" else JsonRenderer
            return chosen(), chosen.media_type
        return super().perform_content_negotiation(request, force)

    def get(self, request: Request, **where: Any) -> Response:
        refuse_unknown(request, (*FILTER_FIELDS[self.kind], *ALSO))
        asked = request.query_params
        if asked.get("format", "json") not in FORMATS:
            raise bad("format", f"Ask for {' or '.join(FORMATS)}.", "not_one_of")
        view = view_of(**where)
        chosen: dict[str, Any] = {
            "search": asked.get("search", ""),
            "ordering": asked.get("ordering") or "name",
            "filters": {name: asked[name] for name in FILTER_FIELDS[self.kind] if name in asked},
        }
        if isinstance(request.accepted_renderer, CsvRenderer):
            return self._table(view, chosen)
        page = listing.list_page(
            view,
            self.kind,
            limit=limit_of(request),
            cursor=asked.get("cursor"),
            total=flag_of(request, "total"),
            **chosen,
        )
        answer = envelope(request, [row_json(row) for row in page.rows], page.next, page.previous)
        return Response(answer if page.count is None else {**answer, "count": page.count})

    def _table(self, view: Snapshot, chosen: dict[str, Any]) -> Response:
        rows = document_export.export_objects(view, self.kind, listing.list_uids(view, self.kind, **chosen))
        header, lines = csv_tables.objects_to_rows(self.kind, rows)
        headers = {"Content-Disposition": f'attachment; filename="{self.kind}.csv"'}
        return Response(csv_text.write_csv(header, lines), headers=headers)


class DraftObjects(Objects):
    def post(self, request: Request, draft: UUID) -> Response:
        """Adds an object; what has a position and is sent without goes last."""
        found = open_draft(draft)
        etags.wanted(request, draft_tag(found))
        row = editing.add_object(found, self.kind, self.fields(request))
        return _row(row, 201, f"{request.path}{row.uid}/")


class OneObject(Endpoint):
    """One object as it is in this version."""

    kind: ClassVar[str]

    def get(self, request: Request, uid: UUID, **where: Any) -> Response:
        return _row(queries.get_object(view_of(**where), self.kind, uid))


class OneDraftObject(OneObject):
    parser_classes = [bodies.JsonParser, bodies.MergePatchParser]

    def put(self, request: Request, uid: UUID, draft: UUID) -> Response:
        """Puts a whole new object in its place."""
        found, tag = self._held(request, uid, draft)
        return _row(editing.replace_object(found, self.kind, uid, self.fields(request), tag))

    def patch(self, request: Request, uid: UUID, draft: UUID) -> Response:
        """Changes the fields that are given."""
        found, tag = self._held(request, uid, draft)
        return _row(editing.patch_object(found, self.kind, uid, self.fields(request), tag))

    def delete(self, request: Request, uid: UUID, draft: UUID) -> Response:
        """Takes it out of the draft; refused while others name it."""
        found, tag = self._held(request, uid, draft)
        editing.remove_object(found, self.kind, uid, tag)
        return Response(status=204)

    def _held(self, request: Request, uid: UUID, draft: UUID) -> tuple[Draft, str | None]:
        found = open_draft(draft)
        return found, etags.wanted(request, queries.get_object(queries.snapshot_of_draft(found), self.kind, uid).etag)


class Whence(serializers.Serializer):
    revision = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="the draft's base revision when left out"
    )


class RestoreObject(Endpoint):
    """Makes the object what it was in the draft's base or in a revision, also one that is removed since."""

    kind: ClassVar[str]

    def post(self, request: Request, uid: UUID, draft: UUID) -> Response:
        found = open_draft(draft)
        etags.wanted(request, draft_tag(found))
        told = read(Whence, self.fields(request)) if self.raw else {}
        return _row(editing.restore_object(found, self.kind, uid, told.get("revision")))


def draft_tag(draft: Draft) -> str:
    return etags.of([draft.uid, draft.version, draft.state, draft.name])


def _made(pattern: type[Endpoint], kind: str) -> Any:
    """The pattern for one kind, with the kind's shape in its schema."""
    inner = SHAPES[kind]
    name = str(type(inner).__name__)
    methods: dict[str, Any] = {}
    if issubclass(pattern, Objects):
        also = [
            query("total", "1: how many there are in all", enum=("0", "1")),
            query("format", "csv: all of them as a table, references by name", enum=FORMATS),
        ]
        decorated = listed(inner, name, orderings=listing.orderings(kind), filters=FILTER_FIELDS[kind], also=also)
        both = extend_schema(
            responses={(200, "application/json"): page_of(inner, name), (200, "text/csv"): OpenApiTypes.STR}
        )
        methods["get"] = both(decorated(own(pattern.get)))
        if issubclass(pattern, DraftObjects):
            sent = [OpenApiExample(name, EXAMPLES[kind], request_only=True)]
            methods["post"] = extend_schema(request=inner, responses={201: inner}, examples=sent)(own(pattern.post))
    elif issubclass(pattern, RestoreObject):
        methods["post"] = extend_schema(request=Whence, responses=inner)(own(pattern.post))
    else:
        methods["get"] = extend_schema(responses=inner)(own(pattern.get))  # type: ignore[attr-defined]
        if issubclass(pattern, OneDraftObject):
            methods["put"] = extend_schema(request=inner, responses=inner)(own(pattern.put))
            methods["patch"] = extend_schema(request=inner, responses=inner)(own(pattern.patch))
            methods["delete"] = extend_schema(responses={204: None})(own(pattern.delete))
    told = pattern.__doc__ if issubclass(pattern, RestoreObject) else ""
    made: Any = type(f"{pattern.__name__}_{kind}", (pattern,), {**methods, "kind": kind, "__doc__": told})
    return made.as_view()


def paths(prefix: str, *, draft: bool = False) -> list[URLPattern]:
    """Addresses of all kinds in one view."""
    many, one = (DraftObjects, OneDraftObject) if draft else (Objects, OneObject)
    restores = [path(f"{prefix}{kind}/<uuid:uid>/restore/", _made(RestoreObject, kind)) for kind in SHAPES]
    return [
        *(path(f"{prefix}{kind}/", _made(many, kind)) for kind in SHAPES),
        *(path(f"{prefix}{kind}/<uuid:uid>/", _made(one, kind)) for kind in SHAPES),
        *(restores if draft else ()),
    ]
