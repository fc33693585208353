"""The person of the token or the session, and what they set for themselves."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.etags import check_if_match, entity_tag
from portal.api.schema_fields import (
    boolean,
    list_of,
    nullable,
    nullable_choice,
    object_schema,
    optional_text,
    text,
    text_list,
    timestamp,
    uid,
)
from portal.api.validation import validate_body
from tenants import preferences
from tenants.models import ApiToken, User
from tenants.notifications import EVENTS

ME = object_schema(
    "Me",
    email=text(),
    name=text(),
    is_operator=boolean(),
    time_zone=optional_text("your own; null: the tenant's"),
    notifications=object_schema(
        "MyNotifications",
        **{
            name: nullable_choice(event.channels, f"{event.word}; null: as the tenant")
            for name, event in EVENTS.items()
        },
    ),
    msps=list_of(object_schema("MyMsp", slug=text(), name=text(), role=text())),
    token=nullable(
        object_schema(
            "MyToken",
            id=uid(),
            name=text(),
            tenant=optional_text(),
            scopes=text_list(),
            expires_at=timestamp(allow_null=True),
        )
    ),
)


class MyEventChannelsSerializer(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            name: serializers.ChoiceField(event.channels, required=False, allow_null=True)
            for name, event in EVENTS.items()
        }


class ProfileChangeSerializer(serializers.Serializer):
    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    time_zone = serializers.CharField(required=False, allow_null=True, max_length=63, help_text="null: the tenant's")
    notifications = MyEventChannelsSerializer(required=False, help_text="the events that change")


def me_json(user: User, token: ApiToken | None) -> dict[str, Any]:
    msps = user.memberships.exclude(msp=None).select_related("msp")
    return {
        "email": user.email,
        "name": user.name,
        "is_operator": user.is_operator,
        "time_zone": user.time_zone or None,
        "notifications": {event: user.notifications.get(event) for event in EVENTS},
        "msps": [{"slug": m.msp.slug, "name": m.msp.name, "role": m.role} for m in msps if m.msp],
        "token": token
        and {
            "id": token.uid,
            "name": token.name,
            "tenant": token.tenant.slug if token.tenant else None,
            "scopes": token.scopes,
            "expires_at": token.expires_at,
        },
    }


class MeView(BaseApiView):
    """The person of the token or the session, and what the token is limited to."""

    read_right = write_right = None

    @extend_schema(responses=ME)
    def get(self, request: Request) -> Response:
        return Response(me_json(self.principal.user, self.principal.token))

    @extend_schema(request=ProfileChangeSerializer, responses=ME)
    def patch(self, request: Request) -> Response:
        """Changes what is named. Tokens that are limited to a tenant or to rights cannot."""
        token = self.principal.token
        if token and (token.tenant_id or token.scopes):
            raise PermissionDenied("A token limited to a tenant or to rights changes no profile.", "lacks_person")
        user = preferences.lock_person(self.principal.user)
        check_if_match(request, entity_tag(me_json(user, token)))
        preferences.change_profile(user, validate_body(ProfileChangeSerializer, self.json_body(request)))
        return response_with_etag(me_json(user, token))
