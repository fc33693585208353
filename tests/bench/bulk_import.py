"""Import ten thousand connectors as CSV into a draft with one request, and a thousand edits with another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from provisioning.services.drafts.bulk import MAX_EDITS, MAX_ROWS
from tests.bench import Figure

BOUND_ROWS, BOUND_EDITS = 6.0, 2.0
"""Seconds for the largest request that is allowed."""
SEGMENTS, GROUPS = 100, 500

PostRequest = Callable[[str, bytes, str], dict[str, Any]]
"""(path below the tenant's, body, media type) → the decoded response."""


def measure_bulk_import(post: PostRequest) -> Iterator[Figure]:
    """Yield the best of two imports, each in its own draft."""
    rows, edits = zip(*(_import_once(post, f"bulk-{nth}") for nth in range(2)), strict=True)
    yield Figure(f"{MAX_ROWS:,} rows of CSV imported", min(rows), "s", bound=BOUND_ROWS)
    yield Figure(f"{MAX_EDITS:,} objects made by one list of edits", min(edits), "s", bound=BOUND_EDITS)


def _import_once(post: PostRequest, name: str) -> tuple[float, float]:
    draft = f"drafts/{_post_json(post, 'drafts/', {'name': name})['id']}/"
    objects = [("exchanges", {"name": "eu", "location": "aws-eu-central-1"})]
    objects += [("segments", {"name": f"s-{index}"}) for index in range(SEGMENTS)]
    objects += [("groups", {"name": f"g-{index}"}) for index in range(GROUPS)]
    _post_json(post, f"{draft}edits/", {"edits": [_create_edit(*item) for item in objects]})
    table = ["name,kind,exchange,segment,group,prefixes", *map(_csv_row, range(MAX_ROWS))]
    began = time.perf_counter()
    result = post(f"{draft}import/connectors/", "\n".join(table).encode(), "text/csv")
    rows = time.perf_counter() - began
    assert result["created"] == MAX_ROWS
    sites = [_create_edit("connectors", _site_body(index)) for index in range(MAX_EDITS)]
    began = time.perf_counter()
    _post_json(post, f"{draft}edits/", {"edits": sites})
    return rows, time.perf_counter() - began


def _csv_row(index: int) -> str:
    segment, nth = index % SEGMENTS, index // SEGMENTS
    return f"branch-{index},lab-site,eu,s-{segment},g-{index % GROUPS},10.{nth >> 8}.{nth & 255}.0/24"


def _site_body(index: int) -> dict[str, Any]:
    attached = {"segment": "s-1", "group": "g-1", "prefixes": [f"172.16.{index >> 8}.{index & 255}/32"]}
    return {"name": f"site-{index}", "kind": "lab-site", "exchange": "eu", "attachments": [attached]}


def _create_edit(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"action": "create", "kind": kind, "body": body}


def _post_json(post: PostRequest, path: str, body: Any) -> dict[str, Any]:
    return post(path, json.dumps(body).encode(), "application/json")
