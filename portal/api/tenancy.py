"""Tenants, their members and tokens, and the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Case, Value, When
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.core.price import InvalidPrice
from billing.services import copy_price_book
from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.etags import check_if_match, entity_tag
from portal.api.pagination import CursorPaginator, invalid_parameter
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import (
    any_json,
    boolean,
    choice,
    list_of,
    number,
    object_schema,
    optional_text,
    text,
    text_list,
    timestamp,
    uid,
)
from portal.api.validation import validate_body
from tenants import audit, services
from tenants.models import MSP_ROLES, ApiToken, AuditEntry, Membership, Role, Tenant
from tenants.principal import Principal
from tenants.roles import RIGHTS
from tenants.scope import current_tenant

ROLES = [role.value for role in Role if role not in MSP_ROLES]

TENANT = object_schema(
    "Tenant",
    slug=text(),
    name=text(),
    msp=optional_text("slug of the MSP that runs it; null: a direct tenant of the operator"),
    requires_approval=boolean("a second person has to approve before provisioning"),
    created_at=timestamp(),
    role=optional_text("your role there"),
    rights=text_list("what you may do there"),
)
TOKEN = object_schema(
    "Token",
    id=uid(),
    name=text(),
    user=text("e-mail address of its person"),
    prefix=text("the first characters, to recognise it"),
    scopes=list_of(choice(list(RIGHTS)), "empty: all rights of its person"),
    created_at=timestamp(),
    expires_at=timestamp(allow_null=True),
    revoked_at=timestamp(allow_null=True),
    last_used_at=timestamp(allow_null=True),
)
NEW_TOKEN = object_schema(
    "NewToken",
    **{
        **TOKEN.fields,
        "token": optional_text(
            "the secret, in the first answer only: null when an Idempotency-Key repeats the request"
        ),
    },
)
MEMBER = object_schema(
    "Member",
    id=uid(),
    email=text(),
    name=text(),
    role=choice([*ROLES, *MSP_ROLES]),
    msp=optional_text("set for the MSP's people"),
    state=choice(["invited", "active"], "invited: no rights until the person accepts"),
    invited_at=timestamp(allow_null=True),
    invitation_problem=text("why the mail did not leave"),
)
AUDIT_ENTRY = object_schema(
    "AuditEntry",
    number=number("without gaps"),
    at=timestamp(),
    actor=text(),
    acting_as=text("the MSP on whose behalf"),
    address=text(),
    request_id=text(),
    action=text(),
    kind=text(),
    object_id=text(),
    object_name=text(),
    before=any_json(),
    after=any_json(),
    previous=text("digest of the entry before"),
    digest=text("SHA-256 over all other fields"),
)


class NewTenantSerializer(serializers.Serializer):
    slug = serializers.CharField(max_length=50)
    name = serializers.CharField(max_length=120)
    owner = serializers.EmailField(help_text="who becomes its first owner")
    msp = serializers.CharField(required=False, allow_null=True, help_text="only the operator chooses")
    requires_approval = serializers.BooleanField(default=False)
    price_book = serializers.CharField(
        required=False, allow_null=True, help_text="name of a price book of the same seller; its prices are copied"
    )


class NewMemberSerializer(serializers.Serializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(ROLES)


class RoleChangeSerializer(serializers.Serializer):
    role = serializers.ChoiceField(ROLES)


class TokenRequestSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    scopes = serializers.ListField(child=serializers.ChoiceField(list(RIGHTS)), default=list)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


def tenant_json(tenant: Tenant, principal: Principal) -> dict[str, Any]:
    membership = principal.membership(tenant)
    rights = principal.rights(tenant)
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "msp": tenant.msp.slug if tenant.msp else None,
        "requires_approval": tenant.requires_approval,
        "created_at": tenant.created_at,
        "role": membership.role if membership else "operator" if principal.user.is_operator else None,
        "rights": [right for right in RIGHTS if right in rights],
    }


def member_json(membership: Membership) -> dict[str, Any]:
    return {
        "id": membership.uid,
        "email": membership.user.email,
        # Who invites learns nothing about the address before its person accepts.
        "name": "" if membership.invited_at else membership.user.name,
        "role": membership.role,
        "msp": membership.msp.slug if membership.msp else None,
        "state": "invited" if membership.invited_at else "active",
        "invited_at": membership.invited_at,
        "invitation_problem": membership.invitation_problem,
    }


def token_json(token: ApiToken) -> dict[str, Any]:
    fields = ("name", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    return {"id": token.uid, "user": token.user.email, **{name: getattr(token, name) for name in fields}}


def audit_json(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in AUDIT_ENTRY.fields}


class TenantListView(BaseApiView):
    """The tenants you may see. The operator and MSP admins create new ones."""

    read_right = write_right = None
    paginator = CursorPaginator(
        {"name": "name", "slug": "slug", "created_at": "created_at"}, ("name", "slug"), {"msp": "msp__slug"}
    )

    @extend_list_schema(TENANT, "Tenant", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        principal = self.principal
        return Response(
            self.paginator.page(request, principal.tenants(), lambda tenant: tenant_json(tenant, principal))
        )

    @extend_schema(request=NewTenantSerializer, responses={201: TENANT})
    def post(self, request: Request) -> Response:
        fields = {"msp": None, "price_book": None, **validate_body(NewTenantSerializer, self.json_body(request))}
        price_book = fields.pop("price_book")
        tenant = services.create_tenant(self.principal, **fields)
        if price_book:
            try:
                copy_price_book(tenant, price_book, timezone.now())
            except InvalidPrice as error:
                raise invalid_parameter("price_book", str(error), "unknown_reference") from error
        data = tenant_json(tenant, Principal(self.principal.user, self.principal.token))
        return response_with_etag(data, 201, location=f"/api/v1/tenants/{tenant.slug}/")


class TenantDetailView(BaseApiView):
    """A tenant that you may see, and what you may do there."""

    read_right = None

    @extend_schema(responses=TENANT)
    def get(self, request: Request, tenant: str) -> Response:
        who = self.principal
        tenant_row = who.tenants().filter(slug=tenant).first()
        if tenant_row is None:
            raise Http404
        return Response(tenant_json(tenant_row, who))


class MemberListView(BaseApiView):
    """The tenant's own people, and those of the MSP that runs it."""

    write_right = "members"
    paginator = CursorPaginator({"email": "user__email"}, ("user__email", "shown_name"), {"role": "role"})

    @extend_list_schema(MEMBER, "Member", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        memberships = Membership.objects.select_related("user", "msp")
        tenant = current_tenant()
        visible = memberships.filter(tenant=tenant) | memberships.filter(msp__isnull=False, msp=tenant.msp_id)
        visible = visible.annotate(shown_name=Case(When(invited_at=None, then="user__name"), default=Value("")))
        return Response(self.paginator.page(request, visible, member_json))

    @extend_schema(request=NewMemberSerializer, responses={201: MEMBER})
    def post(self, request: Request) -> Response:
        """Invites a person by mail; they are a member once they accept."""
        membership = services.add_member(**validate_body(NewMemberSerializer, self.json_body(request)))
        return response_with_etag(member_json(membership), 201, location=f"{request.path}{membership.uid}/")


class MemberDetailView(BaseApiView):
    """A person and their role."""

    write_right = "members"

    def _find(self, uid: UUID) -> Membership:
        membership = Membership.objects.select_related("user", "msp").filter(tenant=current_tenant(), uid=uid).first()
        if membership is None:
            raise Http404
        return membership

    def _lock(self, uid: UUID) -> Membership:
        membership = services.lock_membership(uid)
        if membership is None:
            raise Http404
        return membership

    @extend_schema(responses=MEMBER)
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(member_json(self._find(uid)))

    @extend_schema(request=RoleChangeSerializer, responses=MEMBER)
    def patch(self, request: Request, uid: UUID) -> Response:
        """Changes a member's role."""
        membership = self._lock(uid)
        check_if_match(request, entity_tag(member_json(membership)), audit.last_entry("member", str(uid)))
        return response_with_etag(
            member_json(
                services.change_role(membership, validate_body(RoleChangeSerializer, self.json_body(request))["role"])
            )
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uid: UUID) -> Response:
        """Removes a member, who then sees nothing of this tenant any more."""
        membership = self._lock(uid)
        check_if_match(request, entity_tag(member_json(membership)), audit.last_entry("member", str(uid)))
        services.remove_member(membership)
        return Response(status=204)


class TokenListView(BaseApiView):
    """Your tokens for this tenant; who manages members sees everybody's. A new one is limited to this tenant."""

    write_right = "tokens"
    secret_fields = ("token",)
    paginator = CursorPaginator({"created_at": "created_at", "name": "name"}, ("name",), default="-created_at")

    @extend_list_schema(TOKEN, "Token", orderings=paginator.orderings)
    def get(self, request: Request) -> Response:
        return Response(self.paginator.page(request, _visible_tokens(self), token_json))

    @extend_schema(request=TokenRequestSerializer, responses={201: NEW_TOKEN})
    def post(self, request: Request) -> Response:
        """Creates a token; its secret is in this answer only."""
        fields = validate_body(TokenRequestSerializer, self.json_body(request))
        token, secret = services.issue_token(self.principal, **fields)
        return response_with_etag({**token_json(token), "token": secret}, 201, location=f"{request.path}{token.uid}/")


class TokenDetailView(BaseApiView):
    """A token; its secret is never shown again."""

    write_right = "tokens"

    @extend_schema(responses=TOKEN)
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(token_json(self._find(request, uid)))

    @extend_schema(
        responses={204: None}, description="Revokes the token and those that were made with it; they stay listed."
    )
    def delete(self, request: Request, uid: UUID) -> Response:
        """Revokes it at once."""
        token = self._find(request, uid)
        check_if_match(request, entity_tag(token_json(token)))
        services.revoke_token(self.principal, token)
        return Response(status=204)

    def _find(self, request: Request, uid: UUID) -> ApiToken:
        token = _visible_tokens(self).filter(uid=uid).first()
        if token is None:
            raise Http404
        return token


def _visible_tokens(view: BaseApiView) -> Any:
    tokens = ApiToken.objects.select_related("user").filter(tenant=current_tenant())
    return tokens if "members" in view.rights else tokens.filter(user=view.principal.user)


class AuditEntryListView(BaseApiView):
    """Who did what, the newest first. Hash-chained: ``digest`` covers every other field and ``previous``."""

    read_right = "audit"
    paginator = CursorPaginator(
        {"number": "number"},
        ("object_name", "action", "actor"),
        {
            "action": "action",
            "actor": "actor",
            "kind": "kind",
            "object_id": "object_id",
            "request_id": "request_id",
            "from": "at__gte",
            "to": "at__lt",
        },
        default="-number",
    )

    @extend_list_schema(AUDIT_ENTRY, "AuditEntry", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        return Response(self.paginator.page(request, AuditEntry.objects.all(), audit_json))
