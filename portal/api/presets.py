"""Presets: what people often build, written into a draft as ordinary objects, in one edit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
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
from portal.api.intent_objects import boolean_parameter, get_matching_draft
from portal.api.schema_fields import list_of, object_schema
from portal.api.validation import validate_body
from provisioning.core.presets import CentralEgress
from provisioning.errors import ValidationFailed
from provisioning.services.drafts import bulk, editing

PRESET_RESULT = object_schema("PresetWritten", differences=list_of(DIFFERENCE, "what is created"))
MAX_SPOKES = 200


class CentralEgressSerializer(serializers.Serializer):
    hub = serializers.CharField(max_length=200, help_text="name of the segment that has the way to the internet")
    spokes = serializers.ListField(
        child=serializers.CharField(max_length=200),
        allow_empty=False,
        max_length=MAX_SPOKES,
        help_text="names of the segments that leave by it",
        error_messages={"empty": "Nobody leaves by the hub. Name at least one spoke."},
    )
    services = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=4,
        help_text="names of the services that inspect what leaves, in this order; without any it is let through",
    )
    name = serializers.CharField(
        required=False, max_length=100, help_text="of the policy, and what the names of the shares begin with"
    )

    def validate_spokes(self, spokes: list[str]) -> list[str]:
        twice = [spoke for spoke, count in Counter(spokes).items() if count > 1]
        if twice:
            raise serializers.ValidationError(f"“{twice[0]}” is named twice. Name each spoke once.")
        return spokes

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["hub"] in attrs["spokes"]:
            wrong = f"“{attrs['hub']}” is the hub, which leaves by itself. Leave it out of the spokes."
            raise serializers.ValidationError({"spokes": wrong})
        return attrs


class CentralEgressView(BaseApiView):
    """Hub-and-spoke egress: a share for each spoke that brings the hub's way to the internet, and a policy in the hub
    that sends what leaves through services."""

    @extend_schema(parameters=[DRY_RUN], request=CentralEgressSerializer, responses=PRESET_RESULT)
    def post(self, request: Request, draft: UUID) -> Response:
        body = validate_body(CentralEgressSerializer, self.json_body(request))
        dry_run = boolean_parameter(request, "dry_run")
        draft_row = get_matching_draft(request, draft, lock=not dry_run)
        preset = CentralEgress(
            body["hub"],
            tuple(body["spokes"]),
            tuple(body.get("services", ())),
            body.get("name", f"internet by {body['hub']}"),
        )
        edits = preset.edits(editing.next_position(draft_row, "policies"))
        try:
            differences = bulk.apply_edits(draft_row, edits, dry_run=dry_run)
        except ValidationFailed as error:
            problems = [replace(problem, path=preset.field_of(problem.path)) for problem in error.problems]
            raise ValidationFailed(error.detail, problems) from error
        return Response({"differences": differences})


def preset_urls(prefix: str) -> list[URLPattern]:
    return [path(f"{prefix}presets/central-egress/", CentralEgressView.as_view())]
