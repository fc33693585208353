"""The inbox of the person who asks, in one tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Case, QuerySet, Value, When
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.etags import check_if_match, entity_tag
from portal.api.pagination import CursorPaginator
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import choice, object_schema, text, timestamp, uid
from portal.api.validation import validate_body
from tenants.models import Notification
from tenants.notifications import inbox_of, mark, mark_all_read
from tenants.principal import Principal

STATES = ["unread", "read"]
NOTIFICATION = object_schema(
    "Notification",
    id=uid(),
    text=text(),
    path=text("address of the page that it is about"),
    at=timestamp(),
    state=choice(STATES),
    read_at=timestamp(allow_null=True),
)


class NotificationStateSerializer(serializers.Serializer):
    state = serializers.ChoiceField(STATES)


def notification_json(notification: Notification) -> dict[str, Any]:
    return {
        "id": notification.uid,
        "text": notification.text,
        "path": f"/t/{notification.tenant.slug}/{notification.path}",
        "at": notification.at,
        "state": "read" if notification.read_at else "unread",
        "read_at": notification.read_at,
    }


def _inbox(principal: Principal) -> QuerySet[Notification]:
    state = Case(When(read_at=None, then=Value("unread")), default=Value("read"))
    return inbox_of(principal.user).select_related("tenant").annotate(state=state)


class InboxView(BaseApiView):
    """What you were told in this tenant, the newest first."""

    paginator = CursorPaginator({"at": "at"}, ("text",), {"state": "state"}, default="-at")

    @extend_list_schema(NOTIFICATION, "Notification", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        return Response(self.paginator.page(request, _inbox(self.principal), notification_json))


class InboxReadView(BaseApiView):
    """Everything in your inbox is read."""

    write_right = "view"

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        mark_all_read(self.principal.user)
        return Response(status=204)


class NotificationDetailView(BaseApiView):
    """One entry of your inbox."""

    write_right = "view"

    @extend_schema(responses=NOTIFICATION)
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(notification_json(self._find(uid)))

    @extend_schema(request=NotificationStateSerializer, responses=NOTIFICATION)
    def patch(self, request: Request, uid: UUID) -> Response:
        """Marks it as read, or as not read."""
        notification = self._find(uid)
        check_if_match(request, entity_tag(notification_json(notification)))
        change = validate_body(NotificationStateSerializer, self.json_body(request))
        mark(notification, read=change["state"] == "read")
        return response_with_etag(notification_json(notification))

    def _find(self, uid: UUID) -> Notification:
        notification = _inbox(self.principal).filter(uid=uid).first()
        if notification is None:
            raise Http404
        return notification
