"""Entity tags (RFC 9110, section 8.8.3): a write names what it has read in If-Match, so that no change is lost."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request

from portal.api.renderers import DecimalJsonEncoder
from provisioning.errors import PreconditionFailed
from tenants.models import AuditEntry


def entity_tag(representation: Any) -> str:
    """Return the entity tag of an answer: a hash of its content."""
    text = json.dumps(representation, cls=DecimalJsonEncoder, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def matches(request: Request, current: str) -> bool:
    """Return whether the request may write over the state with this tag: it has no If-Match, or one that names it."""
    header = request.headers.get("If-Match")
    return header is None or parse_etags(header) == ["*"] or f'"{current}"' in parse_etags(header)


def check_if_match(request: Request, current: str, last_entry: AuditEntry | None = None) -> None:
    """Raise PreconditionFailed when If-Match names another state than ``current``.

    It names who made the last change, where the audit log's entry about it is given.
    """
    if not matches(request, current):
        by, at = (last_entry.actor, last_entry.at) if last_entry else ("", None)
        raise PreconditionFailed("The object", by, at)
