"""Cursors of lists: a place in an order, and which question it belongs to.

A place is only one in the order it was taken from; in another list, ordering, search or filter the page behind it would
be a wrong one that looks right. So a cursor carries a print of its question, and one of another question is refused.
The version that is read is no part of it: rows that come or go between two pages neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import json

from provisioning.core.values.resource import Problem, content_digest
from provisioning.errors import InvalidQuery

CursorPosition = tuple[str | int, int]
"""The value that is ordered by, and the key that tells equal ones apart."""


def query_fingerprint(*asked: object) -> str:
    """The print of what is asked: plain values that say which list, in which order, and what of it."""
    return content_digest(asked)[:12]


def encode_cursor(asked: str, place: CursorPosition, backwards: bool = False) -> str:
    return base64.urlsafe_b64encode(json.dumps([asked, *place, backwards]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, asked: str) -> tuple[CursorPosition | None, bool]:
    """Where to go on, and whether backwards; raises Unreadable for what this question never gave out."""
    if not cursor:
        return None, False
    try:
        told, value, key, backwards = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(told, str) or not isinstance(value, str | int) or "\0" in str(value):
            raise ValueError
        str(value).encode()
        place = value, int(key)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise invalid_cursor() from error
    if told != asked:
        detail = "This cursor belongs to another list, ordering, search or filter."
        remedy = "Ask for the first page, without a cursor, and follow next and previous as they are given."
        raise InvalidQuery(detail, [Problem("foreign_cursor", "cursor", f"{detail} {remedy}")])
    return place, bool(backwards)


def invalid_cursor() -> InvalidQuery:
    problem = Problem("bad_cursor", "cursor", "Take the next and previous addresses as they are given.")
    return InvalidQuery("This is no cursor of ours.", [problem])
