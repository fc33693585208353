"""Policies, shares and default actions as one table of rules, in the order they are tried. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from portal.pages.rule_text import rule_match_text
from provisioning.core.intent import ANY, INTERNET, slug
from provisioning.selectors.rule_hits import RuleHits
from provisioning.snapshots.queries import StoredObject

Body = Mapping[str, Any]
ChangeState = Literal["same", "new", "changed"]
LITERALS = {ANY: "any", INTERNET: "internet"}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule of a policy.

    index: of the rule in its policy. state: what the draft did to it. problem: why it never matches. hits: None where
    no node counts it.
    """

    policy: StoredObject
    index: int
    name: str
    state: ChangeState
    segments: tuple[str, ...]
    from_: tuple[str, ...]
    to: tuple[str, ...]
    flow: str
    addresses: str
    action: str
    services: str
    problem: str
    hits: RuleHits | None

    @property
    def is_first(self) -> bool:
        return self.index == 0

    @property
    def is_last(self) -> bool:
        return self.index + 1 == len(self.policy.body["rules"])

    @property
    def is_enabled(self) -> bool:
        return bool(self.policy.body["enabled"])

    @property
    def is_unused(self) -> bool:
        return self.is_enabled and self.state == "same" and (self.hits is None or not self.hits.count)

    @property
    def searched(self) -> str:
        parts = (self.policy.name, self.name, self.flow, self.addresses, self.services)
        description = self.policy.body.get("description", "")
        return " ".join((*parts, *self.from_, *self.to, *self.segments, description)).casefold()


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """What the page asks for; empty is everything. only: unused, shadowed, changed or disabled."""

    search: str = ""
    action: str = ""
    segment: str = ""
    only: str = ""

    def __bool__(self) -> bool:
        return bool(self.search or self.action or self.segment or self.only)

    def takes(self, row: RuleRow) -> bool:
        return (
            all(word in row.searched for word in self.search.casefold().split())
            and self.action in ("", row.action)
            and (not self.segment or self.segment in row.policy.body["segments"])
            and (not self.only or is_listed_under(row, self.only))
        )


ONLY = {"unused": "Unused in 24 h", "shadowed": "Never match", "changed": "Changed", "disabled": "Disabled"}


def is_listed_under(row: RuleRow, only: str) -> bool:
    return {
        "unused": row.is_unused,
        "shadowed": bool(row.problem),
        "changed": row.state != "same",
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
        for index, rule in enumerate(body["rules"]):
            yield RuleRow(
                policy=policy,
                index=index,
                name=rule["name"],
                state=_change_state(body, before, rule),
                segments=segments,
                from_=from_,
                to=to,
                flow=rule_match_text(rule),
                addresses=_address_text(rule, names),
                action=rule["action"],
                services=", ".join(_name(names, uid) for uid in rule["services"]),
                problem=problems.get(f"policies/{policy.key}/rules[{index}]", ""),
                hits=hits.get(f"{policy.key}/{slug(rule['name'])}"),
            )


def _name(names: Mapping[str, str], uid: str) -> str:
    return names.get(uid) or LITERALS.get(uid, uid)


def _change_state(body: Body, before: Body | None, rule: Body) -> ChangeState:
    """A rule is changed with its policy's ends, which say whom it is about."""
    if before is None:
        return "new"
    previous = next((other for other in before["rules"] if other["name"] == rule["name"]), None)
    if previous is None:
        return "new"
    ends = ("segments", "from", "to", "enabled", "tier", "position", "apply_to")
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
