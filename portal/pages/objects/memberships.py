"""Who is in a group, and the groups that a connector is in, each with how: part of the panel of either."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from provisioning.selectors import group_members
from provisioning.snapshots.queries import Snapshot, StoredObject

MOST = 50
"""Rows that a panel shows; of the others only the number."""

WORDS = {"name": "by name", "labels": "by labels", "group": "through groups"}


def membership_panel(snapshot: Snapshot, row: StoredObject) -> dict[str, Any] | None:
    """Return ``{"kind", "title", "summary", "rows", "more"}``; ``kind`` is that of the rows. None for other kinds.

    ``leave`` of a row: the bulk edit of connectors that undoes a membership by name.
    """
    if row.kind == "groups":
        kind, title, end, memberships = "connectors", "Members", "connector", group_members.list_members
    elif row.kind == "connectors":
        kind, title, end, memberships = "groups", "Groups", "group", group_members.list_groups_of
    else:
        return None
    members = memberships(snapshot, row.uid)
    ways = Counter(member["reasons"][0]["by"] for member in members)
    return {
        "kind": kind,
        "title": title,
        "summary": ", ".join(f"{ways[way]} {words}" for way, words in WORDS.items() if ways[way]),
        "rows": [
            {
                "uid": member[end]["id"],
                "name": member[end]["name"],
                "kind": member[end].get("kind", ""),
                "segment": member["segment"]["name"],
                "prefixes": ", ".join(member["prefixes"]),
                "how": ", ".join(map(_reason_text, member["reasons"])),
                "leave": _leave(row, member) if member["reasons"][0]["by"] == "name" else None,
            }
            for member in members[:MOST]
        ],
        "more": max(0, len(members) - MOST),
    }


def _leave(row: StoredObject, member: dict[str, Any]) -> dict[str, str]:
    """Return the bulk edit that takes a connector out of a group that it names, and what its button is called."""
    own = {"id": row.uid, "name": row.name}
    connector, group = member.get("connector", own), member.get("group", own)
    body = {"ids": [connector["id"]], "action": "discard", "field": "groups", "value": [group["id"]]}
    return {"body": json.dumps(body), "word": f"Take {connector['name']} out of {group['name']}"}


def _reason_text(reason: dict[str, Any]) -> str:
    if reason["group"]:
        return f"through {reason['group']['name']}"
    return reason["labels"] or "by name"
