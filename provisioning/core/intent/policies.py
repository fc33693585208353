"""Policies: segments × (from → to) and ordered rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import (
    ANY,
    INTERNET,
    Boolean,
    Choice,
    Date,
    IpProtocols,
    Objects,
    Position,
    Reference,
    References,
    Text,
)
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.limits import MATCH_VALUES, RULES
from provisioning.core.intent.match_fields import (
    DestinationMatch,
    Dscp,
    IcmpTypes,
    RulePorts,
    SourceMatch,
    SourcePorts,
    count_match_values,
)
from provisioning.core.values.text import slug

ACTIONS = {"allow": "allow", "deny": "deny", "inspect": "inspect", "pass": "pass"}
TIERS = {"mandatory": "mandatory", "standard": "standard", "baseline": "baseline"}
"""In the order they are tried."""
_TIER_ORDER = {tier: index for index, tier in enumerate(TIERS)}
MODES = {"enforce": "enforce", "monitor": "monitor", "disabled": "disabled"}
ENDPOINT_KINDS = ("groups", "connectors", "internet-apps")
"""Kinds that ``from`` and ``to`` name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Empty ``ports``, ``source_ports`` and ``icmp_types`` mean every one; an empty ``source`` or ``destination`` every
    address. ``dscp`` None: every one.

    Addresses are prefixes and uids of prefix lists; ``ListResolver.ranges`` reads them. ``action`` ``pass``: the next
    tier decides. ``reject``: the sender of what is denied is told, by a reset or an ICMP error.
    """

    name: Annotated[str, Text(80, default="", label="Name of the rule", help="rule-1, rule-2, … where left out")]
    description: Annotated[
        str, Text(500, default="", lines=True, label="Reason", help="a ticket, an owner: why it is there")
    ]
    until: Annotated[
        date | None,
        Date(
            default=None,
            label="Until",
            help="a day like 2027-01-31, after which it should go; it is warned about, and never removed by itself",
        ),
    ]
    mode: Annotated[
        str,
        Choice(
            MODES,
            default="enforce",
            help="monitor: count what matches, and go on to the next rule; disabled: as if it were not there",
            filter=True,
        ),
    ]
    action: Annotated[str, Choice(ACTIONS, help="pass: leave it to the next tier", filter=True)]
    reject: Annotated[bool, Boolean(help="tell the sender of what is denied; else its packets vanish")]
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
    protocol: Annotated[tuple[str | int, ...], IpProtocols()]
    ports: Annotated[tuple[str, ...], RulePorts()]
    source_ports: Annotated[tuple[str, ...], SourcePorts()]
    icmp_types: Annotated[tuple[str, ...], IcmpTypes()]
    dscp: Annotated[int | None, Dscp()]
    source: SourceMatch
    destination: DestinationMatch

    @property
    def decides(self) -> bool:
        """Whether it has a say about flows; a rule that is monitored or disabled has none."""
        return self.mode == "enforce"

    @staticmethod
    def translate_body(body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read the action ``watch`` of earlier releases, which counted and went on."""
        if body.get("action") == "watch" and body.get("mode") in (None, "monitor"):
            return {**body, "action": "allow", "mode": "monitor"}
        return body

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        action = body["action"]
        if action == "inspect" and not reader.body.get("services"):
            reader.problem("required", "services", "A rule that inspects names at least one service.")
        if action in ("allow", "deny", "pass") and body["services"]:
            wrong = f"Only a rule that inspects names services; this one says {action}."
            reader.problem("not_one_of", "services", wrong)


@dataclass(frozen=True, slots=True)
class Policy(IntentObject):
    """``from_`` and ``to`` hold uids of groups, connectors and internet apps, ``any`` and ``internet``. ``via``: uid of
    the internet exit, or of the segment, by whose exits its sources reach the internet."""

    tier: Annotated[
        str,
        Choice(
            TIERS,
            default="standard",
            help="mandatory is tried before standard, baseline last; inside a tier the position counts",
            filter=True,
            in_bulk=True,
        ),
    ]
    position: Annotated[
        int, Position(within="tier", help="unique in the network; lower is tried first; last where left out")
    ]
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
    via: Annotated[
        str | None,
        Reference(
            ("connectors", "segments"),
            default=None,
            label="Internet exit",
            help="the internet exit, or the segment whose exits flows of its sources to the internet leave by; its "
            "first policy with one counts, whatever its rules say; empty: that of their exchange",
            filter=True,
            in_bulk=True,
        ),
    ]
    rules: Annotated[
        tuple[Rule, ...],
        Objects(
            limit=RULES,
            word="rule",
            help="the first that matches and is enforced decides; all rules together write down at most "
            f"{MATCH_VALUES.most:,} {MATCH_VALUES.noun}",
        ),
    ]

    @property
    def order(self) -> tuple[int, int, int]:
        """What policies are sorted by, as they are tried."""
        return _TIER_ORDER[self.tier], self.position, self.number

    def rule_id(self, rule: Rule) -> str:
        """``prod-out/web``: what sections, traces and counters call a rule."""
        key = slug(rule.name)
        # Only a name that is no slug may have the slug of another one; looking for it takes a look at all rules.
        return f"{self.key}/{key if key == rule.name else rule_keys(tuple(r.name for r in self.rules))[rule.name]}"

    def rule_title(self, rule: Rule) -> str:
        """What sentences call a rule: as people named it and its policy."""
        return f"rule “{rule.name}” of policy “{self.name}”"

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        if body["via"] and INTERNET not in body["to"]:
            wrong = "Only a policy about flows to the internet chooses an exit: name internet in to, or leave via out."
            reader.problem("via_without_internet", "via", wrong)
        rules = body["rules"]
        reader.check_limit("rules", count_match_values(rules), MATCH_VALUES)
        for number, rule in enumerate(rules, 1):
            rule["name"] = rule["name"] or f"rule-{number}"
        reader.check_unique("rules", [rule["name"] for rule in rules])


@lru_cache(maxsize=1024)
def rule_keys(names: tuple[str, ...]) -> dict[str, str]:
    """Return name → what it is called in ids of the rules of one policy: its slug.

    Of several names with one slug, the one that is that slug keeps it; the others get a digest behind it.
    """
    slugs = {name: slug(name) for name in names}
    count = Counter(slugs.values())
    keys = {name: key for name, key in slugs.items() if key == name or count[key] == 1}
    taken = set(keys.values())
    for name in sorted(slugs.keys() - keys.keys()):
        digest = sha256(name.encode()).hexdigest()
        longer = (f"{slugs[name]}-{digest[:length]}" for length in range(6, len(digest)))
        keys[name] = next(key for key in longer if key not in taken)
        taken.add(keys[name])
    return keys


KIND = Kind(
    "policies",
    Policy,
    "policy",
    "policies",
    "From some groups to others, with ordered rules. Policies are tried by tier and position; in each, the first rule "
    "that matches decides. What none matches follows the segment's default action.",
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
