"""Who is in a group and why, in a draft, in live or in an old revision; and whom a selector would select."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.urls.resolvers import URLPattern
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.intent_objects import requested_snapshot
from portal.api.pagination import invalid_parameter, paginate_values, refuse_unknown_parameters
from portal.api.schema import extend_list_schema, query_parameter
from portal.api.schema_fields import choice, list_of, nullable, number, object_schema, text, text_list, uid
from provisioning.core.values.labels import BadLabel, parse_selector
from provisioning.selectors import group_members

MOST_NAMES = 5

REASON = object_schema(
    "MembershipReason",
    by=choice(("name", "labels", "group"), "it names the group; its labels are selected; it is in a contained group"),
    labels=text("that the group selects by, where it is in it by labels"),
    group=nullable(object_schema("ContainedGroup", id=uid(), name=text())),
)
SEGMENT = object_schema("MemberSegment", id=uid(), name=text())
PLACE = {
    "attachment": number("its place among those of the connector, from 0"),
    "segment": SEGMENT,
    "prefixes": text_list(),
}
MEMBER = object_schema(
    "GroupMember",
    connector=object_schema("MemberConnector", id=uid(), name=text(), kind=text()),
    **PLACE,
    reasons=list_of(REASON, "every one of them"),
)
MEMBERSHIP = object_schema(
    "ConnectorGroup", group=object_schema("JoinedGroup", id=uid(), name=text()), **PLACE, reasons=list_of(REASON)
)
SELECTED = object_schema(
    "Selected", count=number("attachments"), connectors=text_list(f"names of the first {MOST_NAMES} connectors")
)


class GroupMemberListView(BaseApiView):
    """The attachments in a group and why: by name, by labels, or through a group that the group contains."""

    @extend_list_schema(MEMBER, "GroupMember")
    def get(self, request: Request, uid: UUID, **where: Any) -> Response:
        return Response(paginate_values(request, group_members.list_members(requested_snapshot(**where), str(uid))))


class ConnectorGroupListView(BaseApiView):
    """The groups that a connector's attachments are in, and why."""

    @extend_list_schema(MEMBERSHIP, "ConnectorGroup")
    def get(self, request: Request, uid: UUID, **where: Any) -> Response:
        return Response(paginate_values(request, group_members.list_groups_of(requested_snapshot(**where), str(uid))))


class SelectedView(BaseApiView):
    """Whom a selector selects, before a group has it."""

    @extend_schema(
        responses=SELECTED, parameters=[query_parameter("selector", "env=prod, tier in (web, app)", required=True)]
    )
    def get(self, request: Request, **where: Any) -> Response:
        refuse_unknown_parameters(request, ["selector"])
        try:
            selector = parse_selector(request.query_params.get("selector", ""))
        except BadLabel as error:
            raise invalid_parameter("selector", str(error), "bad_selector") from error
        rows = group_members.list_selected(requested_snapshot(**where), selector)
        names = list(dict.fromkeys(row["connector"]["name"] for row in rows))
        return Response({"count": len(rows), "connectors": names[:MOST_NAMES]})


def group_member_urls(prefix: str) -> list[URLPattern]:
    """Return the URLs of groups and their members below a version of the network."""
    return [
        path(f"{prefix}groups/<uuid:uid>/members/", GroupMemberListView.as_view()),
        path(f"{prefix}connectors/<uuid:uid>/groups/", ConnectorGroupListView.as_view()),
        path(f"{prefix}groups/selected/", SelectedView.as_view()),
    ]
