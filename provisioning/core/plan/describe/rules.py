"""Rules as lines: who, what, which way. A change of policies reads as the rules added, removed, changed and moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.core.node_document_rules import L4Entry
from provisioning.core.plan.describe.addresses import format_range_difference, format_ranges
from provisioning.core.values.headers import narrowing_text
from provisioning.core.values.icmp_types import icmp_type_text
from provisioning.core.values.subsequences import longest_increasing_subsequence

RuleFields = Mapping[str, Any]
"""A rule of a policy (node_document.RuleEntry) or of a firewall (FirewallRuleEntry)."""


def describe_rules(before: Sequence[RuleFields], after: Sequence[RuleFields], noun: str = "rule") -> Iterator[str]:
    """Yield a line for each rule that differs. Rules are told apart by their id; those without one by all they say."""
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


def _format_titled(name: str, rule: RuleFields) -> str:
    return f"{name}: {format_rule(rule)}" if "id" in rule else name


def format_rule(rule: RuleFields) -> str:
    """Return ``allow tcp 443 from sites to prod, source 10.1.0.0/16, through fw``."""
    parts = [_format_action(rule), format_match(rule)]
    if "from" in rule:
        parts.append(f"from {format_names(rule['from'])} to {format_names(rule['to'])}")
    text = " ".join(parts)
    for side in ("source", "destination"):
        if rule[side] is not None:
            text += f", {side} {format_ranges(rule[side])}"
    if rule.get("chain"):
        text += f", through {', '.join(rule['chain'])}"
    if rule.get("apply_to") == "new":
        text += ", for new flows only"
    return text if rule.get("tier", "standard") == "standard" else f"{text}, {rule['tier']}"


def _format_action(rule: RuleFields) -> str:
    """Return ``allow``, ``deny silently`` or ``monitor: deny``."""
    action = rule["action"] if rule.get("reject", True) or rule["action"] != "deny" else "deny silently"
    return f"monitor: {action}" if rule.get("mode") == "monitor" else action


def format_match(rule: RuleFields) -> str:
    """Return ``tcp 443, 8000-8100``, ``tcp 53 or udp 53``, ``udp 123 from source port 123``, ``any`` or ``nothing``."""
    parts = (" ".join(filter(None, (part["protocol"], _format_numbers(part)))) for part in rule["l4"])
    dscp = () if rule.get("dscp") is None else (rule["dscp"],)
    return (" or ".join(parts) or "nothing") + narrowing_text(rule.get("source_ports", ()), dscp)


def _format_numbers(part: L4Entry) -> str:
    return ", ".join(
        (*part["ports"], *(icmp_type_text(part["protocol"], number) for number in part.get("icmp_types", ())))
    )


def format_names(names: Sequence[str]) -> str:
    """Return the names without what tells groups from connectors (``g:``, ``c:``)."""
    return ", ".join(name.partition(":")[2] or name for name in names)


def moved_items(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, where it is now) for as few as possible that moved, among those in both lists."""
    positions = {name: position for position, name in enumerate(before)}
    staying = [name for name in after if name in positions]
    unmoved = set(longest_increasing_subsequence([positions[name] for name in staying]))
    for index, name in enumerate(staying):
        if index not in unmoved:
            yield name, f"before {staying[index + 1]}" if index + 1 < len(staying) else "last"


def _by_id(rules: Sequence[RuleFields]) -> dict[str, RuleFields]:
    return {str(rule.get("id") or format_rule(rule)): rule for rule in rules}


def _describe_changed_rule(before: RuleFields, after: RuleFields) -> Iterator[str]:
    if _format_action(before) != _format_action(after):
        yield f"{_format_action(before)} → {_format_action(after)}"
    if before.get("tier") != after.get("tier"):
        yield f"tier {before.get('tier')} → {after.get('tier')}"
    if format_match(before) != format_match(after):
        yield f"{format_match(before)} → {format_match(after)}"
    for side in ("from", "to"):
        if before.get(side) != after.get(side):
            yield f"{side} {_format_name_changes(before.get(side) or [], after.get(side) or [])}"
    for side in ("source", "destination"):
        yield from _describe_side(side, before[side], after[side])
    if before.get("chain") != after.get("chain"):
        yield f"through {_format_chain(before)} → {_format_chain(after)}"
    if before.get("apply_to") != after.get("apply_to"):
        yield f"applies to {before.get('apply_to')} flows → {after.get('apply_to')} flows"


def _describe_side(side: str, before: Sequence[str] | None, after: Sequence[str] | None) -> Iterator[str]:
    if before is None or after is None:
        if before is not after:
            yield f"{side} {_format_addresses(before)} → {_format_addresses(after)}"
    elif difference := format_range_difference(before, after):
        yield f"{side} {difference}"


def _format_addresses(ranges: Sequence[str] | None) -> str:
    return "any" if ranges is None else format_ranges(ranges)


def _format_chain(rule: RuleFields) -> str:
    return ", ".join(rule.get("chain") or ()) or "nothing"


def _format_name_changes(before: Sequence[str], after: Sequence[str]) -> str:
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    return " ".join(
        f"{sign} {format_names(names)}" for sign, names in (("+", added), ("-", removed)) if names
    ) or format_names(after)
