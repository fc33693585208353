"""Middleware: who is asking, and which tenant the request is about. No code behind it chooses a tenant."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from tenants import tokens
from tenants.actor import Actor, acting
from tenants.models import Tenant
from tenants.principal import Principal
from tenants.scope import scope

API_PREFIX = "/api/"
FORM_CONTENT_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
TENANT_PATH = re.compile(r"^/(?:api/v1/)?t/(?P<slug>[^/]+)/")


class TenantRequest(HttpRequest):
    """A request as views get it."""

    principal: Principal | None
    bearer: bool
    request_id: str
    is_stranger: bool = False
    tenant: Tenant
    rights: frozenset[str]


GetResponse = Callable[[Any], HttpResponseBase]


class IdentityMiddleware:
    """Sets ``request.principal``: the session's user, on the API the bearer token's, or None."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponseBase:
        if "\0" in request.path_info or (not request.path_info.startswith(API_PREFIX) and _has_nul(request)):
            # PostgreSQL cannot keep it and no person types it.
            raise BadRequest("The request holds the character U+0000.")
        header = request.headers.get("Authorization", "")
        # A token narrows what its user may do on the API only, so on pages, where people change their passwords, it
        # counts for nothing.
        request.bearer = header.startswith("Bearer ") and request.path_info.startswith(API_PREFIX)
        if request.bearer:
            token = tokens.find(header.removeprefix("Bearer ").strip())
            request.user = token.user if token else AnonymousUser()
            request.principal = Principal(token.user, token) if token else None
        else:
            request.principal = Principal(request.user) if request.user.is_authenticated else None
        request.request_id = str(uuid.uuid4())
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request.request_id
        return response


def _has_nul(request: HttpRequest) -> bool:
    form = request.method == "POST" and request.content_type in FORM_CONTENT_TYPES
    fields = [*request.GET.lists(), *(request.POST.lists() if form else ())]
    return any("\0" in text for name, values in fields for text in (name, *values))


class TenantMiddleware:
    """Opens the scope of the tenant in the URL for those who may see it; a stranger gets 404, as if it were not there.

    Whoever is not logged in passes without a scope: the view behind sends them to the login, or answers 401.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponseBase:
        match, principal = TENANT_PATH.match(request.path_info), request.principal
        if principal is None:
            return self.get_response(request)
        actor = Actor(principal.user.email, "", request.META.get("REMOTE_ADDR", ""), request.request_id)
        if match is None:
            with acting(actor):
                return self.get_response(request)
        tenant = find_visible_tenant(principal, match["slug"])
        if tenant is None:
            request.is_stranger = True
            return self.get_response(request)
        request.tenant, request.rights = tenant, principal.rights(tenant)
        msp = principal.acting_as(tenant)
        actor = replace(actor, acting_as=msp.slug if msp else "", rights=request.rights)
        with acting(actor), scope(tenant):
            response = self.get_response(request)
            if response.status_code >= 400:
                # A refused request leaves nothing behind.
                transaction.set_rollback(True)
        return response

    def process_view(self, request: TenantRequest, view: Any, args: Any, kwargs: Any) -> None:
        if getattr(request, "is_stranger", False):
            raise Http404


def find_visible_tenant(principal: Principal, slug: str) -> Tenant | None:
    """The tenant with this slug if it may be seen, else None: to a stranger it does not exist."""
    tenant = Tenant.objects.select_related("msp").filter(slug=slug).first()
    return tenant if tenant and principal.rights(tenant) else None
