"""Who am I, which tenants, their members and tokens, and the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.core.prices import InvalidPrice
from billing.services import copy_price_book
from portal.api.endpoint import Endpoint, tagged
from portal.api.etags import of, wanted
from portal.api.fields import anything, choice, flag, maybe, moment, nullable, number, several, shape, text, texts, uid
from portal.api.pages import Listing, bad
from portal.api.schema import listed
from tenants import services
from tenants.models import MSP_ROLES, ApiToken, AuditEntry, Membership, Role, Tenant
from tenants.roles import RIGHTS, Principal
from tenants.scope import current

ROLES = [role.value for role in Role if role not in MSP_ROLES]

TENANT = shape(
    "Tenant",
    slug=text(),
    name=text(),
    msp=maybe("slug of the MSP that runs it; null: a direct tenant of the operator"),
    requires_approval=flag("a second person has to approve before provisioning"),
    created_at=moment(),
    role=maybe("your role there"),
    rights=texts("what you may do there"),
)
TOKEN = shape(
    "Token",
    id=uid(),
    name=text(),
    user=text("e-mail address of its person"),
    prefix=text("the first characters, to know it by"),
    scopes=several(choice(list(RIGHTS)), "empty: all rights of its person"),
    created_at=moment(),
    expires_at=moment(allow_null=True),
    revoked_at=moment(allow_null=True),
    last_used_at=moment(allow_null=True),
)
NEW_TOKEN = shape("NewToken", **{**TOKEN.fields, "token": text("the secret; it cannot be read again")})
ME = shape(
    "Me",
    email=text(),
    name=text(),
    is_operator=flag(),
    msps=several(shape("MyMsp", slug=text(), name=text(), role=text())),
    token=nullable(
        shape("MyToken", id=uid(), name=text(), tenant=maybe(), scopes=texts(), expires_at=moment(allow_null=True))
    ),
)
MEMBER = shape(
    "Member",
    id=uid(),
    email=text(),
    name=text(),
    role=choice([*ROLES, *MSP_ROLES]),
    msp=maybe("set for the MSP's people"),
)
AUDIT_ENTRY = shape(
    "AuditEntry",
    number=number("without gaps"),
    at=moment(),
    actor=text(),
    acting_as=text("the MSP in whose name"),
    address=text(),
    request_id=text(),
    action=text(),
    kind=text(),
    object_id=text(),
    object_name=text(),
    before=anything(),
    after=anything(),
    previous=text("digest of the entry before"),
    digest=text("SHA-256 over all other fields"),
)


class NewTenant(serializers.Serializer):
    slug = serializers.CharField(max_length=50)
    name = serializers.CharField(max_length=120)
    owner = serializers.EmailField(help_text="who becomes its first owner")
    msp = serializers.CharField(required=False, allow_null=True, help_text="only the operator chooses")
    requires_approval = serializers.BooleanField(default=False)
    price_book = serializers.CharField(
        required=False, allow_null=True, help_text="name of a price book of the same seller; its prices are copied"
    )


class NewMember(serializers.Serializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(ROLES)


class OtherRole(serializers.Serializer):
    role = serializers.ChoiceField(ROLES)


class TokenWish(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    scopes = serializers.ListField(child=serializers.ChoiceField(list(RIGHTS)), default=list)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


def read(form: type[serializers.Serializer], body: Any) -> dict[str, Any]:
    """The body as the form reads it; raises ValidationError, for unknown fields too."""
    filled = form(data=body)
    filled.is_valid(raise_exception=True)
    unknown = _unknown(filled, body)
    if unknown:
        raise serializers.ValidationError(unknown, "unknown_field")
    return dict(filled.validated_data)


def _unknown(form: serializers.Serializer, body: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        inner = form.fields.get(name)
        if inner is None:
            found[name] = [f"There is no field “{name}” here."]
        elif isinstance(inner, serializers.Serializer) and value and (nested := _unknown(inner, value)):
            found[name] = nested
    return found


def tenant_json(tenant: Tenant, who: Principal) -> dict[str, Any]:
    membership = who.membership(tenant)
    rights = who.rights(tenant)
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "msp": tenant.msp.slug if tenant.msp else None,
        "requires_approval": tenant.requires_approval,
        "created_at": tenant.created_at,
        "role": membership.role if membership else "operator" if who.user.is_operator else None,
        "rights": [right for right in RIGHTS if right in rights],
    }


def member_json(membership: Membership) -> dict[str, Any]:
    return {
        "id": membership.uid,
        "email": membership.user.email,
        "name": membership.user.name,
        "role": membership.role,
        "msp": membership.msp.slug if membership.msp else None,
    }


def token_json(token: ApiToken) -> dict[str, Any]:
    plain = ("name", "prefix", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    return {"id": token.uid, "user": token.user.email, **{name: getattr(token, name) for name in plain}}


def audit_json(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in AUDIT_ENTRY.fields}


class Me(Endpoint):
    """Who the token or the session is, and what it was narrowed to."""

    reads = None

    @extend_schema(responses=ME)
    def get(self, request: Request) -> Response:
        user, token = self.who.user, self.who.token
        msps = user.memberships.exclude(msp=None).select_related("msp")
        return Response(
            {
                "email": user.email,
                "name": user.name,
                "is_operator": user.is_operator,
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
        )


class Tenants(Endpoint):
    """The tenants you may see. The operator and MSP admins make new ones."""

    reads = writes = None
    listing = Listing(
        {"name": "name", "slug": "slug", "created_at": "created_at"}, ("name", "slug"), {"msp": "msp__slug"}
    )

    @listed(TENANT, "Tenant", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        who = self.who
        return Response(self.listing.page(request, who.tenants(), lambda tenant: tenant_json(tenant, who)))

    @extend_schema(request=NewTenant, responses={201: TENANT})
    def post(self, request: Request) -> Response:
        wish = {"msp": None, "price_book": None, **read(NewTenant, self.fields(request))}
        like = wish.pop("price_book")
        tenant = services.create_tenant(self.who, **wish)
        if like:
            try:
                copy_price_book(tenant, like, timezone.now())
            except InvalidPrice as error:
                raise bad("price_book", str(error), "unknown_reference") from error
        data = tenant_json(tenant, Principal(self.who.user, self.who.token))
        return tagged(data, 201, location=f"/api/v1/tenants/{tenant.slug}/")


class OneTenant(Endpoint):
    """A tenant that you may see, and what you may do there."""

    reads = None

    @extend_schema(responses=TENANT)
    def get(self, request: Request, tenant: str) -> Response:
        who = self.who
        found = who.tenants().filter(slug=tenant).first()
        if found is None:
            raise Http404
        return Response(tenant_json(found, who))


class Members(Endpoint):
    """The tenant's own people, and those of the MSP that runs it."""

    writes = "members"
    listing = Listing({"email": "user__email"}, ("user__email", "user__name"), {"role": "role"})

    @listed(MEMBER, "Member", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        people = Membership.objects.select_related("user", "msp")
        tenant = current()
        mine = people.filter(tenant=tenant) | people.filter(msp__isnull=False, msp=tenant.msp_id)
        return Response(self.listing.page(request, mine, member_json))

    @extend_schema(request=NewMember, responses={201: MEMBER})
    def post(self, request: Request) -> Response:
        """Makes somebody a member."""
        membership = services.add_member(**read(NewMember, self.fields(request)))
        return tagged(member_json(membership), 201, location=f"{request.path}{membership.uid}/")


class OneMember(Endpoint):
    """A person and their role."""

    writes = "members"

    def _find(self, uid: UUID) -> Membership:
        found = Membership.objects.select_related("user", "msp").filter(tenant=current(), uid=uid).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(responses=MEMBER)
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(member_json(self._find(uid)))

    @extend_schema(request=OtherRole, responses=MEMBER)
    def patch(self, request: Request, uid: UUID) -> Response:
        """Gives them another role."""
        membership = self._find(uid)
        wanted(request, of(member_json(membership)))
        return tagged(member_json(services.change_role(membership, read(OtherRole, self.fields(request))["role"])))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uid: UUID) -> Response:
        """They see nothing of this tenant any more."""
        membership = self._find(uid)
        wanted(request, of(member_json(membership)))
        services.remove_member(membership)
        return Response(status=204)


class Tokens(Endpoint):
    """Your tokens for this tenant; who manages members sees everybody's. A new one is narrowed to this tenant."""

    writes = None
    listing = Listing({"created_at": "created_at", "name": "name"}, ("name",), default="-created_at")

    @listed(TOKEN, "Token", orderings=listing.orderings)
    def get(self, request: Request) -> Response:
        return Response(self.listing.page(request, _tokens(self), token_json))

    @extend_schema(request=TokenWish, responses={201: NEW_TOKEN})
    def post(self, request: Request) -> Response:
        """Makes a token; its secret is in this answer only."""
        wish = read(TokenWish, self.fields(request))
        token, secret = services.issue_token(self.who, **wish)
        return tagged({**token_json(token), "token": secret}, 201, location=f"{request.path}{token.uid}/")


class OneToken(Endpoint):
    """A token; its secret is never shown again."""

    writes = None

    @extend_schema(responses=TOKEN)
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(token_json(self._find(request, uid)))

    @extend_schema(responses={204: None}, description="Revokes the token; it stays listed.")
    def delete(self, request: Request, uid: UUID) -> Response:
        """Revokes it at once."""
        token = self._find(request, uid)
        wanted(request, of(token_json(token)))
        services.revoke_token(token)
        return Response(status=204)

    def _find(self, request: Request, uid: UUID) -> ApiToken:
        found = _tokens(self).filter(uid=uid).first()
        if found is None:
            raise Http404
        return found


def _tokens(asked: Endpoint) -> Any:
    found = ApiToken.objects.select_related("user").filter(tenant=current())
    return found if "members" in asked.rights else found.filter(user=asked.who.user)


class Audit(Endpoint):
    """Who did what, the newest first. Hash-chained: ``digest`` covers every other field and ``previous``."""

    reads = "audit"
    listing = Listing(
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

    @listed(AUDIT_ENTRY, "AuditEntry", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        return Response(self.listing.page(request, AuditEntry.objects.all(), audit_json))
