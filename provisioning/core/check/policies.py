"""Policies that cannot do what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from provisioning.core.intent import ANY, INTERNET, Connector, Intent, Policy
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

ConnectorsByName = dict[str, dict[str, tuple[str, str] | None]]
"""Name (a group, a connector, ``any``) → segment → the connector it stands for there (uid, name); None for several."""


@dataclass(frozen=True, slots=True, eq=False)
class PolicyContext:
    """What names stand for, and the segments with an exit."""

    intent: Intent
    exits: frozenset[str]


_CONNECTORS_BY_NAME = DerivedKey[tuple[ConnectorsByName, frozenset[str]]]("connectors by name, segments with an exit")
_CONTEXT = DerivedKey[PolicyContext]("policy context")
_PROBLEMS = DerivedKey[list[Problem]]("problems of a policy")


def _load_context(network: Network) -> tuple[ConnectorsByName, PolicyContext]:
    """Equal to those before where an edit leaves them as they were."""
    intent = network.intent
    named = {name for policy in intent.policies.values() for name in (*policy.from_, *policy.to)}
    imported_members = [resolved.imported_members for resolved in network.resolved_segments.values() if resolved.shares]
    connectors = intent.connectors.values()
    joined, exits = network.derived.get(
        _CONNECTORS_BY_NAME, (named, *connectors, None, *imported_members), lambda: _connectors_by_name(network, named)
    )
    told = [(one.name, one.kind, one.enabled) for uid in sorted(named) if (one := intent.connectors.get(uid))]
    items = [one for kind in (intent.groups, intent.segments, intent.internet_apps) for one in kind.values()]
    return joined, network.derived.get(_CONTEXT, (exits, told, *items), lambda: PolicyContext(intent, exits))


def _connectors_by_name(network: Network, named: set[str]) -> tuple[ConnectorsByName, frozenset[str]]:
    """Members, and the guests that shares bring into a segment, by the names that policies use."""
    joined: ConnectorsByName = {}
    exits = set()

    def join(segment: str, connector: Connector, group: str | None) -> None:
        for name in (ANY, connector.uid, group):
            if name in named:
                here = joined.setdefault(name, {})
                held = here.setdefault(segment, (connector.uid, connector.name))
                if held is not None and held[0] != connector.uid:
                    here[segment] = None

    for connector in network.intent.connectors.values():
        for attachment in connector.attachments if connector.enabled else ():
            if connector.kind == "internet-exit":
                exits.add(attachment.segment)
            else:
                join(attachment.segment, connector, attachment.group)
    for uid, resolved in network.resolved_segments.items():
        for imported_member in resolved.imported_members if resolved.shares else ():
            join(uid, imported_member.connector, imported_member.attachment.group)
    return joined, frozenset(exits)


def check_policy_endpoints(network: Network) -> Iterator[Problem]:
    """Names that nobody has in the policy's segments, policies about one connector, and an internet without a way."""
    joined, meanings = _load_context(network)
    for policy in network.intent.policies.values():
        read = (policy, meanings, [joined.get(name) for side in (policy.from_, policy.to) for name in side])
        make = partial(_policy_problems, policy, joined, meanings)
        yield from network.derived.get(_PROBLEMS, read, make, of=policy.uid)


def _policy_problems(policy: Policy, joined: ConnectorsByName, meanings: PolicyContext) -> list[Problem]:
    return list(_check_endpoints(policy, joined, meanings))


def _check_endpoints(policy: Policy, joined: ConnectorsByName, meanings: PolicyContext) -> Iterator[Problem]:
    for field, side in (("from", policy.from_), ("to", policy.to)):
        nobody = []
        for place, uid in enumerate(side):
            here = joined.get(uid)
            if here is None or here.keys().isdisjoint(policy.segments):
                nobody.append((place, uid))
        if nobody:
            yield from _check_unmatched_names(policy, meanings.intent, f"policies/{policy.key}/{field}", nobody)
    yield from _check_same_connector(policy, joined)
    yield from _check_internet(policy, meanings)


MAX_NAMED = 3
"""Groups that one warning names."""


def _check_unmatched_names(
    policy: Policy, intent: Intent, path: str, named: Sequence[tuple[int, str]]
) -> Iterator[Problem]:
    """``named``: (place, uid) of what nobody in the policy's segments is called."""
    groups = [(place, f"“{intent.groups[uid].name}”") for place, uid in named if uid in intent.groups]
    if groups:
        names = ", ".join(name for _, name in groups[:MAX_NAMED])
        more = f" and {len(groups) - MAX_NAMED} more" if len(groups) > MAX_NAMED else ""
        have = "which have no member" if len(groups) > 1 else "which has no member"
        yield Problem(
            "empty_group",
            f"{path}[{groups[0][0]}]",
            f"Policy “{policy.name}” names group{'s' if len(groups) > 1 else ''} {names}{more}, {have} in its "
            "segments. Nothing matches until a connector joins.",
            "warning",
        )
    for place, uid in named:
        connector = intent.connectors.get(uid)
        if connector is not None and connector.kind == "internet-exit":
            yield Problem(
                "names_exit",
                f"{path}[{place}]",
                f"Policy “{policy.name}” names the internet exit “{connector.name}”, which has no addresses of its "
                "own. Name internet instead.",
                "warning",
            )
        elif connector is not None and connector.enabled:
            yield Problem(
                "not_attached",
                f"{path}[{place}]",
                f"Policy “{policy.name}” names connector “{connector.name}”, which is attached to none of its "
                "segments. Nothing matches until it is.",
                "warning",
            )


def _check_same_connector(policy: Policy, joined: ConnectorsByName) -> Iterator[Problem]:
    if INTERNET in (*policy.from_, *policy.to):
        return
    start = _only_connector(policy, policy.from_, joined)
    if start is not None and start == _only_connector(policy, policy.to, joined):
        yield Problem(
            "not_enforceable",
            f"policies/{policy.key}",
            f"Policy “{policy.name}” is about traffic inside connector “{start[1]}”, which never reaches an exchange. "
            "It cannot be enforced.",
            "warning",
        )


def _only_connector(policy: Policy, side: tuple[str, ...], joined: ConnectorsByName) -> tuple[str, str] | None:
    """The only connector that a side names in the policy's segments; None for none or several."""
    lone: tuple[str, str] | None = None
    for name in side:
        here = joined.get(name, {})
        for uid in policy.segments:
            if uid in here:
                found = here[uid]
                if found is None or lone not in (None, found):
                    return None
                lone = found
    return lone


def _check_internet(policy: Policy, meanings: PolicyContext) -> Iterator[Problem]:
    intent, path = meanings.intent, f"policies/{policy.key}"
    apps = [uid for uid in policy.to if uid in intent.internet_apps]
    if INTERNET in policy.from_ and not apps:
        yield Problem(
            "no_internet_application",
            f"{path}/from[{policy.from_.index(INTERNET)}]",
            f"Policy “{policy.name}” lets the internet in, but only internet applications can be reached from there "
            "and “to” names none. Nothing matches.",
            "warning",
        )
    for uid in apps if INTERNET not in policy.from_ else ():
        yield Problem(
            "not_from_internet",
            f"{path}/to[{policy.to.index(uid)}]",
            f"Policy “{policy.name}” names internet application “{intent.internet_apps[uid].name}”, which only the "
            "internet reaches. Name internet in “from”.",
            "warning",
        )
    for uid in policy.from_:
        if uid in intent.internet_apps:
            yield Problem(
                "names_application",
                f"{path}/from[{policy.from_.index(uid)}]",
                f"Policy “{policy.name}” names internet application “{intent.internet_apps[uid].name}” in “from”; an "
                "application begins no flows. Name its target.",
                "warning",
            )
    if INTERNET in policy.to:
        for uid in policy.segments:
            if uid in intent.segments and uid not in meanings.exits:
                yield Problem(
                    "no_exit",
                    f"{path}/to[{policy.to.index(INTERNET)}]",
                    f"Policy “{policy.name}” names the internet, but segment “{intent.segments[uid].name}” has no "
                    "internet exit.",
                    "warning",
                )
