"""The answer to "what can X reach?" as rows of the side panel. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.pages.flow_words import deciding_rule_text, flow_text

ReachableFlow = Mapping[str, Any]
ENDPOINT_WORDS = {"any": "every connector", "internet": "the internet"}


def build_rows(
    name: str,
    own_segments: set[str],
    flows: Sequence[ReachableFlow],
    before: Iterable[ReachableFlow] | None,
    ends: Mapping[str, set[str]],
    groups: Mapping[str, set[str]] | None = None,
) -> list[dict[str, Any]]:
    """Return rows for what an object reaches, then one for each reason why it does not reach the rest.

    A row is {"to", "flow", "how", "action", "via", "new"}.
    name, own_segments: the object and the names of its segments.
    flows: what it reaches; before: the same in live, or None to leave the comparison out.
    ends: what could be reached → its segments.
    groups: connector → its groups. A group counts as reached when any part of one of its connectors is.
    """
    live_keys = {_flow_key(flow) for flow in before} if before is not None else None
    reached_rows = [
        {
            "to": ", ".join(ENDPOINT_WORDS.get(name, name) for name in flow["to"]) + _segment_suffix(flow),
            "flow": flow_text(flow),
            "how": deciding_rule_text(flow.get("rule"), flow["segment"]),
            "action": "inspect" if flow["via"] else "allow",
            "via": ", ".join(flow["via"]),
            "new": live_keys is not None and _flow_key(flow) not in live_keys,
        }
        for flow in flows
    ]
    reached = {name.partition(" (")[0] for flow in flows for name in flow["to"]}
    reached |= set().union(*((groups or {}).get(name, set()) for name in reached))
    fully_reached = own_segments if "any" in reached else set()
    unreached = [
        end
        for end in sorted(ends)
        if end not in {*reached, name} and (end == "internet" or not ends[end] & fully_reached)
    ]
    ends_by_reason: dict[str, list[str]] = {}
    for end in unreached:
        reason = _unreachable_reason(end, bool(ends[end] & own_segments))
        ends_by_reason.setdefault(reason, []).append(ENDPOINT_WORDS.get(end, end))
    return reached_rows + [
        {"to": ", ".join(ends_alike), "flow": "any port", "how": reason, "action": "deny", "via": "", "new": False}
        for reason, ends_alike in ends_by_reason.items()
    ]


def _segment_suffix(flow: ReachableFlow) -> str:
    """Return `` in SEGMENT`` for a flow that crosses a share, else ""."""
    segment = flow.get("to_segment")
    return f" in {segment}" if segment and segment != flow["segment"] else ""


def _unreachable_reason(end: str, shares_segment: bool) -> str:
    if not shares_segment:
        return "other segment, no share lets it through"
    return "the default action does not cover it" if end == "internet" else "no rule lets it through"


def _flow_key(flow: ReachableFlow) -> tuple[Any, ...]:
    """Return what tells one flow from another: the rule and what it covers.

    What the default action lets through changes with every rule, so it counts once per segment.
    """
    if flow.get("rule") is None:
        return flow["segment"], None
    return flow["segment"], flow["rule"], flow_text(flow), tuple(flow["via"])
