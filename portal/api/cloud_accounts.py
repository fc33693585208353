"""Cloud accounts: credentials go in and never come out; discovery shows what is in the cloud."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.etags import check_if_match, entity_tag
from portal.api.pagination import CursorPaginator
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import any_json, choice, list_of, mapping, object_schema, text, text_list, timestamp, uid
from portal.api.validation import validate_body
from provisioning.drivers import CLOUDS
from provisioning.errors import ObjectNotFound
from provisioning.models import CloudAccount
from provisioning.services import cloud_accounts
from tenants import audit

REGION = r"^[a-z0-9-]{1,40}$"


class ProviderField(serializers.ChoiceField):
    """A cloud of the registry, by name; serializers copy fields for each request, so the registry is read when used."""

    def __init__(self, **options: Any) -> None:
        super().__init__([(cloud.name, cloud.label) for cloud in CLOUDS.values()], **options)


ACCOUNT = object_schema(
    "CloudAccount",
    id=uid(),
    name=text(),
    provider=ProviderField(),
    account_id=text("as the cloud knows it"),
    regions=text_list("where discovery looks"),
    discovery=choice(CloudAccount.Discovery.values),
    discovery_error=text("which call failed, and why", allow_blank=True),
    discovered_at=timestamp(allow_null=True),
    created_at=timestamp(),
)
INVENTORY = object_schema(
    "Inventory",
    discovery=choice(CloudAccount.Discovery.values),
    discovered_at=timestamp(allow_null=True),
    **{
        cloud.inventory_key: list_of(
            any_json("a network with its subnets, prefixes, route tables and security groups"),
            f"the {cloud.networks_word} of an account at {cloud.label}",
            required=False,
        )
        for cloud in CLOUDS.values()
    },
    errors=mapping("region → why it could not be read"),
)


class CloudCredentialsSerializer(serializers.Serializer):
    """The credentials of an account: which fields its cloud has follows from `provider`."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            field.name: serializers.CharField(
                required=False, max_length=field.max_length, help_text=f"{cloud.label}: {field.label}"
            )
            for cloud in CLOUDS.values()
            for field in cloud.credentials
        }


class NewAccountSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    provider = ProviderField()
    account_id = serializers.CharField(max_length=64)
    regions = serializers.ListField(child=serializers.RegexField(REGION), min_length=1)
    credentials = CloudCredentialsSerializer(write_only=True)


class AccountChangeSerializer(serializers.Serializer):
    regions = serializers.ListField(child=serializers.RegexField(REGION), min_length=1, required=False)
    credentials = CloudCredentialsSerializer(write_only=True, required=False)


def account_json(account: CloudAccount) -> dict[str, Any]:
    return {
        "id": str(account.uid),
        **{name: getattr(account, name) for name in ACCOUNT.fields if name != "id"},
    }


def _get_account(uid: UUID, *, lock: bool = False) -> CloudAccount:
    accounts = CloudAccount.objects.select_for_update() if lock else CloudAccount.objects
    account = accounts.filter(uid=uid).first()
    if account is None:
        raise ObjectNotFound("There is no such cloud account.")
    return account


class CloudAccountListView(BaseApiView):
    """The accounts at clouds that connectors may name."""

    write_right = "accounts"
    paginator = CursorPaginator(
        {"name": "name", "created_at": "created_at"},
        ("name", "account_id"),
        {"provider": "provider", "account_id": "account_id", "discovery": "discovery"},
    )

    @extend_list_schema(ACCOUNT, "CloudAccount", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        return Response(self.paginator.page(request, CloudAccount.objects.all(), account_json))

    @extend_schema(request=NewAccountSerializer, responses={201: ACCOUNT})
    def post(self, request: Request) -> Response:
        """Add an account with its credentials."""
        account = cloud_accounts.add_account(**validate_body(NewAccountSerializer, self.json_body(request)))
        return response_with_etag(account_json(account), 201, location=f"{request.path}{account.uid}/")


class CloudAccountDetailView(BaseApiView):
    """One account; its credentials are never shown."""

    write_right = "accounts"

    @extend_schema(responses=ACCOUNT)
    def get(self, request: Request, uid: UUID) -> Response:
        return response_with_etag(account_json(_get_account(uid)))

    @extend_schema(request=AccountChangeSerializer, responses=ACCOUNT)
    def patch(self, request: Request, uid: UUID) -> Response:
        """Change the given fields; new credentials take the place of all old ones."""
        account = _get_account(uid, lock=True)
        check_if_match(request, entity_tag(account_json(account)), audit.last_entry("cloud-account", str(uid)))
        change = {
            "regions": None,
            "credentials": None,
            **validate_body(AccountChangeSerializer, self.json_body(request)),
        }
        return response_with_etag(account_json(cloud_accounts.update_account(account, **change)))


class CloudAccountDiscoverView(BaseApiView):
    """Discover what is in the account: read the account until `discovery` is done, then its inventory."""

    write_right = "accounts"

    @extend_schema(request=None, responses={202: ACCOUNT})
    def post(self, request: Request, uid: UUID) -> Response:
        return response_with_etag(account_json(cloud_accounts.request_discovery(_get_account(uid))), 202)


class CloudAccountInventoryView(BaseApiView):
    """What discovery last found."""

    read_right = "accounts"

    @extend_schema(responses=INVENTORY)
    def get(self, request: Request, uid: UUID) -> Response:
        account = _get_account(uid)
        empty: dict[str, Any] = {CLOUDS[account.provider].inventory_key: [], "errors": {}}
        state = {"discovery": account.discovery, "discovered_at": account.discovered_at}
        return Response({**empty, **account.inventory, **state})
