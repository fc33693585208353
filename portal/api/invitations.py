"""The invitations of the person who asks: listed, accepted, declined."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView
from portal.api.pagination import CursorPaginator
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import choice, object_schema, text, timestamp, uid
from tenants.invitations import answer_invitation, pending_invitations
from tenants.models import TENANT_ROLES, Membership

INVITATION = object_schema(
    "Invitation",
    id=uid(),
    tenant=text("slug"),
    role=choice([role.value for role in TENANT_ROLES]),
    invited_by=text(),
    invited_at=timestamp(),
)


def invitation_json(membership: Membership) -> dict[str, Any]:
    return {
        "id": membership.uid,
        "tenant": membership.tenant.slug if membership.tenant else "",
        "role": membership.role,
        "invited_by": membership.invited_by,
        "invited_at": membership.invited_at,
    }


class InvitationListView(BaseApiView):
    """Tenants that you are invited to and have not answered."""

    read_right = None
    paginator = CursorPaginator({"invited_at": "invited_at"}, ("tenant__slug",))

    @extend_list_schema(INVITATION, "Invitation", orderings=paginator.orderings)
    def get(self, request: Request) -> Response:
        return Response(self.paginator.page(request, pending_invitations(self.principal.user), invitation_json))


class InvitationAcceptView(BaseApiView):
    """Become a member. Tokens that are limited to a tenant or to rights cannot."""

    write_right = None
    accept = True

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, uid: UUID) -> Response:
        token = self.principal.token
        if token and (token.tenant_id or token.scopes):
            raise PermissionDenied("A token limited to a tenant or to rights answers no invitation.", "lacks_person")
        membership = pending_invitations(self.principal.user).filter(uid=uid).first()
        if membership is None:
            raise Http404
        answer_invitation(self.principal.user, membership, accept=self.accept)
        return Response(status=204)


class InvitationDeclineView(InvitationAcceptView):
    """Decline; the tenant no longer lists you."""

    accept = False
