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


def check_if_match(request: Request, current: str) -> str | None:
    """Return the tag that a write requires, or None without If-Match.

    Raises PreconditionFailed when If-Match names another state.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    tags = parse_etags(header)
    if tags != ["*"] and f'"{current}"' not in tags:
        raise PreconditionFailed("The object was changed since you read it. Read it again and repeat your change.")
    return current
