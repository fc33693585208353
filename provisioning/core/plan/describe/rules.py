"""Rules as lines: who, what, which way. A change of policies reads as the rules that come, go, differ and move."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.plan.describe.addresses import format_range_difference, format_ranges

RuleSection = Mapping[str, Any]


def describe_rules(before: Sequence[RuleSection], after: Sequence[RuleSection], noun: str = "rule") -> Iterator[str]:
    """Rules are told apart by their id; those without one by all they say."""
    old, new = _by_id(before), _by_id(after)
    for name in old:
        if name not in new:
            yield f"- {noun} {_format_titled(name, old[name])}"
    for name, rule in new.items():
        if name not in old:
            yield f"+ {noun} {_format_titled(name, rule)}"
        elif old[name] != rule:
            changes = "; ".join(_describe_changed_rule(old[name], rule))
            yield f"~ {noun} {name}: {changes or 'the same, spelled otherwise'}"
    yield from (f"↕ {noun} {name} is tried {where}" for name, where in moved_items(list(old), list(new)))


def _format_titled(name: str, rule: RuleSection) -> str:
    return f"{name}: {format_rule(rule)}" if "id" in rule else name


def format_rule(rule: RuleSection) -> str:
    """``allow tcp 443 from sites to prod, source 10.1.0.0/16, through fw``."""
    parts = [rule["action"], format_match(rule)]
    if "from" in rule:
        parts.append(f"from {format_names(rule['from'])} to {format_names(rule['to'])}")
    text = " ".join(parts)
    for side in ("source", "destination"):
        if rule.get(side) is not None:
            text += f", {side} {format_ranges(rule[side])}"
    if rule.get("chain"):
        text += f", through {', '.join(rule['chain'])}"
    return f"{text}, for new flows only" if rule.get("apply_to") == "new" else text


def format_match(rule: RuleSection) -> str:
    """``tcp 443, 8000-8100`` or ``any``."""
    return " ".join(filter(None, (str(rule.get("protocol", "any")), ", ".join(map(str, rule.get("ports") or ())))))


def format_names(listed: Sequence[str]) -> str:
    """Without what tells groups from connectors in sets."""
    return ", ".join(name.partition(":")[2] or name for name in listed)


def moved_items(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, where it is now) of as few as possible that changed places among those that stay."""
    stay = [name for name in after if name in set(before)]
    place = {name: nth for nth, name in enumerate(before)}
    kept = _longest_increasing_subsequence([place[name] for name in stay])
    for nth, name in enumerate(stay):
        if place[name] not in kept:
            yield name, f"before {stay[nth + 1]}" if nth + 1 < len(stay) else "last"


def _longest_increasing_subsequence(numbers: Sequence[int]) -> set[int]:
    """A longest increasing subsequence (patience sorting)."""
    tails: list[int] = []
    came_after: dict[int, int | None] = {}
    for number in numbers:
        low = bisect_left(tails, number)
        came_after[number] = tails[low - 1] if low else None
        tails[low : low + 1] = [number]
    found: set[int] = set()
    last: int | None = tails[-1] if tails else None
    while last is not None:
        found.add(last)
        last = came_after[last]
    return found


def _by_id(rules: Sequence[RuleSection]) -> dict[str, RuleSection]:
    return {str(rule.get("id") or format_rule(rule)): rule for rule in rules}


def _describe_changed_rule(before: RuleSection, after: RuleSection) -> Iterator[str]:
    if before["action"] != after["action"]:
        yield f"{before['action']} → {after['action']}"
    if format_match(before) != format_match(after):
        yield f"{format_match(before)} → {format_match(after)}"
    for side in ("from", "to"):
        if before.get(side) != after.get(side):
            yield f"{side} {_format_name_changes(before.get(side) or [], after.get(side) or [])}"
    for side in ("source", "destination"):
        yield from _describe_side(side, before.get(side), after.get(side))
    if before.get("chain") != after.get("chain"):
        yield f"through {_format_chain(before)} → {_format_chain(after)}"
    if before.get("apply_to") != after.get("apply_to"):
        yield f"applies to {before.get('apply_to')} flows → {after.get('apply_to')} flows"


def _describe_side(side: str, before: Sequence[str] | None, after: Sequence[str] | None) -> Iterator[str]:
    if before is None or after is None:
        if before is not after:
            yield f"{side} {_format_addresses(before)} → {_format_addresses(after)}"
    elif found := format_range_difference(before, after):
        yield f"{side} {found}"


def _format_addresses(ranges: Sequence[str] | None) -> str:
    return "any" if ranges is None else format_ranges(ranges)


def _format_chain(rule: RuleSection) -> str:
    return ", ".join(rule.get("chain") or ()) or "nothing"


def _format_name_changes(before: Sequence[str], after: Sequence[str]) -> str:
    come = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    return " ".join(
        f"{sign} {format_names(some)}" for sign, some in (("+", come), ("-", gone)) if some
    ) or format_names(after)
