"""Cursors of lists: a position in an order, and the fingerprint of the query it belongs to.

In another list, ordering, search or filter the page behind a position would be a wrong page that looks right. So a
cursor of another query is refused. The version that is read is no part of the fingerprint: rows that are added or
removed between two pages neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import json

from provisioning.core.values.resource import Problem, content_digest
from provisioning.errors import InvalidQuery

CursorPosition = tuple[str | int, int]
"""The value that is ordered by, and the key that tells equal ones apart."""


def query_fingerprint(*query: object) -> str:
    """Return the fingerprint of a query: plain values that say which list, in which order, filtered by what."""
    return content_digest(query)[:12]


def encode_cursor(fingerprint: str, position: CursorPosition, backwards: bool = False) -> str:
    """Return the cursor as a client gets it: URL-safe base64 of JSON, opaque to the client."""
    return base64.urlsafe_b64encode(json.dumps([fingerprint, *position, backwards]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, fingerprint: str) -> tuple[CursorPosition | None, bool]:
    """Return the position to go on from, and whether backwards; raise InvalidQuery for a cursor of another query."""
    if not cursor:
        return None, False
    try:
        of_query, value, key, backwards = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(of_query, str) or not isinstance(value, str | int) or "\0" in str(value):
            raise ValueError
        str(value).encode()
        position = value, int(key)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise invalid_cursor() from error
    if of_query != fingerprint:
        detail = "This cursor belongs to another list, ordering, search or filter."
        remedy = "Ask for the first page, without a cursor, and follow next and previous as they are given."
        raise InvalidQuery(detail, [Problem("foreign_cursor", "cursor", f"{detail} {remedy}")])
    return position, bool(backwards)


def invalid_cursor() -> InvalidQuery:
    problem = Problem("bad_cursor", "cursor", "Take the next and previous addresses as they are given.")
    return InvalidQuery("This is not a cursor of this API.", [problem])
