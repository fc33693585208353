"""What exchange nodes ask and tell, ``/agent/v1/``: enrolment, the signed document, reports.

A node says who it is with ``Authorization: Node TOKEN``. It belongs to no tenant, so there is no door here; services
open the scopes of the tenants that are on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from portal.api.bodies import plain
from portal.api.problems import answer
from provisioning.models import Node
from provisioning.services import nodes
from provisioning.errors import RequestRefused

LONGEST_WAIT = 30
DIGITS = 18
"""Of a counter; more would not fit where it is kept. Nor would longer texts and larger numbers than these:"""
LONGEST_KEY, LONGEST_DIGEST, HIGHEST = 200, 64, 2**63 - 1

View = Callable[..., HttpResponse]


class Malformed(Exception):
    """Told to the node as 400."""


def _door(method: str) -> Callable[[View], View]:
    """The method, a readable body, and refusals as problem documents."""

    def door(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def inside(request: HttpRequest) -> HttpResponse:
            if request.method != method:
                return answer(request, 405, f"Only {method} is answered here.")
            try:
                return view(request)
            except Malformed as error:
                return answer(request, 400, str(error))
            except RequestRefused as error:
                return answer(request, error.status, error.detail, title=error.title, problems=error.problems)

        return inside

    return door


def _node(view: View) -> View:
    @wraps(view)
    def inside(request: HttpRequest) -> HttpResponse:
        header = request.headers.get("Authorization", "")
        node = nodes.authenticate_node(header.removeprefix("Node ").strip()) if header.startswith("Node ") else None
        if node is None:
            refused = answer(request, 401, "This node token is not valid. Enrol again.")
            refused["WWW-Authenticate"] = 'Node realm="Causeway"'
            return refused
        return view(request, node)

    return inside


@_door("POST")
def enroll(request: HttpRequest) -> HttpResponse:
    """``{"location", "index", "enrollment_key", "epoch"}`` → ``{"token", "public_key"}``."""
    body = _fields(request)
    location, index = _of(body, "location", str), _of(body, "index", int)
    key, epoch = _of(body, "enrollment_key", str), _of(body, "epoch", str)
    token, public_key = nodes.enroll_node(location, index, key, epoch[:64])
    return JsonResponse({"token": token, "public_key": public_key}, status=201)


@_door("GET")
@_node
def document(request: HttpRequest, node: Node) -> HttpResponse:
    """``?have=DIGEST&wait=SECONDS``: the document when it is another one, now or within the wait; else 204."""
    have, wait = request.GET.get("have", ""), request.GET.get("wait", "0")
    if not wait.isdecimal():
        raise Malformed("“wait” is a number of seconds.")
    text, digest, signature = nodes.signed_document(node)
    if digest == have and int(wait):
        nodes.wait_for_change(node, min(int(wait), LONGEST_WAIT))
        text, digest, signature = nodes.signed_document(node)
    if digest == have:
        return HttpResponse(status=204)
    return JsonResponse({"document": text, "signature": signature})


@_door("POST")
@_node
def report(request: HttpRequest, node: Node) -> HttpResponse:
    """What it applied, what it could not, how it is and what it counted."""
    body = _fields(request)
    for name in ("applied", "failed", "counters", "health"):
        if not isinstance(body.get(name, {}), dict):
            raise Malformed(f"“{name}” is an object.")
    for name in ("version", "sequence"):
        number = body.get(name, 0)
        if not isinstance(number, int) or not 0 <= number <= HIGHEST:
            raise Malformed(f"“{name}” is a whole number.")
    for address, digest in body.get("applied", {}).items():
        if not isinstance(digest, str) or len(digest) > LONGEST_DIGEST:
            raise Malformed(f"What was applied of {address[:LONGEST_KEY]} is no digest.")
    for key, value in body.get("counters", {}).items():
        if len(key.partition("|")[2]) > LONGEST_KEY:
            raise Malformed(f"The key of counter {key[:LONGEST_KEY]}… is too long.")
        if not isinstance(value, int) or value < 0 or len(str(value)) > DIGITS:
            raise Malformed(f"Counter {key} is {value!r}, which is no count.")
    nodes.record_report(node, body)
    return HttpResponse(status=204)


def _fields(request: HttpRequest) -> dict[str, Any]:
    try:
        body = plain(json.loads(request.body))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise Malformed("Send a JSON object.")
    return body


def _of(body: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(body.get(name), kind):
        raise Malformed(f"“{name}” is missing or of the wrong type.")
    return body[name]


urlpatterns = [
    path("enroll/", enroll),
    path("document/", document),
    path("report/", report),
]
