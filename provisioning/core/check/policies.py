"""Policies that cannot do what they say, and rules that never get a turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.addresses import Range, covers
from provisioning.core.flows import Cells, cells, covers_cells
from provisioning.core.intent import ANY, INTERNET, Intent, Policy
from provisioning.core.resource import Problem


def _connectors_of(intent: Intent, policy: Policy, side: tuple[str, ...]) -> set[str]:
    """Uids of the enabled connectors that one side names in the policy's segments."""
    return {
        connector.uid
        for connector in intent.connectors.values()
        if connector.enabled and connector.kind != "internet-exit"
        for attachment in connector.attachments
        if attachment.segment in policy.segments and not {ANY, connector.uid, attachment.group}.isdisjoint(side)
    }


def sides(intent: Intent) -> Iterator[Problem]:
    """Groups without members, groups of one connector, and an internet that is not there."""
    for policy in intent.policies.values():
        path = f"policies/{policy.key}"
        for field, side in (("from", policy.from_), ("to", policy.to)):
            for place, uid in enumerate(side):
                if uid in intent.groups and not _connectors_of(intent, policy, (uid,)):
                    yield Problem(
                        "empty_group",
                        f"{path}/{field}[{place}]",
                        f"Policy “{policy.name}” names group “{intent.groups[uid].name}”, which has no member in its "
                        "segments. Nothing matches until a connector joins it.",
                        "warning",
                    )
                connector = intent.connectors.get(uid)
                if connector and connector.kind == "internet-exit":
                    yield Problem(
                        "names_exit",
                        f"{path}/{field}[{place}]",
                        f"Policy “{policy.name}” names the internet exit “{connector.name}”, which has no addresses of "
                        "its own. Name internet instead.",
                        "warning",
                    )
        yield from _one_connector(intent, policy)
        yield from _internet(intent, policy)


def _one_connector(intent: Intent, policy: Policy) -> Iterator[Problem]:
    if INTERNET in (*policy.from_, *policy.to):
        return
    starts, ends = _connectors_of(intent, policy, policy.from_), _connectors_of(intent, policy, policy.to)
    if len(starts) == 1 and starts == ends:
        name = intent.connectors[starts.pop()].name
        yield Problem(
            "not_enforceable",
            f"policies/{policy.key}",
            f"Policy “{policy.name}” is about traffic inside connector “{name}”, which never reaches an exchange. "
            "It cannot be enforced.",
            "warning",
        )


def _internet(intent: Intent, policy: Policy) -> Iterator[Problem]:
    path = f"policies/{policy.key}"
    if INTERNET in policy.from_:
        yield Problem(
            "no_internet_application",
            f"{path}/from[{policy.from_.index(INTERNET)}]",
            f"Policy “{policy.name}” lets the internet in, but only internet applications can be reached from there "
            "and there is none. Nothing matches.",
            "warning",
        )
    if INTERNET in policy.to:
        with_exit = {
            attachment.segment
            for connector in intent.connectors.values()
            if connector.enabled and connector.kind == "internet-exit"
            for attachment in connector.attachments
        }
        for uid in policy.segments:
            if uid in intent.segments and uid not in with_exit:
                yield Problem(
                    "no_exit",
                    f"{path}/to[{policy.to.index(INTERNET)}]",
                    f"Policy “{policy.name}” names the internet, but segment “{intent.segments[uid].name}” has no "
                    "internet exit.",
                    "warning",
                )


MOST_LOOKS = 500_000
"""Pairs of rules that are compared, a second's work: a thousand rules each with each."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a rule matches."""

    policy: Policy
    rule: str
    path: str
    cells: Cells
    source: tuple[Range, ...] | None
    destination: tuple[Range, ...] | None

    def covers(self, other: _Reach) -> bool:
        return (
            _holds(self.source, other.source)
            and _holds(self.destination, other.destination)
            and covers_cells(self.cells, other.cells)
            and (self.policy is other.policy or self._spans(other))
        )

    def _spans(self, other: _Reach) -> bool:
        return (
            _names_all(self.policy.from_, other.policy.from_)
            and _names_all(self.policy.to, other.policy.to)
            and set(other.policy.segments) <= set(self.policy.segments)
        )


def _names_all(outer: tuple[str, ...], inner: tuple[str, ...]) -> bool:
    """``any`` names everything but the internet."""
    return all(uid in outer or (ANY in outer and uid != INTERNET) for uid in inner)


def _holds(outer: tuple[Range, ...] | None, inner: tuple[Range, ...] | None) -> bool:
    return outer is None or (inner is not None and covers(outer, inner))


def shadowed(intent: Intent) -> Iterator[Problem]:
    """Rules that an earlier rule leaves nothing for, as far as that is found in ``MOST_LOOKS``."""
    looks = MOST_LOOKS
    earlier: dict[str, list[_Reach]] = defaultdict(list)
    enabled = (policy for policy in intent.policies.values() if policy.enabled and policy.segments)
    for policy in sorted(enabled, key=lambda policy: (policy.position, policy.number)):
        for place, rule in enumerate(policy.rules):
            reach = _Reach(
                policy,
                rule.name,
                f"policies/{policy.key}/rules[{place}]",
                cells(rule.protocol, rule.ports),
                intent.ranges(rule.source),
                intent.ranges(rule.destination),
            )
            # A rule that covers this one holds all its segments, so the first of them is enough to look in.
            before = earlier[policy.segments[0]]
            looks -= len(before)
            if looks < 0:
                yield Problem(
                    "shadows_not_sought",
                    reach.path,
                    f"From rule “{rule.name}” of policy “{policy.name}” on nobody looked for rules that never match: "
                    "there are too many rules before it.",
                    "warning",
                )
                return
            cover = next((one for one in before if one.covers(reach)), None)
            if cover:
                yield Problem(
                    "shadowed_rule",
                    reach.path,
                    f"Rule “{rule.name}” of policy “{policy.name}” never matches: rule “{cover.rule}” of policy "
                    f"“{cover.policy.name}” comes first and covers it.",
                    "warning",
                )
            elif rule.action != "watch":
                for uid in policy.segments:
                    earlier[uid].append(reach)
