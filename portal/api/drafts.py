"""Drafts: named working copies of the network, undone and redone step by step."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Max
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.documents import DIFFERENCE
from portal.api.endpoint import Endpoint, tagged
from portal.api.etags import wanted
from portal.api.fields import choice, flag, moment, number, several, shape, text, uid
from portal.api.intent import draft_tag, open_draft
from portal.api.kinds import SHAPES
from portal.api.pages import Listing
from portal.api.schema import listed
from portal.api.tenancy import read
from provisioning.models import Draft, Edit
from provisioning.snapshots import diff, queries
from provisioning.services.drafts.editing import editing
from provisioning.services.drafts.editing.rebase import Resolution, rebase_draft

DRAFT = shape(
    "Draft",
    id=uid(),
    name=text(),
    base_revision=number("the revision it was made over"),
    edits=number("edits in force"),
    author=text(),
    state=choice(Draft.State.values),
    version=number("grows with every edit, undo, redo and rebase"),
    can_undo=flag(),
    can_redo=flag(),
    created_at=moment(),
    updated_at=moment(),
)


class NewDraft(serializers.Serializer):
    name = serializers.CharField(max_length=100)


def draft_json(draft: Draft) -> dict[str, Any]:
    last = getattr(draft, "last_edit", None)
    if last is None:
        last = Edit.objects.filter(draft=draft).aggregate(last=Max("number"))["last"] or 0
    plain = ("name", "base_revision", "author", "state", "version", "created_at", "updated_at")
    return {
        "id": str(draft.uid),
        **{name: getattr(draft, name) for name in plain},
        "edits": draft.cursor,
        "can_undo": draft.cursor > 0,
        "can_redo": last > draft.cursor,
    }


def _answer(draft: Draft, status: int = 200, location: str | None = None) -> Response:
    return tagged(draft_json(draft), status, tag=draft_tag(draft), location=location)


class Drafts(Endpoint):
    """Working copies; provisioned and discarded ones are listed with `?state=`."""

    listing = Listing(
        {"updated_at": "updated_at", "created_at": "created_at", "name": "name"},
        ("name",),
        {"state": "state", "author": "author"},
        default="-updated_at",
    )

    @listed(DRAFT, "Draft", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        rows = Draft.objects.annotate(last_edit=Max("edits__number", default=0))
        if "state" not in request.query_params:
            rows = rows.filter(state=Draft.State.OPEN)
        return Response(self.listing.page(request, rows, draft_json))

    @extend_schema(request=NewDraft, responses={201: DRAFT})
    def post(self, request: Request) -> Response:
        draft = editing.create_draft(read(NewDraft, self.fields(request))["name"])
        return _answer(draft, 201, f"{request.path}{draft.uid}/")


class OneDraft(Endpoint):
    """A draft: what it stands on and how much it changes."""

    @extend_schema(responses=DRAFT)
    def get(self, request: Request, draft: UUID) -> Response:
        found = queries.draft_snapshot(draft).draft
        assert found is not None
        return _answer(found)

    @extend_schema(responses={204: None}, description="Discards the draft.")
    def delete(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        wanted(request, draft_tag(found))
        editing.discard_draft(found)
        return Response(status=204)


class DraftAction(Endpoint):
    does: ClassVar[Any]

    @extend_schema(request=None, responses=DRAFT)
    def post(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        wanted(request, draft_tag(found))
        return _answer(type(self).does(found))


class Undo(DraftAction):
    """Takes the last edit back; 409 when there is none."""

    does = staticmethod(editing.undo_edit)


class Redo(DraftAction):
    """Makes the edit again that was undone last; 409 when there is none."""

    does = staticmethod(editing.redo_edit)


class Decision(serializers.Serializer):
    kind = serializers.ChoiceField(list(SHAPES))
    id = serializers.UUIDField()
    path = serializers.CharField(allow_blank=True, max_length=500, help_text="as the conflict was told")
    take = serializers.ChoiceField(("mine", "theirs"))


class Resolutions(serializers.Serializer):
    resolutions = serializers.ListField(child=Decision(), required=False, max_length=10_000)


class Rebase(Endpoint):
    """Puts the edits on top of what is live now, field by field; each can still be undone.

    409 where both changed the same, with `conflicts` (base, mine and theirs of each); nothing is moved then. Send it
    again with a resolution for each of them, and for nothing else.
    """

    @extend_schema(request=Resolutions, responses=DRAFT)
    def post(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        wanted(request, draft_tag(found))
        told = read(Resolutions, self.fields(request)).get("resolutions", ()) if self.raw else ()
        decided = [Resolution(one["kind"], str(one["id"]), one["path"], one["take"]) for one in told]
        return _answer(rebase_draft(found, decided))


class DraftDiff(Endpoint):
    """What the draft changes in its base revision, object by object and field by field."""

    @extend_schema(responses=shape("DraftDiff", base_revision=number(), differences=several(DIFFERENCE)))
    def get(self, request: Request, draft: UUID) -> Response:
        view = queries.draft_snapshot(draft)
        told = diff.diff_snapshots(queries.Snapshot(view.revision), view)
        return Response({"base_revision": view.revision, "differences": told})
