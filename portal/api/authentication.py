"""Authentication by what the middleware has found (tenants.middleware): a bearer token, or the session of a page."""

from __future__ import annotations

from typing import Any

from django.middleware.csrf import CsrfViewMiddleware
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from tenants.models import ApiToken, User


class MiddlewareAuthentication(BaseAuthentication):
    """Takes over what ``tenants.middleware.IdentityMiddleware`` found; a session must also send its CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken | None] | None:
        http: Any = request._request
        if http.principal is None and "Authorization" in request.headers:
            raise AuthenticationFailed("This token is not valid: it is unknown, expired or revoked.", "bad_token")
        if http.principal is None:
            return None
        if not http.bearer:
            self._refuse_forgery(request)
        return http.principal.user, http.principal.token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Causeway"'

    def _refuse_forgery(self, request: Request) -> None:
        check: Any = _CsrfCheck(lambda request: None)  # type: ignore[arg-type]
        check.process_request(request._request)
        reason = check.process_view(request._request, None, (), {})
        if reason:
            raise PermissionDenied(f"Send the page's X-CSRFToken, or use a bearer token. ({reason})", "csrf")


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> str:
        return reason


class PortalAuthenticationScheme(OpenApiAuthenticationExtension):
    """The authentication in the OpenAPI document; drf-spectacular finds this class by its base class."""

    target_class = MiddlewareAuthentication
    name = ["token", "session"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A token of your tenant's settings."},
            {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "For the portal's own pages."},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{"token": []}, {"session": []}]
