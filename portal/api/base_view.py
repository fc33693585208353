"""What every API view does the same way: rights, body sizes, entity tags, idempotency keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api import etags, idempotency, parsers
from portal.api.permissions import HasRight
from portal.api.problems import ProblemRenderer
from portal.api.renderers import JsonRenderer
from portal.api.throttling import RequestThrottle
from tenants.principal import Principal


class BaseApiView(APIView):
    """``read_right`` and ``write_right``: rights (tenants.roles), None where being signed in is enough.

    Below ``t/{slug}/`` the middleware has opened the tenant's scope, and with it a transaction; elsewhere a write gets
    a transaction here. Either is rolled back when the answer is a refusal.
    """

    read_right: ClassVar[str | None] = "view"
    write_right: ClassVar[str | None] = "edit"
    max_body_bytes: ClassVar[int] = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    """The largest body, in bytes."""
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Fields of a POST's answer that are sent once: a repeated Idempotency-Key gets null."""

    parser_classes = [parsers.JsonParser]
    renderer_classes = [JsonRenderer]
    permission_classes = [HasRight]
    throttle_classes = [RequestThrottle]
    metadata_class = None
    raw_body = b""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if kwargs.pop("slug", None) is not None or request.method in ("GET", "HEAD"):
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name, values in request.query_params.lists():
            if any("\0" in value for value in (name, *values)):
                raise ValidationError({name.replace("\0", ""): ["It holds the character U+0000."]}, "wrong_type")
        if request.method not in ("GET", "HEAD"):
            self.raw_body = parsers.read_body(request, self.max_body_bytes)
        if request.method == "POST":
            idempotency.replay_response(request, self.raw_body)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, idempotency.ReplayedResponse):
            return exc.response
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code >= 400 and isinstance(response, Response):
            request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), ProblemRenderer.media_type
        elif request.method == "POST" and isinstance(response, Response) and "Idempotent-Replayed" not in response:
            idempotency.store_response(request, self.raw_body, response, self.secret_fields)
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if request.method in ("GET", "HEAD") and response.status_code == 200 and isinstance(response, Response):
            if "ETag" not in response:
                response["ETag"] = f'"{etags.entity_tag(response.data)}"'
            return get_conditional_response(request._request, etag=response["ETag"], response=response)
        return response

    @property
    def principal(self) -> Principal:
        """The person or token that sent the request; after the permission check there always is one."""
        http: Any = self.request._request
        principal: Principal = http.principal
        return principal

    def tenant_path(self, *parts: object) -> str:
        """Return an address below this tenant's."""
        http: Any = self.request._request
        return "/".join(["/api/v1/t", http.tenant.slug, *map(str, parts), ""])

    @property
    def rights(self) -> frozenset[str]:
        http: Any = self.request._request
        rights: frozenset[str] = http.rights
        return rights

    def json_body(self, request: Request) -> dict[str, Any]:
        """Return the body as an object. Raise ParseError for an empty body, which may have been lost on its way."""
        if not self.raw_body:
            raise ParseError("The body is empty. Send a JSON object with fields.", "required")
        if not isinstance(request.data, dict):
            raise BodyNotAnObject("Send a JSON object with fields.", "wrong_type")
        return request.data


class BodyNotAnObject(APIException):
    status_code = 400
    default_code = "wrong_type"


def response_with_etag(
    data: Any, status: int = 200, *, tag: str | None = None, location: str | None = None
) -> Response:
    """Return an answer with its entity tag and, on creation, its address."""
    headers = {"ETag": f'"{tag or etags.entity_tag(data)}"', **({"Location": location} if location else {})}
    return Response(data, status, headers=headers)
