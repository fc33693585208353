"""The answer to "what can X reach?" as rows of the side panel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.pages.review import cause, flow

Reached = Mapping[str, Any]
SPOKEN = {"any": "every connector", "internet": "the internet"}


def rows(here: Iterable[Reached] | None, before: Iterable[Reached] | None, ends: Iterable[str]) -> list[dict[str, Any]]:
    """What is reached, then what is not. ``before``: the same question asked of live, None to leave the comparison out.

    A row: {"to", "flow", "how", "action", "via", "new"}.
    """
    found = list(here or ())
    known = {_key(one) for one in before} if before is not None else None
    shown = [
        {
            "to": ", ".join(SPOKEN.get(name, name) for name in one["to"]),
            "flow": flow(one),
            "how": cause(one.get("rule"), one["segment"]),
            "action": "inspect" if one["via"] else "allow",
            "via": ", ".join(one["via"]),
            "new": known is not None and _key(one) not in known,
        }
        for one in found
    ]
    reached = {name for one in found for name in one["to"]}
    sources = {name for one in found for name in one["from"]}
    missing = [name for name in ends if name not in reached | sources and not ("any" in reached and name != "internet")]
    return shown + [
        {
            "to": SPOKEN.get(name, name),
            "flow": "any port",
            "how": "no policy names it" if name == "internet" else "no rule lets it through, or another segment",
            "action": "deny",
            "via": "",
            "new": False,
        }
        for name in missing
    ]


def _key(one: Reached) -> tuple[Any, ...]:
    return tuple(one["to"]), one["segment"], one["protocol"], tuple(one["ports"]), tuple(one["via"]), one.get("rule")
