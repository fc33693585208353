"""Policies: segments × (from → to) and ordered rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import ANY, INTERNET, Identity, Item, Reference, named, read_name, slug
from provisioning.core.intent.reading import Reader

ACTIONS = ("allow", "deny", "inspect", "watch")


@dataclass(frozen=True, slots=True)
class Rule:
    """Empty ``ports`` means every port; an empty ``source`` or ``destination`` every address."""

    name: str
    action: str
    services: tuple[str, ...]
    protocol: str | int
    ports: tuple[str, ...]
    source: tuple[str, ...]
    destination: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy(Item):
    """``from_`` and ``to`` hold uids of groups and connectors, ``any`` and ``internet``."""

    position: int
    enabled: bool
    apply_to: str
    segments: tuple[str, ...]
    from_: tuple[str, ...]
    to: tuple[str, ...]
    rules: tuple[Rule, ...]

    def rule_id(self, rule: Rule) -> str:
        """``prod-out/web``: what sections, traces and counters call a rule."""
        return f"{self.key}/{slug(rule.name)}"


def _read_rule(body: Reader) -> dict[str, Any]:
    protocol = body.protocol()
    action = body.choice("action", ACTIONS)
    services = body.references("services", "services", default=())
    if action == "inspect" and not body.body.get("services"):
        body.problem("required", "services", "A rule that inspects names at least one service.")
    if action in ("allow", "deny", "watch") and services:
        body.problem("not_one_of", "services", f"Only a rule that inspects names services; this one says {action}.")
    return {
        "name": body.text("name", "", most=60),
        "action": action,
        "services": services,
        "protocol": protocol,
        "ports": body.ports(protocol),
        "source": _prefixes_or_any(body, "source"),
        "destination": _prefixes_or_any(body, "destination"),
    }


def _prefixes_or_any(body: Reader, field: str) -> list[str]:
    found = body.prefixes(field, [ANY], literals=(ANY,))
    return [ANY] if ANY in found or not found else found


def read(body: Reader) -> dict[str, Any]:
    rules = body.objects("rules", _read_rule, default=())
    for place, rule in enumerate(rules):
        rule["name"] = rule["name"] or f"rule-{place + 1}"
    body.unique("rules", [slug(rule["name"]) for rule in rules])
    return {
        **read_name(body),
        "position": body.integer("position", 0, 1_000_000),
        "enabled": body.flag("enabled", True),
        "apply_to": body.choice("apply_to", ("all", "new"), "all"),
        "segments": body.references("segments", "segments"),
        "from": body.references("from", "groups", "connectors", literals=(ANY, INTERNET)),
        "to": body.references("to", "groups", "connectors", literals=(ANY, INTERNET)),
        "rules": rules,
    }


def _addresses(prefixes: list[str]) -> tuple[str, ...]:
    return () if ANY in prefixes else tuple(prefixes)


def build(identity: Identity, body: dict[str, Any]) -> Policy:
    return Policy(
        *identity,
        position=body["position"],
        enabled=body["enabled"],
        apply_to=body["apply_to"],
        segments=tuple(body["segments"]),
        from_=tuple(body["from"]),
        to=tuple(body["to"]),
        rules=tuple(
            Rule(
                name=rule["name"],
                action=rule["action"],
                services=tuple(rule["services"]),
                protocol=rule["protocol"],
                ports=tuple(rule["ports"]),
                source=_addresses(rule["source"]),
                destination=_addresses(rule["destination"]),
            )
            for rule in body["rules"]
        ),
    )


def references(body: dict[str, Any]) -> Iterator[Reference]:
    yield from named(body["segments"], "segments")
    yield from named(body["from"] + body["to"], "groups", "connectors")
    for rule in body["rules"]:
        yield from named(rule["services"], "services")
