"""Idempotency-Key: a POST that is sent again is answered again, not done again.

The answer is kept in the transaction of what it tells about, sealed (an answer may hold a new token's secret),
for a day. A refused request leaves nothing behind, so its key can be used again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.rendering import JsonRenderer
from tenants import vault
from tenants.models import IdempotentResponse

KEPT = timedelta(days=1)
HEADERS = ("Location", "ETag")


class OtherRequest(APIException):
    status_code = 409
    default_code = "key_reused"


class Answered(Exception):
    """This request was answered before; ``response`` is that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def look(request: Request, body: bytes) -> None:
    """Raises Answered when the same request was answered before. Has to be called inside a transaction."""
    key = _key(request)
    if key is None:
        return
    with connection.cursor() as cursor:
        # The second of two equal requests waits here until the first has committed.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{_person(request)} {key}"])
    found = IdempotentResponse.objects.filter(user_id=_person(request), key=key, created_at__gt=timezone.now() - KEPT).first()
    if found is None:
        return
    if found.request_digest != _digest(request, body):
        raise OtherRequest("This Idempotency-Key was used for another request. Take a new key.")
    headers = {**found.headers, "Idempotent-Replayed": "true"}
    raise Answered(Response(json.loads(vault.unseal(_sealed(found))["body"]), found.status, headers=headers))


def keep(request: Request, body: bytes, response: Response) -> None:
    key = _key(request)
    if key is None:
        return
    IdempotentResponse.objects.filter(user_id=_person(request), created_at__lte=timezone.now() - KEPT).delete()
    IdempotentResponse.objects.create(
        user_id=_person(request),
        key=key,
        request_digest=_digest(request, body),
        status=response.status_code,
        body={"sealed": vault.seal({"body": JsonRenderer().render(response.data).decode() or "null"})},
        headers={name: response[name] for name in HEADERS if name in response},
    )


def _person(request: Request) -> int:
    return int(request.user.pk or 0)


def _sealed(answer: IdempotentResponse) -> str:
    return str((answer.body or {})["sealed"])


def _key(request: Request) -> str | None:
    key: Any = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 120 or not key.isprintable():
        raise ValidationError("An Idempotency-Key has 1 to 120 printable characters.", "bad_key")
    return str(key)


def _digest(request: Request, body: bytes) -> str:
    told = f"{request.method} {request.get_full_path()} {request.content_type}\n".encode()
    return hashlib.sha256(told + body).hexdigest()
