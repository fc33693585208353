"""Intent objects in the three views (a draft, live, an old revision), and the network as one document.

Each kind has its own endpoint classes, made here from two patterns, so that each has its own path and schema.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import bodies, etags
from portal.api.endpoint import Endpoint, tagged
from portal.api.fields import several, shape
from portal.api.kinds import FILTERS, SHAPES
from portal.api.pages import bad, envelope, limit_of, refuse_unknown
from portal.api.rendering import JsonRenderer
from portal.api.schema import listed, own
from provisioning.models import Draft
from provisioning.selectors import views
from provisioning.selectors.views import Row, View
from provisioning.services import drafts
from provisioning.services.errors import Missing


def _in_document(inner: Any) -> Any:
    """An object as a part of the document: its id may be sent, its key follows from its first name."""
    known = {name: field for name, field in inner.fields.items() if name not in ("id", "key")}
    return shape(f"{type(inner).__name__}InNetwork", id=serializers.UUIDField(required=False), **known)


DOCUMENT = shape("Network", **{kind: several(_in_document(inner), required=False) for kind, inner in SHAPES.items()})
MOST = 4_000_000
"""Bytes that a whole network may have."""


def view_of(draft: UUID | None = None, n: int | None = None) -> View:
    """The view an address is about: ``drafts/{draft}``, ``revisions/{n}``, or live."""
    if draft is not None:
        return views.draft(draft)
    return views.live() if n is None else views.revision(n)


def open_draft(uid: UUID) -> Draft:
    """The draft, held until the transaction ends: tags are compared with what is changed then."""
    found = Draft.objects.select_for_update().filter(uid=uid).first()
    if found is None:
        raise Missing("There is no such draft.")
    return found


def row_json(row: Row) -> dict[str, Any]:
    return {"id": row.uid, "key": row.key, **row.body}


def _row(row: Row, status: int = 200, location: str | None = None) -> Response:
    return tagged(row_json(row), status, tag=row.etag, location=location)


class Objects(Endpoint):
    kind: ClassVar[str]

    def get(self, request: Request, **where: Any) -> Response:
        refuse_unknown(request, FILTERS[self.kind])
        query = request.query_params
        ordering = query.get("ordering", "name")
        if ordering not in ("name", "-name"):
            raise bad("ordering", "Order by name or -name.", "not_one_of")
        page = views.page(
            view_of(**where),
            self.kind,
            limit=limit_of(request),
            cursor=query.get("cursor"),
            search=query.get("search", ""),
            ordering=ordering,
            filters={name: query[name] for name in FILTERS[self.kind] if name in query},
        )
        return Response(envelope(request, [row_json(row) for row in page.rows], page.next, page.previous))


class DraftObjects(Objects):
    def post(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        etags.wanted(request, draft_tag(found))
        row = drafts.add(found, self.kind, self.fields(request))
        return _row(row, 201, f"{request.path}{row.uid}/")


class OneObject(Endpoint):
    kind: ClassVar[str]

    def get(self, request: Request, uid: UUID, **where: Any) -> Response:
        return _row(views.get(view_of(**where), self.kind, uid))


class OneDraftObject(OneObject):
    parser_classes = [bodies.JsonParser, bodies.MergePatchParser]

    def put(self, request: Request, uid: UUID, draft: UUID) -> Response:
        found, tag = self._held(request, uid, draft)
        return _row(drafts.replace(found, self.kind, uid, self.fields(request), tag))

    def patch(self, request: Request, uid: UUID, draft: UUID) -> Response:
        found, tag = self._held(request, uid, draft)
        return _row(drafts.patch(found, self.kind, uid, self.fields(request), tag))

    def delete(self, request: Request, uid: UUID, draft: UUID) -> Response:
        found, tag = self._held(request, uid, draft)
        drafts.remove(found, self.kind, uid, tag)
        return Response(status=204)

    def _held(self, request: Request, uid: UUID, draft: UUID) -> tuple[Draft, str | None]:
        found = open_draft(draft)
        return found, etags.wanted(request, views.get(views.of_draft(found), self.kind, uid).etag)


def draft_tag(draft: Draft) -> str:
    return etags.of([draft.uid, draft.version, draft.state, draft.name])


class Document(Endpoint):
    """The whole network, JSON or YAML by Accept. What was read can be sent back without loss."""

    renderer_classes = [JsonRenderer, bodies.YamlRenderer]
    parser_classes = [bodies.JsonParser, bodies.YamlParser]
    most = MOST

    @extend_schema(responses={(200, "application/json"): DOCUMENT, (200, "application/yaml"): OpenApiTypes.STR})
    def get(self, request: Request, **where: Any) -> Response:
        return Response(views.document(view_of(**where)))


class DraftDocument(Document):
    @extend_schema(
        request={"application/json": DOCUMENT, "application/yaml": OpenApiTypes.STR},
        responses={(200, "application/json"): DOCUMENT, (200, "application/yaml"): OpenApiTypes.STR},
        description="Makes the draft's network this one, in one edit. Objects are matched by id, else by name; "
        "what is left out is removed.",
    )
    def put(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        etags.wanted(request, etags.of(views.document(views.of_draft(found))))
        drafts.put_document(found, self.fields(request))
        return tagged(views.document(views.draft(draft)))


def _made(pattern: type[Endpoint], kind: str) -> Any:
    """The pattern for one kind, with the kind's shape in its schema."""
    inner = SHAPES[kind]
    name = str(type(inner).__name__)
    methods: dict[str, Any] = {}
    if issubclass(pattern, Objects):
        decorated = listed(inner, name, orderings=("name",), filters=FILTERS[kind])
        methods["get"] = decorated(own(pattern.get))
        if issubclass(pattern, DraftObjects):
            methods["post"] = extend_schema(request=inner, responses={201: inner})(own(pattern.post))
    else:
        methods["get"] = extend_schema(responses=inner)(own(pattern.get))  # type: ignore[attr-defined]
        if issubclass(pattern, OneDraftObject):
            methods["put"] = extend_schema(request=inner, responses=inner)(own(pattern.put))
            methods["patch"] = extend_schema(request=inner, responses=inner)(own(pattern.patch))
            methods["delete"] = extend_schema(responses={204: None})(own(pattern.delete))
    made: Any = type(f"{pattern.__name__}_{kind}", (pattern,), {**methods, "kind": kind, "__doc__": ""})
    return made.as_view()


def paths(prefix: str, *, draft: bool = False) -> list[URLPattern]:
    """Addresses of all kinds and the document in one view."""
    many, one, document = (DraftObjects, OneDraftObject, DraftDocument) if draft else (Objects, OneObject, Document)
    return [
        *(path(f"{prefix}{kind}/", _made(many, kind)) for kind in SHAPES),
        *(path(f"{prefix}{kind}/<uuid:uid>/", _made(one, kind)) for kind in SHAPES),
        path(f"{prefix}intent/", document.as_view()),
    ]
