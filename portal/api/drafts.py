"""Drafts: named working copies of the network, whose edits can be undone and redone one by one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.differences import DIFFERENCE
from portal.api.documents import EditRequestSerializer
from portal.api.intent_objects import draft_etag, lock_matching_draft
from portal.api.pagination import CursorPaginator
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import boolean, choice, list_of, nullable, number, object_schema, text, timestamp, uid
from portal.api.validation import validate_body
from provisioning.core import intent as core
from provisioning.models import Draft, Edit
from provisioning.services.drafts import bulk, history, lifecycle
from provisioning.services.drafts.rebase import rebase_draft
from provisioning.services.drafts.rebase_merge import Resolution
from provisioning.snapshots import diff, queries

DRAFT = object_schema(
    "Draft",
    id=uid(),
    name=text(),
    base_revision=number("the revision it was made over"),
    edits=number("edits in force"),
    author=text(),
    state=choice(Draft.State.values),
    version=number("grows with every edit, undo, redo and rebase"),
    can_undo=boolean(),
    can_redo=boolean(),
    undo_summary=nullable(text("what undo would take back")),
    redo_summary=nullable(text("what redo would do again")),
    discarded_at=nullable(timestamp()),
    discarded_by=text(),
    created_at=timestamp(),
    updated_at=timestamp(),
)


class NewDraftSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    edits = serializers.ListField(
        child=EditRequestSerializer(), required=False, max_length=bulk.MAX_EDITS, help_text="its first edits"
    )


def _with_summaries(drafts: QuerySet[Draft]) -> QuerySet[Draft]:
    edits = Edit.objects.filter(draft=OuterRef("pk"))
    return drafts.annotate(
        undo_summary=Subquery(edits.filter(number=OuterRef("cursor")).values("summary")),
        redo_summary=Subquery(edits.filter(number=OuterRef("cursor") + 1).values("summary")),
    )


def draft_json(draft: Draft) -> dict[str, Any]:
    row: Any = draft if hasattr(draft, "redo_summary") else _with_summaries(Draft.objects.all()).get(pk=draft.pk)
    fields = ("name", "base_revision", "author", "state", "version", "created_at", "updated_at")
    return {
        "id": str(row.uid),
        **{name: getattr(row, name) for name in (*fields, "discarded_at", "discarded_by")},
        "edits": row.cursor,
        "can_undo": row.cursor > 0,
        "can_redo": row.redo_summary is not None,
        "undo_summary": row.undo_summary,
        "redo_summary": row.redo_summary,
    }


def _draft_response(draft: Draft, status: int = 200, location: str | None = None) -> Response:
    return response_with_etag(draft_json(draft), status, tag=draft_etag(draft), location=location)


class DraftListView(BaseApiView):
    """Working copies; provisioned and discarded ones are listed with `?state=`."""

    paginator = CursorPaginator(
        {"updated_at": "updated_at", "created_at": "created_at", "name": "name"},
        ("name",),
        {"state": "state", "author": "author"},
        default="-updated_at",
    )

    @extend_list_schema(DRAFT, "Draft", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        rows = _with_summaries(Draft.objects.all())
        if "state" not in request.query_params:
            rows = rows.filter(state=Draft.State.OPEN)
        return Response(self.paginator.page(request, rows, draft_json))

    @extend_schema(
        request=NewDraftSerializer,
        responses={201: DRAFT},
        description="Creates a draft; with `edits` those are in it as one edit, or there is no draft.",
    )
    def post(self, request: Request) -> Response:
        body = validate_body(NewDraftSerializer, self.json_body(request))
        draft = lifecycle.create_draft(body["name"])
        if edits := body.get("edits"):
            bulk.apply_edits(draft, edits)
            draft.refresh_from_db()
        return _draft_response(draft, 201, f"{request.path}{draft.uid}/")


class DraftDetailView(BaseApiView):
    """A draft: the revision it was made over and how many edits it has."""

    @extend_schema(responses=DRAFT)
    def get(self, request: Request, draft: UUID) -> Response:
        draft_row = queries.draft_snapshot(draft).draft
        assert draft_row is not None
        return _draft_response(draft_row)

    @extend_schema(responses={204: None}, description="Discards the draft; restorable for 30 days.")
    def delete(self, request: Request, draft: UUID) -> Response:
        draft_row = lock_matching_draft(request, draft)
        lifecycle.discard_draft(draft_row)
        return Response(status=204)


class DraftActionView(BaseApiView):
    service_call: ClassVar[Any]

    @extend_schema(request=None, responses=DRAFT)
    def post(self, request: Request, draft: UUID) -> Response:
        draft_row = lock_matching_draft(request, draft)
        return _draft_response(type(self).service_call(draft_row))


class DraftUndoView(DraftActionView):
    """Undoes the last edit; 409 when there is none."""

    service_call = staticmethod(history.undo_edit)


class DraftRedoView(DraftActionView):
    """Redoes the edit that was undone last; 409 when there is none."""

    service_call = staticmethod(history.redo_edit)


class DraftRestoreView(BaseApiView):
    """Opens a draft again that was discarded in the last 30 days; 409 when it was not."""

    @extend_schema(request=None, responses=DRAFT)
    def post(self, request: Request, draft: UUID) -> Response:
        return _draft_response(lifecycle.restore_draft(lock_matching_draft(request, draft), timezone.now()))


class ConflictResolutionSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(list(core.KINDS))
    id = serializers.UUIDField()
    path = serializers.CharField(allow_blank=True, max_length=500, help_text="the conflict's path")
    take = serializers.ChoiceField(("mine", "theirs"))


class RebaseSerializer(serializers.Serializer):
    resolutions = serializers.ListField(child=ConflictResolutionSerializer(), required=False, max_length=10_000)


class DraftRebaseView(BaseApiView):
    """Rebases the edits onto the live revision, field by field; each can still be undone.

    409 when both changed the same field or the merged network would be invalid, with all `conflicts` (base, mine and
    theirs of each; the empty path is the whole object; `reason` says what would be invalid). Nothing is changed then.
    Send it again with a resolution for each conflict, and for nothing else.
    """

    @extend_schema(request=RebaseSerializer, responses=DRAFT)
    def post(self, request: Request, draft: UUID) -> Response:
        draft_row = lock_matching_draft(request, draft)
        body = validate_body(RebaseSerializer, self.json_body(request)) if self.raw_body else {}
        chosen = body.get("resolutions", ())
        resolutions = [
            Resolution(choice["kind"], str(choice["id"]), choice["path"], choice["take"]) for choice in chosen
        ]
        return _draft_response(rebase_draft(draft_row, resolutions))


class DraftDiffView(BaseApiView):
    """What the draft changes in its base revision, object by object and field by field."""

    @extend_schema(responses=object_schema("DraftDiff", base_revision=number(), differences=list_of(DIFFERENCE)))
    def get(self, request: Request, draft: UUID) -> Response:
        snapshot = queries.draft_snapshot(draft)
        differences = diff.diff_snapshots(queries.Snapshot(snapshot.revision), snapshot)
        return Response({"base_revision": snapshot.revision, "differences": differences})
