"""Cloud accounts: credentials go in and never come out; discovery shows what is in the cloud."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint, tagged
from portal.api.etags import of, wanted
from portal.api.fields import anything, choice, mapping, moment, several, shape, text, texts, uid
from portal.api.pages import Listing
from portal.api.schema import listed
from portal.api.tenancy import read
from provisioning.models import CloudAccount
from provisioning.services import accounts
from provisioning.errors import ObjectNotFound

PROVIDERS = ("aws",)
ACCOUNT = shape(
    "CloudAccount",
    id=uid(),
    name=text(),
    provider=choice(PROVIDERS),
    account_id=text("as the cloud knows it"),
    regions=texts("where discovery looks"),
    discovery=choice(("never", "running", "done", "failed")),
    discovery_error=text("which call failed, and why", allow_blank=True),
    discovered_at=moment(allow_null=True),
    created_at=moment(),
)
INVENTORY = shape(
    "Inventory",
    discovery=choice(("never", "running", "done", "failed")),
    discovered_at=moment(allow_null=True),
    vpcs=several(anything("a network with its subnets, prefixes, route tables and security groups")),
    errors=mapping("region → why it could not be read"),
)


class Credentials(serializers.Serializer):
    """Keys, or a role to assume beside them."""

    access_key_id = serializers.CharField(required=False, max_length=128)
    secret_access_key = serializers.CharField(required=False, max_length=256)
    role_arn = serializers.CharField(required=False, max_length=512)
    external_id = serializers.CharField(required=False, max_length=1224)


class NewAccount(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    provider = serializers.ChoiceField(PROVIDERS)
    account_id = serializers.CharField(max_length=64)
    regions = serializers.ListField(child=serializers.RegexField(r"^[a-z0-9-]{1,40}$"), min_length=1)
    credentials = Credentials(write_only=True)


class AccountChange(serializers.Serializer):
    regions = serializers.ListField(child=serializers.RegexField(r"^[a-z0-9-]{1,40}$"), min_length=1, required=False)
    credentials = Credentials(write_only=True, required=False)


def account_json(account: CloudAccount) -> dict[str, Any]:
    return {
        "id": str(account.uid),
        **{name: getattr(account, name) for name in ACCOUNT.fields if name != "id"},
    }


def _find(uid: UUID) -> CloudAccount:
    found = CloudAccount.objects.filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound("There is no such cloud account.")
    return found


class Accounts(Endpoint):
    """The accounts at clouds that connectors may name."""

    writes = "accounts"
    listing = Listing(
        {"name": "name", "created_at": "created_at"},
        ("name", "account_id"),
        {"provider": "provider", "account_id": "account_id", "discovery": "discovery"},
    )

    @listed(ACCOUNT, "CloudAccount", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        return Response(self.listing.page(request, CloudAccount.objects.all(), account_json))

    @extend_schema(request=NewAccount, responses={201: ACCOUNT})
    def post(self, request: Request) -> Response:
        """Adds an account with its credentials."""
        account = accounts.add_account(**read(NewAccount, self.fields(request)))
        return tagged(account_json(account), 201, location=f"{request.path}{account.uid}/")


class OneAccount(Endpoint):
    """One account; its credentials are never shown."""

    writes = "accounts"

    @extend_schema(responses=ACCOUNT)
    def get(self, request: Request, uid: UUID) -> Response:
        return tagged(account_json(_find(uid)))

    @extend_schema(request=AccountChange, responses=ACCOUNT)
    def patch(self, request: Request, uid: UUID) -> Response:
        """Changes what is given; new credentials take the place of the old ones."""
        account = _find(uid)
        wanted(request, of(account_json(account)))
        change = {"regions": None, "credentials": None, **read(AccountChange, self.fields(request))}
        return tagged(account_json(accounts.update_account(account, **change)))


class Discover(Endpoint):
    """Looks what is in the account; read the account until `discovery` is done, then its inventory."""

    writes = "accounts"

    @extend_schema(request=None, responses={202: ACCOUNT})
    def post(self, request: Request, uid: UUID) -> Response:
        return tagged(account_json(accounts.request_discovery(_find(uid))), 202)


class Inventory(Endpoint):
    """What discovery last found."""

    reads = "accounts"

    @extend_schema(responses=INVENTORY)
    def get(self, request: Request, uid: UUID) -> Response:
        account = _find(uid)
        seen = {"discovery": account.discovery, "discovered_at": account.discovered_at}
        return Response({"vpcs": [], "errors": {}, **account.inventory, **seen})
