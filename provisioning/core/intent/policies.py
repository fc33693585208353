"""Policies: segments × (from → to) and ordered rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import (
    ANY,
    INTERNET,
    Boolean,
    Choice,
    IpProtocol,
    Objects,
    Position,
    References,
    Text,
)
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.limits import MATCH_VALUES, RULES
from provisioning.core.intent.match_fields import DestinationMatch, Ports, SourceMatch, count_match_values
from provisioning.core.values.text import slug

ACTIONS = {"allow": "allow", "deny": "deny", "inspect": "inspect", "watch": "watch"}
ENDPOINT_KINDS = ("groups", "connectors", "internet-apps")
"""Kinds that ``from`` and ``to`` name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Empty ``ports`` means every port; an empty ``source`` or ``destination`` every address.

    Addresses are prefixes and uids of prefix lists; ``PrefixResolver.ranges`` reads them.
    """

    name: Annotated[str, Text(60, default="", label="Name of the rule", help="rule-1, rule-2, … where left out")]
    action: Annotated[str, Choice(ACTIONS, filter=True)]
    services: Annotated[
        tuple[str, ...],
        References(
            ("services",),
            default=(),
            ordered=True,
            label="Through",
            help="in the order of their inspection",
            filter=True,
        ),
    ]
    protocol: Annotated[str | int, IpProtocol()]
    ports: Annotated[tuple[str, ...], Ports()]
    source: SourceMatch
    destination: DestinationMatch

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        action = body["action"]
        if action == "inspect" and not reader.body.get("services"):
            reader.problem("required", "services", "A rule that inspects names at least one service.")
        if action in ("allow", "deny", "watch") and body["services"]:
            wrong = f"Only a rule that inspects names services; this one says {action}."
            reader.problem("not_one_of", "services", wrong)


@dataclass(frozen=True, slots=True)
class Policy(IntentObject):
    """``from_`` and ``to`` hold uids of groups, connectors and internet apps, ``any`` and ``internet``."""

    position: Annotated[int, Position(help="unique in the network; lower is tried first; last where left out")]
    enabled: Annotated[bool, Boolean(filter=True, in_bulk=True)]
    apply_to: Annotated[
        str,
        Choice(
            {"all": "all flows", "new": "new flows only"},
            default="all",
            label="Applies to",
            help="new: flows that are there stay as they were decided",
        ),
    ]
    segments: Annotated[tuple[str, ...], References(("segments",), filter=True, in_bulk=True)]
    from_: Annotated[tuple[str, ...], References(ENDPOINT_KINDS, literals=(ANY, INTERNET), filter=True, in_bulk=True)]
    to: Annotated[tuple[str, ...], References(ENDPOINT_KINDS, literals=(ANY, INTERNET), filter=True, in_bulk=True)]
    rules: Annotated[
        tuple[Rule, ...],
        Objects(
            limit=RULES,
            word="rule",
            help="the first that matches and is not watch decides; all rules together write down at most "
            f"{MATCH_VALUES.most:,} {MATCH_VALUES.noun}",
        ),
    ]

    def rule_id(self, rule: Rule) -> str:
        """``prod-out/web``: what sections, traces and counters call a rule."""
        return f"{self.key}/{slug(rule.name)}"

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        rules = body["rules"]
        reader.check_limit("rules", count_match_values(rules), MATCH_VALUES)
        for number, rule in enumerate(rules, 1):
            rule["name"] = rule["name"] or f"rule-{number}"
        reader.check_unique("rules", [rule["name"] for rule in rules], slug)


KIND = Kind(
    "policies",
    Policy,
    "policy",
    "policies",
    "From some groups to others, with ordered rules. Policies are tried by position; in each, the first rule that "
    "matches decides. What none matches follows the segment's default action.",
    {
        "name": "prod-out",
        "position": 10,
        "segments": ["corp"],
        "from": ["prod"],
        "to": ["any"],
        "rules": [
            {"name": "web", "action": "inspect", "services": ["fw"], "protocol": "tcp", "ports": ["443", "8000-8100"]},
            {"name": "offices", "action": "allow", "protocol": "any", "destination": ["offices", "10.30.0.0/24"]},
        ],
    },
    affects_connectors=True,
)
