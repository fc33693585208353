"""A table of ten thousand connectors brought into a draft by one request, and a thousand edits by another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from provisioning.services.drafts.bulk import MAX_EDITS, MAX_ROWS
from tests.bench import Figure

BOUND_ROWS, BOUND_EDITS = 6.0, 2.0
"""Seconds, of the most that one request may hold."""
SEGMENTS, GROUPS = 100, 500

PostRequest = Callable[[str, bytes, str], dict[str, Any]]
"""Address below the tenant's, body, media type → the answer."""


def measure_bulk_import(post: PostRequest) -> Iterator[Figure]:
    """The best of two, each in a draft of its own."""
    rows, edits = zip(*(_import_once(post, f"bulk-{nth}") for nth in range(2)), strict=True)
    yield Figure(f"{MAX_ROWS:,} rows of CSV imported", min(rows), "s", bound=BOUND_ROWS)
    yield Figure(f"{MAX_EDITS:,} objects made by one list of edits", min(edits), "s", bound=BOUND_EDITS)


def _import_once(post: PostRequest, name: str) -> tuple[float, float]:
    draft = f"drafts/{_post_json(post, 'drafts/', {'name': name})['id']}/"
    ground = [("exchanges", {"name": "eu", "location": "aws-eu-central-1"})]
    ground += [("segments", {"name": f"s-{place}"}) for place in range(SEGMENTS)]
    ground += [("groups", {"name": f"g-{place}"}) for place in range(GROUPS)]
    _post_json(post, f"{draft}edits/", {"edits": [_create_edit(*one) for one in ground]})
    table = ["name,kind,exchange,segment,group,prefixes", *map(_csv_row, range(MAX_ROWS))]
    began = time.perf_counter()
    answer = post(f"{draft}import/connectors/", "\n".join(table).encode(), "text/csv")
    rows = time.perf_counter() - began
    assert answer["created"] == MAX_ROWS
    sites = [_create_edit("connectors", _site_body(place)) for place in range(MAX_EDITS)]
    began = time.perf_counter()
    _post_json(post, f"{draft}edits/", {"edits": sites})
    return rows, time.perf_counter() - began


def _csv_row(place: int) -> str:
    segment, nth = place % SEGMENTS, place // SEGMENTS
    return f"branch-{place},lab-site,eu,s-{segment},g-{place % GROUPS},10.{nth >> 8}.{nth & 255}.0/24"


def _site_body(place: int) -> dict[str, Any]:
    attached = {"segment": "s-1", "group": "g-1", "prefixes": [f"172.16.{place >> 8}.{place & 255}/32"]}
    return {"name": f"site-{place}", "kind": "lab-site", "exchange": "eu", "attachments": [attached]}


def _create_edit(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"action": "create", "kind": kind, "body": body}


def _post_json(post: PostRequest, path: str, body: Any) -> dict[str, Any]:
    return post(path, json.dumps(body).encode(), "application/json")
