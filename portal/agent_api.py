"""The API of the exchange nodes, ``/agent/v1/``: enrolment, the signed document, reports.

A node authenticates with ``Authorization: Node TOKEN``. It belongs to no tenant, so the middleware opens no scope here;
services open the scopes of the tenants that are on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from portal.agent_wait import WAIT_HEADER
from portal.api.parsers import check_json_value
from portal.api.problems import problem_response
from provisioning.core.values.counter_key import split_tenant
from provisioning.models import Node
from provisioning.services import nodes
from tenants.errors import RequestRefused

MAX_WAIT_SECONDS = 30
MAX_COUNTER_DIGITS, MAX_KEY_LENGTH, MAX_DIGEST_LENGTH, MAX_INTEGER = 18, 200, 64, 2**63 - 1
"""What the database columns can hold."""

AgentViewFunction = Callable[..., HttpResponse]


class MalformedRequest(Exception):
    """A request that cannot be read; answered with 400."""


def _agent_endpoint(method: str) -> Callable[[AgentViewFunction], AgentViewFunction]:
    """Decorate a view so that it answers one method, and refusals become problem documents."""

    def decorator(view: AgentViewFunction) -> AgentViewFunction:
        @csrf_exempt
        @wraps(view)
        def wrapper(request: HttpRequest) -> HttpResponse:
            if request.method != method:
                return problem_response(request, 405, f"Use {method} here.")
            try:
                return view(request)
            except MalformedRequest as error:
                return problem_response(request, 400, str(error))
            except RequestRefused as error:
                return problem_response(request, error.status, error.detail, title=error.title, problems=error.problems)

        return wrapper

    return decorator


def _require_node(view: AgentViewFunction) -> AgentViewFunction:
    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        node = nodes.authenticate_node(_node_token(request))
        return _refuse_token(request) if node is None else view(request, node)

    return wrapper


def _node_token(request: HttpRequest) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Node ").strip() if header.startswith("Node ") else ""


def _refuse_token(request: HttpRequest) -> HttpResponse:
    refused = problem_response(request, 401, "This node token is not valid. Enrol again.")
    refused["WWW-Authenticate"] = 'Node realm="Causeway"'
    return refused


@_agent_endpoint("POST")
def enroll(request: HttpRequest) -> HttpResponse:
    """``{"location", "index", "enrollment_key", "epoch"}`` → ``{"token", "public_key"}``."""
    body = _json_body(request)
    location, index = _required_field(body, "location", str), _required_field(body, "index", int)
    key, epoch = _required_field(body, "enrollment_key", str), _required_field(body, "epoch", str)
    token, public_key = nodes.enroll_node(location, index, key, epoch[:64])
    return JsonResponse({"token": token, "public_key": public_key}, status=201)


@_agent_endpoint("GET")
@_require_node
def document(request: HttpRequest, node: Node) -> HttpResponse:
    """Answer ``?have=DIGEST&wait=SECONDS`` with the document when it differs, now or within the wait, else with 204.

    The wait is ``portal.agent_wait``'s.
    """
    have, wait = request.GET.get("have", ""), request.GET.get("wait", "0")
    if not re.fullmatch(r"[0-9]{1,9}", wait):
        raise MalformedRequest("“wait” must be a number of seconds.")
    if not nodes.has_newest_document(node, have):
        text, digest, signature = nodes.signed_document(node)
        if digest != have:
            return JsonResponse({"document": text, "signature": signature})
    seconds = min(int(wait), MAX_WAIT_SECONDS)
    return HttpResponse(status=204, headers={WAIT_HEADER: f"{node.pk} {seconds}"} if seconds else {})


@_agent_endpoint("POST")
def report(request: HttpRequest) -> HttpResponse:
    """Record what the node applied, what it could not apply, its health and its counters.

    ``ended``: ``{"epoch", "sequence", "counters"}``, what it counted last before its counters began anew. The token is
    checked by the statement that stores the report.
    """
    token = _node_token(request)
    if not token:
        return _refuse_token(request)
    body = _json_body(request)
    _check_objects(body, "applied", "failed", "counters", "health", "ended")
    ended = body.get("ended", {})
    _check_objects(ended, "counters")
    numbers = {name: body.get(name, 0) for name in ("serial", "sequence")}
    numbers["document_version"] = body.get("health", {}).get("document_version", 0)
    numbers["ended.sequence"] = ended.get("sequence", 0)
    for name, number in numbers.items():
        if not isinstance(number, int) or not 0 <= number <= MAX_INTEGER:
            raise MalformedRequest(f"“{name}” must be an integer from 0 to {MAX_INTEGER}.")
    for address, digest in body.get("applied", {}).items():
        if not isinstance(digest, str) or len(digest) > MAX_DIGEST_LENGTH:
            raise MalformedRequest(f"“applied” of {address[:MAX_KEY_LENGTH]} must be a digest.")
    for counters in (body.get("counters", {}), ended.get("counters", {})):
        _check_counters(counters)
    return HttpResponse(status=204) if nodes.record_report(token, body) else _refuse_token(request)


def _check_objects(body: dict[str, Any], *names: str) -> None:
    for name in names:
        if not isinstance(body.get(name, {}), dict):
            raise MalformedRequest(f"“{name}” must be an object.")


def _check_counters(counters: dict[str, Any]) -> None:
    for key, value in counters.items():
        if len(split_tenant(key)[1]) > MAX_KEY_LENGTH:
            raise MalformedRequest(f"The key of counter {key[:MAX_KEY_LENGTH]}… is too long.")
        if not isinstance(value, int) or value < 0 or len(str(value)) > MAX_COUNTER_DIGITS:
            raise MalformedRequest(
                f"Counter {key} is {value!r}; it must be an integer of at most {MAX_COUNTER_DIGITS} digits."
            )


def _json_body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = check_json_value(json.loads(request.body))
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise MalformedRequest("Send a JSON object.")
    return body


def _required_field(body: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(body.get(name), kind):
        raise MalformedRequest(f"“{name}” is missing or of the wrong type.")
    return body[name]


urlpatterns = [
    path("enroll/", enroll),
    path("document/", document),
    path("report/", report),
]
