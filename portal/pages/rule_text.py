"""Short texts of rules for chips, tables and lists. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.core.intent import ANY
from provisioning.core.values.headers import narrowing_text

Body = Mapping[str, Any]


def leading_action(rules: Sequence[Body]) -> str:
    """Return the action that a chip shows; one that lets traffic through says more than the deny after it.

    Where no rule is enforced it is the mode: ``monitor``, or ``disabled``.
    """
    actions = {str(rule["action"]) for rule in rules if rule["mode"] == "enforce"}
    if rules and not actions:
        return "monitor" if any(rule["mode"] == "monitor" for rule in rules) else "disabled"
    return next((action for action in ("inspect", "allow", "deny", "pass") if action in actions), "deny")


def rules_summary(rules: list[Body], names: Mapping[str, str]) -> str:
    """Return ``fw`` (``fw +2`` with two other rules) for an inspecting policy, ``tcp/443`` for one rule, or a count."""
    services = dict.fromkeys(names.get(uid, uid) for rule in rules for uid in rule.get("services", ()) or ())
    if services:
        others = sum(rule.get("action") != "inspect" for rule in rules)
        return ", ".join(services) + (f" +{others}" if others else "")
    return rule_match_text(rules[0], names) if len(rules) == 1 else f"{len(rules)} rules"


def rule_match_text(rule: Body, names: Mapping[str, str] | None = None) -> str:
    """Return what a rule matches in the short form used everywhere: ``any``, ``tcp/443, 8443``, ``tcp, udp/dns``.

    names: of port lists, by uid.
    """
    protocol = rule.get("protocol", "any")
    protocols = ", ".join(map(str, protocol)) if isinstance(protocol, list) else str(protocol)
    ports = [(names or {}).get(str(port), str(port)) for port in rule.get("ports", ()) or () if port != ANY]
    ports += [text for text in rule.get("icmp_types", ()) or () if text != ANY]
    narrowed = narrowing_text(
        [text for text in rule.get("source_ports", ()) or () if text != ANY],
        [] if rule.get("dscp") is None else [rule["dscp"]],
    )
    if not ports:
        return protocols + narrowed
    return (", ".join(ports) if protocols == ANY else f"{protocols}/{', '.join(ports)}") + narrowed
