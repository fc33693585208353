"""Every refusal as a problem document (RFC 9457, problem details): what happened, to what, and what to do.

``{"type", "title", "status", "detail", "problems": [{"code", "path", "message"}], "request_id"}``
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from portal.api.renderers import JsonRenderer
from provisioning.core.intent import InvalidIntent
from provisioning.core.values.resource import Problem, limit_problems, truncate
from tenants.errors import RequestRefused

MEDIA_TYPE = "application/problem+json"
DATABASE_AWAY_TITLE = "The database is away"
DATABASE_AWAY = "The portal's database does not answer. Nothing was changed; try again in a few seconds."
RETRY_SECONDS = 5
MACHINE_PATHS = ("/api/", "/agent/")

# Our codes for the codes of serializers and parsers.
FRAMEWORK_CODES = {
    "invalid": "wrong_type",
    "null": "required",
    "blank": "required",
    "empty": "required",
    "does_not_exist": "unknown_reference",
    "invalid_choice": "not_one_of",
    "not_a_list": "wrong_type",
    "max_length": "out_of_range",
    "min_length": "out_of_range",
    "max_value": "out_of_range",
    "min_value": "out_of_range",
}


class ProblemRenderer(JsonRenderer):
    media_type = MEDIA_TYPE
    format = "problem"


def problem_document(
    status: int, detail: str, *, title: str = "", kind: str = "", problems: Iterable[Problem] = (), request_id: str = ""
) -> dict[str, Any]:
    title = title or HTTPStatus(status).phrase.capitalize()
    kind = kind or title.lower().replace(" ", "-")
    return {
        "type": f"urn:causeway:problem:{kind}",
        "title": title,
        "status": status,
        "detail": truncate(detail),
        "problems": [{"code": p.code, "path": p.path, "message": p.message} for p in limit_problems(problems)],
        **({"request_id": request_id} if request_id else {}),
    }


def problem_response(request: HttpRequest, status: int, detail: str, **more: Any) -> JsonResponse:
    """Return a problem document for views outside REST framework and for requests that reached no view."""
    body = problem_document(status, detail, request_id=getattr(request, "request_id", ""), **more)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error (REST framework's hook), or None for a bug, which ``server_error`` answers."""
    request_id = getattr(context["request"]._request, "request_id", "")
    headers: dict[str, str] = {}
    if isinstance(error, RequestRefused):
        body = problem_document(error.status, error.detail, title=error.title, kind=error.kind, problems=error.problems)
        body |= error.extra
    elif isinstance(error, InvalidIntent):
        body = problem_document(
            400, str(error), title="The request is not right", kind="invalid", problems=error.problems
        )
    elif isinstance(error, Http404):
        body = problem_document(404, "There is nothing at this address.", kind="missing")
    elif isinstance(error, PermissionDenied):
        body = problem_document(403, str(error) or "You may not do that.", kind="forbidden")
    elif isinstance(error, OperationalError):
        body = problem_document(503, DATABASE_AWAY, title=DATABASE_AWAY_TITLE, kind="away")
        headers = {"Retry-After": str(RETRY_SECONDS)}
    elif isinstance(error, exceptions.APIException):
        body, headers = _framework_problem(error)
    else:
        return None
    if request_id:
        body["request_id"] = request_id
    return Response(body, status=body["status"], headers=headers)


def _framework_problem(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    problems = list(_flatten_detail(error.detail))
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    detail = str(error)
    if problems:
        detail = f"{problems[0].path}: {problems[0].message}" if problems[0].path else problems[0].message
    title = "The request is not right" if error.status_code == 400 else ""
    return problem_document(
        error.status_code, detail, title=title, kind=_problem_kind(error), problems=problems
    ), headers


def _problem_kind(error: exceptions.APIException) -> str:
    return str(error.default_code).replace("_", "-")


def _flatten_detail(detail: Any, path: str = "") -> Iterator[Problem]:
    if isinstance(detail, dict):
        for field, inner in detail.items():
            name = "" if field == "non_field_errors" else str(field)
            yield from _flatten_detail(inner, f"{path}.{name}".strip("."))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _flatten_detail(inner, path if isinstance(inner, str) else f"{path}[{index}]")
    else:
        code = getattr(detail, "code", "invalid")
        yield Problem(FRAMEWORK_CODES.get(code, code), path, str(detail))


def _is_machine_path(request: HttpRequest) -> bool:
    return request.path.startswith(MACHINE_PATHS)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not _is_machine_path(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return problem_response(request, 413, "The body is too large.")
    detail = str(exception) if settings.DEBUG and isinstance(exception, SuspiciousOperation) else ""
    return problem_response(request, 400, detail or "The request cannot be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not _is_machine_path(request):
        return defaults.permission_denied(request, exception)
    return problem_response(request, 403, str(exception) or "You may not do that.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not _is_machine_path(request):
        return defaults.page_not_found(request, exception)
    return problem_response(request, 404, "There is nothing at this address.", kind="missing")


def _unavailable(request: HttpRequest) -> HttpResponse:
    """Return the answer while the database is away; nothing of the request was carried out."""
    if _is_machine_path(request):
        response: HttpResponse = problem_response(request, 503, DATABASE_AWAY, title=DATABASE_AWAY_TITLE, kind="away")
    else:
        response = HttpResponse(f"{DATABASE_AWAY}\n", status=503, content_type="text/plain")
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view has caught; Django calls this while it handles the exception."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return _unavailable(request)
    if not _is_machine_path(request):
        return defaults.server_error(request)
    detail = "The portal failed. Nothing was changed. Find the cause in the portal's log by the request id."
    return problem_response(request, 500, detail, title="The portal failed", kind="failed")
