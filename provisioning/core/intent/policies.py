"""Policies: segments × (from → to) and ordered rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import ANY, INTERNET, Identity, Item, Reference, named, read_name, slug
from provisioning.core.intent.limits import RULES, WRITTEN
from provisioning.core.intent.matching import addresses, lists_in, read_addresses, written
from provisioning.core.intent.reading import Reader

ACTIONS = ("allow", "deny", "inspect", "watch")
SIDES = ("groups", "connectors", "internet-apps")
"""Kinds that ``from`` and ``to`` name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Empty ``ports`` means every port; an empty ``source`` or ``destination`` every address.

    Addresses are prefixes and uids of prefix lists; ``Intent.ranges`` reads them.
    """

    name: str
    action: str
    services: tuple[str, ...]
    protocol: str | int
    ports: tuple[str, ...]
    source: tuple[str, ...]
    destination: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy(Item):
    """``from_`` and ``to`` hold uids of groups, connectors and internet apps, ``any`` and ``internet``."""

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
        "source": read_addresses(body, "source"),
        "destination": read_addresses(body, "destination"),
    }


def read(body: Reader) -> dict[str, Any]:
    rules = body.objects("rules", _read_rule, limit=RULES)
    body.bound("rules", written(rules), WRITTEN)
    for place, rule in enumerate(rules):
        rule["name"] = rule["name"] or f"rule-{place + 1}"
    body.unique("rules", [slug(rule["name"]) for rule in rules])
    return {
        **read_name(body),
        "position": body.integer("position", 0, 1_000_000),
        "enabled": body.flag("enabled", True),
        "apply_to": body.choice("apply_to", ("all", "new"), "all"),
        "segments": body.references("segments", "segments"),
        "from": body.references("from", *SIDES, literals=(ANY, INTERNET)),
        "to": body.references("to", *SIDES, literals=(ANY, INTERNET)),
        "rules": rules,
    }


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
                source=addresses(rule["source"]),
                destination=addresses(rule["destination"]),
            )
            for rule in body["rules"]
        ),
    )


def references(body: dict[str, Any]) -> Iterator[Reference]:
    yield from named(body["segments"], "segments")
    yield from named(body["from"] + body["to"], *SIDES)
    for rule in body["rules"]:
        yield from named(rule["services"], "services")
        yield from lists_in(rule["source"], rule["destination"])
