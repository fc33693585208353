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
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import etags, parsers
from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.object_schemas import object_schema_of
from portal.api.pagination import invalid_parameter, page_json, parse_limit, refuse_unknown_parameters
from portal.api.renderers import CsvRenderer, FormatParameter, JsonRenderer, YamlRenderer
from portal.api.schema import copy_method, extend_list_schema, page_schema, query_parameter
from portal.api.validation import validate_body
from provisioning.core import intent as core
from provisioning.core.formats import csv_tables, csv_text
from provisioning.core.intent.policies import TIERS
from provisioning.errors import ObjectNotFound, PreconditionFailed
from provisioning.models import Draft
from provisioning.selectors import draft_changes, listing
from provisioning.services.drafts import editing, ordering
from provisioning.snapshots import document_export, queries
from provisioning.snapshots.queries import Snapshot, StoredObject

EXPORTS: dict[str, type[BaseRenderer]] = {"csv": CsvRenderer, "yaml": YamlRenderer}
FORMATS = ("json", *EXPORTS)
EXTRA_PARAMETERS = ("total", "format", "ids", "changed")
MAX_NAMED = 200
"""Ids that an address may name."""


def requested_snapshot(draft: UUID | None = None, n: int | None = None) -> Snapshot:
    """Return the snapshot an address is about: ``drafts/{draft}``, ``revisions/{n}``, or live."""
    if draft is not None:
        return queries.draft_snapshot(draft)
    return queries.live_snapshot() if n is None else queries.revision_snapshot(n)


def lock_draft_by_uid(uid: UUID) -> Draft:
    """Return the draft, locked until the transaction ends, so that the tag that is compared is that of what is changed.

    Raises ObjectNotFound where there is none.
    """
    draft = Draft.objects.select_for_update().filter(uid=uid).first()
    if draft is None:
        raise ObjectNotFound("There is no such draft.")
    return draft


def get_draft_by_uid(uid: UUID) -> Draft:
    draft = queries.draft_snapshot(uid).draft
    assert draft is not None
    return draft


def lock_matching_draft(request: Request, uid: UUID) -> Draft:
    """Return the draft, locked; raise PreconditionFailed, with who changed it, where If-Match names another state."""
    return get_matching_draft(request, uid, lock=True)


def get_matching_draft(request: Request, uid: UUID, *, lock: bool) -> Draft:
    """As ``lock_matching_draft``, locked only where ``lock`` says so: a dry run keeps nobody waiting."""
    draft = lock_draft_by_uid(uid) if lock else get_draft_by_uid(uid)
    if not etags.matches(request, draft_etag(draft)):
        raise PreconditionFailed(f"The draft {draft.name}", *draft_changes.last_change(draft))
    return draft


def object_json(row: StoredObject) -> dict[str, Any]:
    return {"id": row.uid, "key": row.key, **document_export.order_fields(row.kind, row.body)}


def boolean_parameter(request: Request, name: str) -> bool:
    """Return a parameter that is 1 or true, 0 or false, or left out (false). Raises ValidationError else."""
    text = request.query_params.get(name, "0").lower()
    if text not in ("0", "1", "true", "false"):
        raise invalid_parameter(name, f"“{text[:20]}” is neither 1 nor 0.", "wrong_type")
    return text in ("1", "true")


def _object_response(row: StoredObject, status: int = 200, location: str | None = None) -> Response:
    return response_with_etag(object_json(row), status, tag=row.etag, location=location)


class ObjectListView(FormatParameter, BaseApiView):
    """A page of objects, or as CSV or YAML all of them."""

    kind: ClassVar[str]
    renderer_classes = [JsonRenderer, CsvRenderer, YamlRenderer]

    def get(self, request: Request, **where: Any) -> Response:
        refuse_unknown_parameters(
            request, (*core.kind_of(self.kind).filters, *EXTRA_PARAMETERS, *core.old_field_names(self.kind))
        )
        asked = core.translate_old_filters(self.kind, request.query_params.dict())
        if asked.get("format", "json") not in FORMATS:
            raise invalid_parameter("format", f"Ask for {' or '.join(FORMATS)}.", "not_one_of")
        snapshot = requested_snapshot(**where)
        chosen: dict[str, Any] = {
            "search": asked.get("search", ""),
            "ordering": asked.get("ordering") or "name",
            "filters": {name: asked[name] for name in core.kind_of(self.kind).filters if name in asked},
            "only_touched": boolean_parameter(request, "changed") and snapshot.draft is not None,
        }
        if isinstance(request.accepted_renderer, tuple(EXPORTS.values())):
            uids = self._named(request) if "ids" in asked else listing.list_uids(snapshot, self.kind, **chosen)
            return self._export(snapshot, uids, request.accepted_renderer)
        page = listing.list_page(
            snapshot,
            self.kind,
            limit=parse_limit(request),
            cursor=asked.get("cursor"),
            with_total=boolean_parameter(request, "total"),
            **chosen,
        )
        answer = page_json(request, [object_json(row) for row in page.rows], page.next, page.previous)
        return Response(answer if page.count is None else {**answer, "count": page.count})

    def _named(self, request: Request) -> list[str]:
        """Return the ids of the parameter. Raises ValidationError where one is none, or there are too many."""
        ids = request.query_params["ids"].split(",")
        try:
            uids = [str(UUID(uid)) for uid in ids]
        except ValueError as error:
            raise invalid_parameter("ids", "Name ids, parted by commas.", "wrong_type") from error
        if len(uids) > MAX_NAMED:
            raise invalid_parameter("ids", f"Name at most {MAX_NAMED} ids, or filter the list.", "out_of_range")
        return uids

    def _export(self, snapshot: Snapshot, uids: list[str], renderer: BaseRenderer) -> Response:
        rows = document_export.export_objects(snapshot, self.kind, uids)
        headers = {"Content-Disposition": f'attachment; filename="{self.kind}.{renderer.format}"'}
        if isinstance(renderer, YamlRenderer):
            return Response({self.kind: rows}, headers=headers)
        return Response(csv_text.write_csv(*csv_tables.objects_to_rows(self.kind, rows)), headers=headers)


class DraftObjectListView(ObjectListView):
    def post(self, request: Request, draft: UUID) -> Response:
        """Adds an object; what has a position and is sent without goes last."""
        draft_row = lock_matching_draft(request, draft)
        row = editing.add_object(draft_row, self.kind, self.json_body(request))
        return _object_response(row, 201, f"{request.path}{row.uid}/")


class ObjectDetailView(BaseApiView):
    """One object as it is in this version."""

    kind: ClassVar[str]

    def get(self, request: Request, uid: UUID, **where: Any) -> Response:
        return _object_response(queries.get_object(requested_snapshot(**where), self.kind, uid))


class DraftObjectDetailView(ObjectDetailView):
    parser_classes = [parsers.JsonParser, parsers.MergePatchParser]

    def put(self, request: Request, uid: UUID, draft: UUID) -> Response:
        """Puts a whole new object in its place."""
        found = self._lock_and_match(request, uid, draft)
        return _object_response(editing.replace_object(found, self.kind, uid, self.json_body(request)))

    def patch(self, request: Request, uid: UUID, draft: UUID) -> Response:
        """Changes the fields that are given."""
        found = self._lock_and_match(request, uid, draft)
        return _object_response(editing.patch_object(found, self.kind, uid, self.json_body(request)))

    def delete(self, request: Request, uid: UUID, draft: UUID) -> Response:
        """Takes it out of the draft; refused while others name it."""
        found = self._lock_and_match(request, uid, draft)
        editing.remove_object(found, self.kind, uid)
        return Response(status=204)

    def _lock_and_match(self, request: Request, uid: UUID, draft: UUID) -> Draft:
        """Return the locked draft; raise PreconditionFailed, with who changed the object, where If-Match is another."""
        draft_row = lock_draft_by_uid(draft)
        stored = queries.get_object(queries.snapshot_of_draft(draft_row), self.kind, uid)
        if not etags.matches(request, stored.etag):
            raise PreconditionFailed(stored.name, *draft_changes.last_change(draft_row, stored))
        return draft_row


class RestoreObjectSerializer(serializers.Serializer):
    revision = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="the draft's base revision when left out"
    )


class MoveObjectSerializer(serializers.Serializer):
    before = serializers.UUIDField(required=False, allow_null=True, help_text="id; it goes last when left out")
    tier = serializers.ChoiceField(
        tuple(TIERS), required=False, help_text="of a policy without before: the tier it goes last in"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("before") and "tier" in attrs:
            wrong = "It takes the tier of the policy in “before”. Send one of both."
            raise serializers.ValidationError({"tier": wrong})
        return attrs


class ObjectActionView(BaseApiView):
    """What is done to one object of a draft besides changing its fields. The answer is the object."""

    kind: ClassVar[str]
    serializer: ClassVar[type[serializers.Serializer] | None] = None
    status: ClassVar[int] = 200

    def post(self, request: Request, uid: UUID, draft: UUID) -> Response:
        draft_row = lock_matching_draft(request, draft)
        sent = validate_body(self.serializer, self.json_body(request)) if self.serializer and self.raw_body else {}
        row = self.act(draft_row, uid, sent)
        where = request.path.split(f"{uid}/")[0] + f"{row.uid}/" if self.status == 201 else None
        return _object_response(row, self.status, where)

    def act(self, draft: Draft, uid: UUID, sent: dict[str, Any]) -> StoredObject:
        raise NotImplementedError


class ObjectRestoreView(ObjectActionView):
    """Makes the object what it was in the draft's base or in a revision, also one that is removed since."""

    serializer = RestoreObjectSerializer

    def act(self, draft: Draft, uid: UUID, sent: dict[str, Any]) -> StoredObject:
        return editing.restore_object(draft, self.kind, uid, sent.get("revision"))


class ObjectCloneView(ObjectActionView):
    """Adds a copy under a name of its own; where the order of objects decides, right behind the original."""

    status = 201

    def act(self, draft: Draft, uid: UUID, sent: dict[str, Any]) -> StoredObject:
        return ordering.clone_object(draft, self.kind, uid)


class ObjectMoveView(ObjectActionView):
    """Puts the object right before another of its kind, or last: positions follow. Only for kinds with positions.

    A policy takes the tier of the one it goes before; without one it goes last in its own tier, or in `tier`.
    """

    serializer = MoveObjectSerializer

    def act(self, draft: Draft, uid: UUID, sent: dict[str, Any]) -> StoredObject:
        return ordering.move_object(draft, self.kind, uid, sent.get("before"), sent.get("tier"))


def draft_etag(draft: Draft) -> str:
    return etags.entity_tag([draft.uid, draft.version, draft.state, draft.name])


def _view_for_kind(pattern: type[BaseApiView], kind: str) -> Any:
    """Return a view like ``pattern`` for one kind, with the schema of the kind."""
    inner = object_schema_of(kind)
    name = str(type(inner).__name__)
    methods: dict[str, Any] = {}
    if issubclass(pattern, ObjectListView):
        also = [
            query_parameter("total", "1: how many there are in all", enum=("0", "1")),
            query_parameter("changed", "1: only what the draft added or changed", enum=("0", "1")),
            query_parameter("format", "csv, yaml: all of them, references by name", enum=FORMATS),
            query_parameter("ids", f"with csv or yaml: only these, at most {MAX_NAMED}, parted by commas"),
        ]
        decorated = extend_list_schema(
            inner, name, orderings=listing.orderings(kind), filters=core.kind_of(kind).filters, also=also
        )
        both = extend_schema(
            responses={
                (200, "application/json"): page_schema(inner, name),
                (200, "text/csv"): OpenApiTypes.STR,
                (200, "application/yaml"): OpenApiTypes.STR,
            }
        )
        methods["get"] = both(decorated(copy_method(pattern.get)))
        if issubclass(pattern, DraftObjectListView):
            sent = [OpenApiExample(name, dict(core.kind_of(kind).example), request_only=True)]
            methods["post"] = extend_schema(request=inner, responses={201: inner}, examples=sent)(
                copy_method(pattern.post)
            )
    elif issubclass(pattern, ObjectActionView):
        methods["post"] = extend_schema(request=pattern.serializer, responses={pattern.status: inner})(
            copy_method(pattern.post)
        )
    else:
        methods["get"] = extend_schema(responses=inner)(copy_method(pattern.get))  # type: ignore[attr-defined]
        if issubclass(pattern, DraftObjectDetailView):
            methods["put"] = extend_schema(request=inner, responses=inner)(copy_method(pattern.put))
            methods["patch"] = extend_schema(request=inner, responses=inner)(copy_method(pattern.patch))
            methods["delete"] = extend_schema(responses={204: None})(copy_method(pattern.delete))
    description = pattern.__doc__ if issubclass(pattern, ObjectActionView) else ""
    view_class: Any = type(f"{pattern.__name__}_{kind}", (pattern,), {**methods, "kind": kind, "__doc__": description})
    return view_class.as_view()


def object_urls(prefix: str, *, draft: bool = False) -> list[URLPattern]:
    """Return the addresses of all kinds in one snapshot."""
    list_view, detail_view = (
        (DraftObjectListView, DraftObjectDetailView) if draft else (ObjectListView, ObjectDetailView)
    )
    actions = [
        path(f"{prefix}{kind}/<uuid:uid>/{word}/", _view_for_kind(view, kind))
        for word, view in (("restore", ObjectRestoreView), ("clone", ObjectCloneView), ("move", ObjectMoveView))
        for kind in core.KINDS
        if view is not ObjectMoveView or core.kind_of(kind).position is not None
    ]
    return [
        *(path(f"{prefix}{kind}/", _view_for_kind(list_view, kind)) for kind in core.KINDS),
        *(path(f"{prefix}{kind}/<uuid:uid>/", _view_for_kind(detail_view, kind)) for kind in core.KINDS),
        *(actions if draft else ()),
    ]
