"""Revisions: what the network was, what differs between two, and going back to one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.documents import DIFFERENCE
from portal.api.drafts import DRAFT, draft_json
from portal.api.endpoint import Endpoint, tagged
from portal.api.fields import flag, moment, number, several, shape, text
from portal.api.intent import draft_tag
from portal.api.pages import Listing
from portal.api.schema import listed
from portal.api.tenancy import read
from provisioning.models import Revision
from provisioning.snapshots import diff, queries
from provisioning.services import revisions
from provisioning.errors import ObjectNotFound

REVISION = shape(
    "Revision",
    number=number(),
    created_at=moment(),
    author=text(),
    message=text("the name of its draft"),
    live=flag("whether this one is being made true"),
)
DIFF = shape("RevisionDiff", from_=number(), to=number(), differences=several(DIFFERENCE))


def revision_json(revision: Revision, live: int) -> dict[str, Any]:
    plain = ("number", "created_at", "author", "message")
    return {**{name: getattr(revision, name) for name in plain}, "live": revision.number == live}


class Revisions(Endpoint):
    """The newest first. Revision 0, before all of them, is empty."""

    listing = Listing(
        {"number": "number", "created_at": "created_at"}, ("message", "author"), {"author": "author"}, default="-number"
    )

    @listed(REVISION, "Revision", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        live = queries.live_snapshot().revision
        return Response(self.listing.page(request, Revision.objects.all(), lambda row: revision_json(row, live)))


class OneRevision(Endpoint):
    """When it was made, by whom and from which draft."""

    @extend_schema(responses=REVISION)
    def get(self, request: Request, n: int) -> Response:
        found = Revision.objects.filter(number=n).first()
        if found is None:
            raise ObjectNotFound(f"There is no revision {n}.")
        return Response(revision_json(found, queries.live_snapshot().revision))


class Diff(Endpoint):
    """What differs from revision n to revision m, object by object and field by field."""

    @extend_schema(responses=DIFF)
    def get(self, request: Request, n: int, m: int) -> Response:
        return Response({"from": n, "to": m, "differences": diff.diff_snapshots(queries.revision_snapshot(n), queries.revision_snapshot(m))})


class Restored(serializers.Serializer):
    name = serializers.CharField(max_length=100, required=False, help_text="of the draft")


class Restore(Endpoint):
    """Makes a draft that would bring the network back to what it was then."""

    @extend_schema(request=Restored, responses={201: DRAFT})
    def post(self, request: Request, n: int) -> Response:
        told = read(Restored, self.fields(request)) if self.raw else {}
        draft = revisions.restore_revision(n, told.get("name"))
        draft.refresh_from_db()
        data = draft_json(draft)
        location = self.at("drafts", draft.uid)
        return tagged(data, 201, tag=draft_tag(draft), location=location)
