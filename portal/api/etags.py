"""Entity tags: what was read can be named in If-Match, so that nobody overwrites what they have not seen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request

from portal.api.renderers import DecimalJsonEncoder
from provisioning.errors import PreconditionFailed


def entity_tag(representation: Any) -> str:
    """The tag of an answer: a hash of what it says."""
    text = json.dumps(representation, cls=DecimalJsonEncoder, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def check_if_match(request: Request, current: str) -> str | None:
    """The tag to hold a write to: None without If-Match; raises Changed when it names another state."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    tags = parse_etags(header)
    if tags != ["*"] and f'"{current}"' not in tags:
        raise PreconditionFailed("It was changed since you read it. Read it again and repeat your change.")
    return current
