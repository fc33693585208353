"""Policies: segments × (from → to) and ordered rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.address_match import (
    build_address_match,
    count_match_values,
    prefix_list_references,
    read_address_match,
)
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    ANY,
    INTERNET,
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
    slug,
)
from provisioning.core.intent.limits import MATCH_VALUES, RULES

ACTIONS = ("allow", "deny", "inspect", "watch")
ENDPOINT_KINDS = ("groups", "connectors", "internet-apps")
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
class Policy(IntentObject):
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


def _read_rule(body: FieldReader) -> dict[str, Any]:
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
        "source": read_address_match(body, "source"),
        "destination": read_address_match(body, "destination"),
    }


def read(body: FieldReader) -> dict[str, Any]:
    rules = body.objects("rules", _read_rule, limit=RULES)
    body.check_limit("rules", count_match_values(rules), MATCH_VALUES)
    for place, rule in enumerate(rules):
        rule["name"] = rule["name"] or f"rule-{place + 1}"
    body.check_unique("rules", [slug(rule["name"]) for rule in rules])
    return {
        **read_name_and_description(body),
        "position": body.integer("position", 0, 1_000_000),
        "enabled": body.boolean("enabled", True),
        "apply_to": body.choice("apply_to", ("all", "new"), "all"),
        "segments": body.references("segments", "segments"),
        "from": body.references("from", *ENDPOINT_KINDS, literals=(ANY, INTERNET)),
        "to": body.references("to", *ENDPOINT_KINDS, literals=(ANY, INTERNET)),
        "rules": rules,
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> Policy:
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
                source=build_address_match(rule["source"]),
                destination=build_address_match(rule["destination"]),
            )
            for rule in body["rules"]
        ),
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield from reference_pairs(body["segments"], "segments")
    yield from reference_pairs(body["from"] + body["to"], *ENDPOINT_KINDS)
    for rule in body["rules"]:
        yield from reference_pairs(rule["services"], "services")
        yield from prefix_list_references(rule["source"], rule["destination"])
