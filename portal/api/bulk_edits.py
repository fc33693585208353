"""Many objects of a kind changed or removed at once: those that are named, or all that a list finds."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.differences import DIFFERENCE
from portal.api.documents import DRY_RUN
from portal.api.intent_objects import boolean_parameter, lock_matching_draft
from portal.api.schema import copy_method
from portal.api.schema_fields import list_of, number, object_schema
from portal.api.validation import validate_body
from provisioning.core import intent as core
from provisioning.core.intent.bulk_changes import ADD, DISCARD, SET
from provisioning.models import Draft
from provisioning.selectors import listing
from provisioning.services.drafts import selected_objects
from provisioning.services.drafts.bulk import MAX_DIFFERENCES, MAX_ROWS
from provisioning.snapshots import queries

REMOVE = "remove"


class MatchingSerializer(serializers.Serializer):
    search = serializers.CharField(required=False, allow_blank=True, default="")
    filters = serializers.DictField(child=serializers.CharField(), required=False, default=dict)
    changed = serializers.BooleanField(required=False, default=False, help_text="only what the draft added or changed")


class BulkEditSerializer(serializers.Serializer):
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MAX_ROWS, help_text="these objects"
    )
    matching = MatchingSerializer(required=False, help_text="instead of ids: all that a list with these filters finds")
    action = serializers.ChoiceField((SET, ADD, DISCARD, REMOVE))
    field = serializers.CharField(required=False, max_length=60, help_text="what is set, or a set that is added to")
    value = serializers.JSONField(
        required=False, allow_null=True, help_text="names or ids, of labels an object; a list for add and discard"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("matching" in attrs):
            raise serializers.ValidationError({"ids": "Name the objects by ids, or say what is matching; one of both."})
        for name in ("field", "value") if attrs["action"] != REMOVE else ():
            if name not in attrs:
                raise serializers.ValidationError({name: f"“{name}” is missing. Only remove needs none."})
        return attrs


BULK_EDITED = object_schema(
    "BulkEdited",
    count=number("objects that are another now"),
    differences=list_of(DIFFERENCE, f"of the first {MAX_DIFFERENCES}"),
)


class BulkEditView(BaseApiView):
    """Sets a field of many objects, adds to or takes out of a set of each, or removes them: all or none, as one edit.

    422 with the problems of each object by its path, `connectors/vpc-prod/size`, and with what still names one that is
    removed; nothing is changed then.
    """

    kind: ClassVar[str]

    def post(self, request: Request, draft: UUID) -> Response:
        asked = validate_body(BulkEditSerializer, self.json_body(request))
        draft_row = lock_matching_draft(request, draft)
        uids = [str(uid) for uid in asked["ids"]] if "ids" in asked else self._matching(draft_row, asked["matching"])
        read_change = None
        if asked["action"] != REMOVE:
            read_change = partial(core.read_bulk_change, self.kind, asked["action"], asked["field"], asked["value"])
        dry_run = boolean_parameter(request, "dry_run")
        return Response(selected_objects.edit_objects(draft_row, self.kind, uids, read_change, dry_run=dry_run))

    def _matching(self, draft: Draft, asked: dict[str, Any]) -> list[str]:
        snapshot, filters = queries.snapshot_of_draft(draft), core.translate_old_filters(self.kind, asked["filters"])
        return listing.list_uids(
            snapshot, self.kind, search=asked["search"], filters=filters, only_touched=asked["changed"]
        )


def _bulk_edit_view(kind: str) -> Any:
    described = extend_schema(
        parameters=[DRY_RUN],
        request=BulkEditSerializer,
        responses=BULK_EDITED,
        description=f"{BulkEditView.__doc__}\n\nFields: {', '.join(core.kind_of(kind).bulk_fields) or 'none'}.",
    )
    view: Any = type(
        f"BulkEdit_{kind}", (BulkEditView,), {"post": described(copy_method(BulkEditView.post)), "kind": kind}
    )
    return view.as_view()


def bulk_edit_urls(prefix: str) -> list[URLPattern]:
    return [path(f"{prefix}{kind}/bulk/", _bulk_edit_view(kind)) for kind in core.KINDS]
