"""Revisions: every version of the network, what differs between two, and restoring one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.differences import DIFFERENCE
from portal.api.drafts import DRAFT, draft_json
from portal.api.intent_objects import draft_etag
from portal.api.pagination import CursorPaginator
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import boolean, list_of, number, object_schema, text, text_list, timestamp
from portal.api.validation import validate_body
from provisioning.errors import ObjectNotFound
from provisioning.models import Revision
from provisioning.services import revisions
from provisioning.snapshots import diff, queries

REVISION = object_schema(
    "Revision",
    number=number(),
    created_at=timestamp(),
    author=text("who provisioned it"),
    writers=text_list("who made the edits"),
    message=text("the name of its draft"),
    reason=text("why it was provisioned"),
    change_ticket=text(),
    live=boolean("whether this is the live revision"),
)
DIFF = object_schema("RevisionDiff", from_=number(), to=number(), differences=list_of(DIFFERENCE))


def revision_json(revision: Revision, live: int) -> dict[str, Any]:
    fields = ("number", "created_at", "author", "writers", "message", "reason", "change_ticket")
    return {**{name: getattr(revision, name) for name in fields}, "live": revision.number == live}


class RevisionListView(BaseApiView):
    """The newest first. Revision 0, before all of them, is empty."""

    paginator = CursorPaginator(
        {"number": "number", "created_at": "created_at"}, ("message", "author"), {"author": "author"}, default="-number"
    )

    @extend_list_schema(REVISION, "Revision", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        live = queries.live_snapshot().revision
        return Response(self.paginator.page(request, Revision.objects.all(), lambda row: revision_json(row, live)))


class RevisionDetailView(BaseApiView):
    """A revision: when it was made, by whom and from which draft."""

    @extend_schema(responses=REVISION)
    def get(self, request: Request, n: int) -> Response:
        revision = Revision.objects.filter(number=n).first()
        if revision is None:
            raise ObjectNotFound(f"There is no revision {n}.")
        return Response(revision_json(revision, queries.live_snapshot().revision))


class RevisionDiffView(BaseApiView):
    """What differs from revision n to revision m, object by object and field by field."""

    @extend_schema(responses=DIFF)
    def get(self, request: Request, n: int, m: int) -> Response:
        return Response(
            {
                "from": n,
                "to": m,
                "differences": diff.diff_snapshots(queries.revision_snapshot(n), queries.revision_snapshot(m)),
            }
        )


class RestoreRevisionSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100, required=False, help_text="of the draft")


class RevisionRestoreView(BaseApiView):
    """Creates a draft that would restore the network of this revision."""

    @extend_schema(request=RestoreRevisionSerializer, responses={201: DRAFT})
    def post(self, request: Request, n: int) -> Response:
        body = validate_body(RestoreRevisionSerializer, self.json_body(request)) if self.raw_body else {}
        draft = revisions.restore_revision(n, body.get("name"))
        draft.refresh_from_db()
        data = draft_json(draft)
        location = self.tenant_path("drafts", draft.uid)
        return response_with_etag(data, 201, tag=draft_etag(draft), location=location)
