"""What the source of a prefix list gave and when: part of the panel of a list that has one."""

from __future__ import annotations

from typing import Any

from portal.pages.objects.prefix_lists import entry_text
from provisioning.services import list_sources
from provisioning.snapshots import queries
from provisioning.snapshots.queries import Snapshot, StoredObject

MAX_ENTRIES = 50
"""Entries that a panel shows; of the others only the number."""


def refresh_panel(snapshot: Snapshot, row: StoredObject) -> dict[str, Any] | None:
    """Return ``{"known", "is_asked", "is_current", "entries", "count", "more"}``; None for a list without a source.

    ``known``: the refreshes of this list in the draft, or of the one that is live; None where there was none.
    ``is_current``: not in an old revision, of which nothing is known and which is not refreshed.
    """
    if row.kind != list_sources.KIND or not row.body["source"]:
        return None
    known = list_sources.find_refresh(snapshot.draft, row.number)
    entries = row.body["entries"]
    return {
        "known": known,
        "is_asked": known is not None and known.draft is not None and known.due_at is not None,
        "is_current": snapshot.draft is not None or snapshot == queries.live_snapshot(),
        "entries": [entry_text(entry) for entry in entries[:MAX_ENTRIES]],
        "count": len(entries),
        "more": max(0, len(entries) - MAX_ENTRIES),
    }
