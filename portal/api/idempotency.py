"""Idempotency-Key: a POST that is sent again gets the same answer again and changes nothing.

As in the IETF draft "The Idempotency-Key HTTP Header Field". The answer is stored in the transaction of the change it
reports, for a day, encrypted and without secrets. It belongs to the token or session that got it, and to the rights
they had then. A refused request leaves nothing behind, so its key can be used again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.renderers import JsonRenderer
from tenants import vault
from tenants.models import IdempotentResponse

RESPONSE_LIFETIME = timedelta(days=1)
MAX_KEY_LENGTH = 120
STORED_HEADERS = ("Location", "ETag")
DELETED_AT_ONCE = 100
"""How many expired answers a new one takes with it."""


class IdempotencyKeyReused(APIException):
    status_code = 409
    default_code = "key_reused"


class ReplayedResponse(Exception):
    """This request was answered before; ``response`` is that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def replay_response(request: Request, body: bytes) -> None:
    """Raise ReplayedResponse when the same request was answered before. Call this inside a transaction."""
    key = _idempotency_key(request)
    if key is None:
        return
    with connection.cursor() as cursor:
        # The second of two equal requests waits here until the first has committed.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{_caller(request)} {key}"])
    stored = IdempotentResponse.objects.filter(
        caller=_caller(request), key=key, created_at__gt=timezone.now() - RESPONSE_LIFETIME
    ).first()
    if stored is None:
        return
    if stored.request_digest != _request_digest(request, body):
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used for another request, or with other rights. Take a new key."
        )
    headers = {**stored.headers, "Idempotent-Replayed": "true"}
    raise ReplayedResponse(
        Response(json.loads(vault.unseal(_sealed_body(stored))["body"]), stored.status, headers=headers)
    )


def store_response(request: Request, body: bytes, response: Response, secret_fields: Collection[str]) -> None:
    """Store the answer under the request's key, if it has one; ``secret_fields`` are repeated as null."""
    key = _idempotency_key(request)
    if key is None:
        return
    expired = IdempotentResponse.objects.filter(created_at__lte=timezone.now() - RESPONSE_LIFETIME)
    deletable = expired.select_for_update(skip_locked=True).values_list("pk", flat=True)[:DELETED_AT_ONCE]
    IdempotentResponse.objects.filter(pk__in=list(deletable)).delete()
    data = {**response.data, **dict.fromkeys(secret_fields)} if secret_fields else response.data
    IdempotentResponse.objects.create(
        caller=_caller(request),
        key=key,
        request_digest=_request_digest(request, body),
        status=response.status_code,
        body={"sealed": vault.seal({"body": JsonRenderer().render(data).decode() or "null"})},
        headers={name: response[name] for name in STORED_HEADERS if name in response},
    )


def _caller(request: Request) -> str:
    """Return what names the token, or the session without giving its key away."""
    if request.auth:
        return f"token:{request.auth.pk}"
    session_key = str(request._request.session.session_key)
    return f"session:{hashlib.sha256(session_key.encode()).hexdigest()}"


def _sealed_body(answer: IdempotentResponse) -> str:
    return str((answer.body or {})["sealed"])


def _idempotency_key(request: Request) -> str | None:
    key: Any = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise ValidationError(f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} printable characters.", "bad_key")
    return str(key)


def _request_digest(request: Request, body: bytes) -> str:
    http: Any = request._request
    rights = ",".join(sorted(getattr(http, "rights", ())))
    request_line = f"{request.method} {request.get_full_path()} {request.content_type} {rights}\n".encode()
    return hashlib.sha256(request_line + body).hexdigest()
