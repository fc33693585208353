"""Entity tags (RFC 9110, section 8.8.3): a write names what it has read in If-Match, so that no change is lost."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request

from portal.api.renderers import DecimalJsonEncoder
from provisioning.errors import PreconditionFailed


def entity_tag(representation: Any) -> str:
    """Return the entity tag of an answer: a hash of its content."""
    text = json.dumps(representation, cls=DecimalJsonEncoder, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def matches(request: Request, current: str) -> bool:
    """Return whether the request may write over the state with this tag: it has no If-Match, or one that names it."""
    header = request.headers.get("If-Match")
    return header is None or parse_etags(header) == ["*"] or f'"{current}"' in parse_etags(header)


def check_if_match(request: Request, current: str) -> None:
    """Raise PreconditionFailed when If-Match names another state than ``current``."""
    if not matches(request, current):
        raise PreconditionFailed("The object")
