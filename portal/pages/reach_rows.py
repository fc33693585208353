"""The answer to "what can X reach?" as rows of the side panel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portal.pages.plan_review import deciding_rule_text, flow_text

ReachableFlow = Mapping[str, Any]
ENDPOINT_WORDS = {"any": "every connector", "internet": "the internet"}


def build_rows(
    name: str,
    mine: set[str],
    here: Iterable[ReachableFlow],
    before: Iterable[ReachableFlow] | None,
    ends: Mapping[str, set[str]],
    groups: Mapping[str, set[str]] | None = None,
) -> list[dict[str, Any]]:
    """What ``name``, which is in the segments ``mine``, reaches, then what it does not.

    ``ends``: what could be reached → its segments.
    ``groups``: connector → its groups, which are not quite unreached when a part of one of their connectors is.
    ``before``: the same question asked of live, None to leave the comparison out.

    A row: {"to", "flow", "how", "action", "via", "new"}.
    """
    found = list(here)
    known = {_flow_key(one) for one in before} if before is not None else None
    shown = [
        {
            "to": ", ".join(ENDPOINT_WORDS.get(name, name) for name in one["to"]) + _segment_suffix(one),
            "flow": flow_text(one),
            "how": deciding_rule_text(one.get("rule"), one["segment"]),
            "action": "inspect" if one["via"] else "allow",
            "via": ", ".join(one["via"]),
            "new": known is not None and _flow_key(one) not in known,
        }
        for one in found
    ]
    reached = {name.partition(" (")[0] for one in found for name in one["to"]}
    reached |= set().union(*((groups or {}).get(name, set()) for name in reached))
    everyone = mine if "any" in reached else set()
    missing = [
        end for end in sorted(ends) if end not in {*reached, name} and (end == "internet" or not ends[end] & everyone)
    ]
    return shown + [
        {
            "to": ENDPOINT_WORDS.get(end, end),
            "flow": "any port",
            "how": _unreachable_reason(end, bool(ends[end] & mine)),
            "action": "deny",
            "via": "",
            "new": False,
        }
        for end in missing
    ]


def _segment_suffix(one: ReachableFlow) -> str:
    """Across a share the other segment is told."""
    there = one.get("to_segment")
    return f" in {there}" if there and there != one["segment"] else ""


def _unreachable_reason(end: str, near: bool) -> str:
    if not near:
        return "other segment, no share lets it through"
    return "the default action never covers it" if end == "internet" else "no rule lets it through"


def _flow_key(one: ReachableFlow) -> tuple[Any, ...]:
    """What tells a way from another: the rule and what it covers. What the default action lets through changes
    with every rule, so it counts once per segment."""
    if one.get("rule") is None:
        return one["segment"], None
    return one["segment"], one["rule"], one["protocol"], tuple(one["ports"]), tuple(one["via"])
