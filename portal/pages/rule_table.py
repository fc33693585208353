"""Policies, shares and default actions as one table of rules, in the order they are tried. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from portal.pages.rule_text import rule_match_text
from provisioning.core.intent import ANY, INTERNET
from provisioning.core.intent.policies import rule_keys
from provisioning.selectors.rule_hits import RuleHits
from provisioning.snapshots.queries import StoredObject

Body = Mapping[str, Any]
ChangeState = Literal["same", "new", "changed"]
LITERALS = {ANY: "any", INTERNET: "internet"}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule of a policy.

    index: of the rule in its policy. state: what the draft did to it. is_silent: what it denies vanishes. problem: why
    it never matches. hits: None where no node counts it. via: the name of the exit or segment that its policy chooses.
    """

    policy: StoredObject
    index: int
    name: str
    state: ChangeState
    mode: str
    reason: str
    segments: tuple[str, ...]
    from_: tuple[str, ...]
    to: tuple[str, ...]
    via: str
    flow: str
    addresses: str
    action: str
    is_silent: bool
    services: str
    problem: str
    hits: RuleHits | None

    @property
    def tier(self) -> str:
        return str(self.policy.body["tier"])

    @property
    def until(self) -> str:
        """The last day of the rule; empty where it has none."""
        return str(self.policy.body["rules"][self.index]["until"] or "")

    @property
    def is_first(self) -> bool:
        return self.index == 0

    @property
    def is_last(self) -> bool:
        return self.index + 1 == len(self.policy.body["rules"])

    @property
    def is_enabled(self) -> bool:
        return bool(self.policy.body["enabled"]) and self.mode != "disabled"

    @property
    def is_unused(self) -> bool:
        return self.is_enabled and self.state == "same" and (self.hits is None or not self.hits.count)

    @property
    def searched(self) -> str:
        parts = (self.policy.name, self.name, self.reason, self.flow, self.addresses, self.services, self.via)
        description = self.policy.body.get("description", "")
        return " ".join((*parts, *self.from_, *self.to, *self.segments, description)).casefold()


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """What the page asks for; empty is everything. only: unused, shadowed, changed, monitor or disabled."""

    search: str = ""
    tier: str = ""
    action: str = ""
    mode: str = ""
    segment: str = ""
    only: str = ""

    def __bool__(self) -> bool:
        return any((self.search, self.tier, self.action, self.mode, self.segment, self.only))

    def takes(self, row: RuleRow) -> bool:
        return (
            all(word in row.searched for word in self.search.casefold().split())
            and self.tier in ("", row.tier)
            and self.action in ("", row.action)
            and self.mode in ("", row.mode)
            and (not self.segment or self.segment in row.policy.body["segments"])
            and (not self.only or is_listed_under(row, self.only))
        )


ONLY = {
    "unused": "Unused in 24 h",
    "shadowed": "Never match",
    "changed": "Changed",
    "monitor": "Monitored",
    "disabled": "Disabled",
}


def is_listed_under(row: RuleRow, only: str) -> bool:
    return {
        "unused": row.is_unused,
        "shadowed": bool(row.problem),
        "changed": row.state != "same",
        "monitor": row.is_enabled and row.mode == "monitor",
        "disabled": not row.is_enabled,
    }.get(only, True)


def policy_rows(
    policies: Iterable[StoredObject],
    base: Mapping[str, Body],
    names: Mapping[str, str],
    problems: Mapping[str, str],
    hits: Mapping[str, RuleHits],
) -> Iterator[RuleRow]:
    """Yield the rules of policies, which come in the order they are tried.

    base: uid → body of the policy in the draft's base. names: uid → name. problems: path of a rule
    (``policies/prod-out/rules[0]``) → why it never matches. hits: rule id (``prod-out/web``) → its hits.
    """
    for policy in policies:
        body, before = policy.body, base.get(policy.uid)
        segments, from_, to = (tuple(_name(names, uid) for uid in body[side]) for side in ("segments", "from", "to"))
        keys = rule_keys(tuple(rule["name"] for rule in body["rules"]))
        for index, rule in enumerate(body["rules"]):
            yield RuleRow(
                policy=policy,
                index=index,
                name=rule["name"],
                state=_change_state(body, before, rule),
                mode=rule["mode"],
                reason=rule["description"],
                segments=segments,
                from_=from_,
                to=to,
                via=_name(names, body["via"]) if body["via"] else "",
                flow=rule_match_text(rule, names),
                addresses=_address_text(rule, names),
                action=rule["action"],
                is_silent=rule["action"] == "deny" and not rule["reject"],
                services=", ".join(_name(names, uid) for uid in rule["services"]),
                problem=problems.get(f"policies/{policy.key}/rules[{index}]", ""),
                hits=hits.get(f"{policy.key}/{keys[rule['name']]}"),
            )


@dataclass(frozen=True, slots=True)
class TierSection:
    """The rules of a tier that a page shows.

    is_start: its first rule is among them. kept_by: who alone changes them, where others look.
    """

    tier: str
    words: str
    is_start: bool
    kept_by: str
    rows: Sequence[RuleRow]


TIER_WORDS = {
    "mandatory": "tried first: what it decides, no other tier can change",
    "standard": "tried next: the first rule that matches decides",
    "baseline": "decides what the tiers above leave open, before the default actions",
}


def tier_sections(shown: Iterable[RuleRow], rows: Iterable[RuleRow], kept: Mapping[str, str]) -> list[TierSection]:
    """Return the sections of a page; rows: all there are, shown or not; kept: tier → who alone changes it."""
    first: dict[str, RuleRow] = {}
    for row in rows:
        first.setdefault(row.tier, row)
    sections = ((tier, list(group)) for tier, group in groupby(shown, key=lambda row: row.tier))
    return [
        TierSection(tier, TIER_WORDS[tier], first[tier] is group[0], kept.get(tier, ""), group)
        for tier, group in sections
    ]


def _name(names: Mapping[str, str], uid: str) -> str:
    if uid.startswith("!"):
        return f"not {_name(names, uid.removeprefix('!'))}"
    return names.get(uid) or LITERALS.get(uid, uid)


def _change_state(body: Body, before: Body | None, rule: Body) -> ChangeState:
    """A rule is changed with its policy's ends, which say whom it is about."""
    if before is None:
        return "new"
    previous = next((other for other in before["rules"] if other["name"] == rule["name"]), None)
    if previous is None:
        return "new"
    ends = ("segments", "from", "to", "enabled", "tier", "position", "apply_to", "via")
    return "same" if previous == rule and all(body[end] == before[end] for end in ends) else "changed"


def _address_text(rule: Body, names: Mapping[str, str]) -> str:
    """Return the addresses that a rule matches, prefix lists by name: ``ward-networks → 10.20.0.0/16``; "" for any."""
    sides = [[_name(names, ref) for ref in rule.get(side, ()) if ref != ANY] for side in ("source", "destination")]
    return " → ".join(", ".join(side) or "any" for side in sides) if any(sides) else ""


def share_rows(shares: Iterable[StoredObject], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the shares, which let flows pass between segments before any policy of theirs is asked."""
    arrows = {"both": "↔", "a-to-b": "→", "b-to-a": "←"}
    return [
        {
            "uid": share.uid,
            "name": share.name,
            "a": _name(names, share.body["a"]["segment"]),
            "b": _name(names, share.body["b"]["segment"]),
            "arrow": arrows.get(share.body.get("direction", "both"), "↔"),
            "services": ", ".join(_name(names, uid) for uid in share.body.get("services", ())),
        }
        for share in shares
    ]


def default_rows(segments: Sequence[StoredObject], hits: Mapping[str, RuleHits]) -> list[dict[str, Any]]:
    """Return what decides where no rule matches: the default action of each segment."""
    return [
        {
            "uid": segment.uid,
            "name": segment.name,
            "action": segment.body["default_action"],
            "hits": hits.get(segment.key),
        }
        for segment in segments
    ]
