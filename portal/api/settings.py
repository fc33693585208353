"""What a tenant sets for everybody in it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.core.money import MINOR_DIGITS
from billing.selectors import currency_of
from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.etags import check_if_match, entity_tag
from portal.api.schema_fields import boolean, choice, nullable_choice, object_schema, text
from portal.api.validation import validate_body
from tenants import audit, preferences
from tenants.models import Tenant, TierOwner
from tenants.notifications import EVENTS, channel_of
from tenants.roles import KEEPABLE_TIERS
from tenants.scope import current_tenant

SETTINGS = object_schema(
    "TenantSettings",
    requires_approval=boolean("a second person has to approve before provisioning"),
    currency=nullable_choice(list(MINOR_DIGITS), "that of the price book; without one, of the first it will get"),
    time_zone=text("name in the tz database; times on pages are in it, unless a person has their own"),
    notifications=object_schema(
        "TenantNotifications",
        **{name: choice(event.channels, f"{event.word}: {event.whom}") for name, event in EVENTS.items()},
    ),
    tiers=object_schema(
        "TenantTiers",
        **{tier: choice(TierOwner.values, f"who changes policies of the {tier} tier") for tier in KEEPABLE_TIERS},
    ),
)


class EventChannelsSerializer(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {name: serializers.ChoiceField(event.channels, required=False) for name, event in EVENTS.items()}


class TierOwnersSerializer(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {tier: serializers.ChoiceField(TierOwner.choices, required=False) for tier in KEEPABLE_TIERS}


class SettingsChangeSerializer(serializers.Serializer):
    requires_approval = serializers.BooleanField(required=False)
    currency = serializers.ChoiceField(
        list(MINOR_DIGITS),
        required=False,
        allow_null=True,
        help_text="of its first price book, null: whichever that has; 409 when its price book is in another",
    )
    time_zone = serializers.CharField(required=False, max_length=63)
    notifications = EventChannelsSerializer(required=False, help_text="the events that change")
    tiers = TierOwnersSerializer(required=False, help_text="the tiers that change; 403 for who may not change theirs")


def settings_json(tenant: Tenant) -> dict[str, Any]:
    return {
        "requires_approval": tenant.requires_approval,
        "currency": currency_of(tenant),
        "time_zone": tenant.time_zone,
        "notifications": {event: channel_of(event, tenant) for event in EVENTS},
        "tiers": {tier: tenant.tier_owner(tier).value for tier in KEEPABLE_TIERS},
    }


class TenantSettingsView(BaseApiView):
    """What holds for everybody in the tenant; who manages members changes it."""

    write_right = "members"

    @extend_schema(responses=SETTINGS)
    def get(self, request: Request) -> Response:
        return Response(settings_json(current_tenant()))

    @extend_schema(request=SettingsChangeSerializer, responses=SETTINGS)
    def patch(self, request: Request) -> Response:
        """Changes what is named."""
        tenant = preferences.lock_tenant()
        check_if_match(request, entity_tag(settings_json(tenant)), audit.last_entry("tenant", tenant.slug))
        preferences.change_settings(tenant, validate_body(SettingsChangeSerializer, self.json_body(request)))
        return response_with_etag(settings_json(tenant))
