"""Policies that match nothing or cannot be enforced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from provisioning.core.intent import ANY, INTERNET, Intent, Policy
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import EXAMPLE_INTERNET_ADDRESS
from provisioning.core.values.resource import Problem

SegmentsOfName = dict[str, tuple[str, str] | None]
"""Segment → the connector that a name stands for there (uid, name); None for several, and for clients."""

MembersByName = dict[str, tuple[str, str] | None]
"""Group, connector or ``any`` → the connector that it stands for in one segment (uid, name); None for several, and for
clients of remote access, each of which is an end of its own."""

ConnectorsByName = dict[str, SegmentsOfName]
"""By name: a group, a connector, ``any``."""


@dataclass(frozen=True, slots=True, eq=False)
class PolicyContext:
    """The network that names are looked up in, and segment → what leads to the internet there: "" for an exit, the name
    of the member whose default route does; none of them without either."""

    intent: Intent
    ways_out: Mapping[str, str]


_MEMBERS_BY_NAME = DerivedKey[tuple[MembersByName, str | None]]("members of a segment by name, its way to the internet")
_SEGMENTS_OF_NAME = DerivedKey[SegmentsOfName]("segments where a name has members")
_CONTEXT = DerivedKey[PolicyContext]("policy context")
_PROBLEMS = DerivedKey[tuple[Problem, ...]]("problems of a policy")


def _load_context(network: Network) -> tuple[ConnectorsByName, PolicyContext]:
    """Return both, with the same values as before where an edit leaves them equal."""
    intent = network.intent
    named = {name for policy in intent.policies.values() for name in (*policy.from_, *policy.to)}
    by_name, ways_out = _connectors_by_name(network, named)
    named_connectors = [
        (connector.name, connector.kind, connector.enabled)
        for uid in sorted(named)
        if (connector := intent.connectors.get(uid))
    ]
    items = [item for kind in (intent.groups, intent.segments, intent.internet_apps) for item in kind.values()]
    return by_name, network.derived.get(
        _CONTEXT, (ways_out, named_connectors, *items), lambda: PolicyContext(intent, ways_out)
    )


def _connectors_by_name(network: Network, named: set[str]) -> tuple[ConnectorsByName, dict[str, str]]:
    """Return members and imported members by the names that policies use, and what leads to the internet by segment."""
    by_name: ConnectorsByName = {}
    ways_out = {}
    for uid, resolved in network.resolved_segments.items():
        members, way_out = resolved.derived.get(_MEMBERS_BY_NAME, (), partial(_members_by_name, resolved))
        if way_out is not None:
            ways_out[uid] = way_out
        for name in members.keys() & named:
            by_name.setdefault(name, {})[uid] = members[name]
    # An equal value is the object of the version before: what policies read is then compared by identity.
    values = network.derived.get_each(
        _SEGMENTS_OF_NAME, {name: (by_segment,) for name, by_segment in by_name.items()}, by_name.__getitem__
    )
    return dict(zip(by_name, values, strict=True)), ways_out


def _members_by_name(resolved: ResolvedSegment) -> tuple[MembersByName, str | None]:
    """Return own and imported members of a segment by every name a policy may use, and what leads to the internet."""
    by_name: MembersByName = {}
    attached = [
        (connector, attachment.member_of)
        for connector, attachments in resolved.routing_table.attached
        for attachment in attachments
    ]
    inner = [(connector, groups) for connector, groups in attached if connector.kind != "internet-exit"]
    imported = resolved.imported_members if resolved.shares else ()
    for connector, groups in (*inner, *((member.connector, member.attachment.member_of) for member in imported)):
        only = None if connector.has_clients else (connector.uid, connector.name)
        for name in (ANY, connector.uid, *groups):
            if by_name.setdefault(name, only) != only:
                by_name[name] = None
    address = resolved.internet_address(EXAMPLE_INTERNET_ADDRESS)
    owner = resolved.owner(address) if address is not None else None
    return by_name, None if address is None else owner.connector.name if owner else ""


def check_policy_endpoints(network: Network) -> Iterator[Problem]:
    """Warn about names without a member in the policy's segments, policies inside one connector, and a missing exit."""
    by_name, context = _load_context(network)
    for policy in network.intent.policies.values():
        read = (policy, context, [by_name.get(name) for side in (policy.from_, policy.to) for name in side])
        make = partial(_policy_problems, policy, by_name, context)
        yield from network.derived.get(_PROBLEMS, read, make, of=policy.uid)


def _policy_problems(policy: Policy, by_name: ConnectorsByName, context: PolicyContext) -> tuple[Problem, ...]:
    return tuple(_check_endpoints(policy, by_name, context))


def _check_endpoints(policy: Policy, by_name: ConnectorsByName, context: PolicyContext) -> Iterator[Problem]:
    for field, side in (("from", policy.from_), ("to", policy.to)):
        unmatched = []
        for index, uid in enumerate(side):
            by_segment = by_name.get(uid)
            if by_segment is None or by_segment.keys().isdisjoint(policy.segments):
                unmatched.append((index, uid))
        if unmatched:
            yield from _check_unmatched_names(policy, context.intent, f"policies/{policy.key}/{field}", unmatched)
    yield from _check_same_connector(policy, by_name)
    yield from _check_internet(policy, context)


MAX_NAMED = 3
"""Groups that one warning names."""


def _check_unmatched_names(
    policy: Policy, intent: Intent, path: str, unmatched: Sequence[tuple[int, str]]
) -> Iterator[Problem]:
    """``unmatched``: (index, uid) of names that have no member in the policy's segments."""
    groups = [(index, f"“{intent.groups[uid].name}”") for index, uid in unmatched if uid in intent.groups]
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
    for index, uid in unmatched:
        connector = intent.connectors.get(uid)
        if connector is not None and connector.kind == "internet-exit":
            yield Problem(
                "names_exit",
                f"{path}[{index}]",
                f"Policy “{policy.name}” names the internet exit “{connector.name}”, which has no addresses of its "
                "own. Name internet instead.",
                "warning",
            )
        elif connector is not None and connector.enabled:
            yield Problem(
                "not_attached",
                f"{path}[{index}]",
                f"Policy “{policy.name}” names connector “{connector.name}”, which is attached to none of its "
                "segments. Nothing matches until it is.",
                "warning",
            )


def _check_same_connector(policy: Policy, by_name: ConnectorsByName) -> Iterator[Problem]:
    if INTERNET in (*policy.from_, *policy.to):
        return
    start = _only_connector(policy, policy.from_, by_name)
    if start is not None and start == _only_connector(policy, policy.to, by_name):
        yield Problem(
            "not_enforceable",
            f"policies/{policy.key}",
            f"Policy “{policy.name}” is about traffic inside connector “{start[1]}”, which never reaches an exchange. "
            "It cannot be enforced.",
            "warning",
        )


def _only_connector(policy: Policy, side: tuple[str, ...], by_name: ConnectorsByName) -> tuple[str, str] | None:
    """Return the only connector that a side names in the policy's segments; None for none or several."""
    only: tuple[str, str] | None = None
    for name in side:
        by_segment = by_name.get(name, {})
        for uid in policy.segments:
            if uid in by_segment:
                connector = by_segment[uid]
                if connector is None or only not in (None, connector):
                    return None
                only = connector
    return only


def _check_internet(policy: Policy, context: PolicyContext) -> Iterator[Problem]:
    intent, path = context.intent, f"policies/{policy.key}"
    if INTERNET in policy.from_ and intent.internet_apps.keys().isdisjoint(policy.to):
        yield Problem(
            "no_internet_application",
            f"{path}/from[{policy.from_.index(INTERNET)}]",
            f"Policy “{policy.name}” lets the internet in, but only internet applications can be reached from there "
            "and “to” names none. Nothing matches.",
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
            if uid in intent.segments and (member := context.ways_out.get(uid)):
                yield Problem(
                    "internet_behind_member",
                    f"{path}/to[{policy.to.index(INTERNET)}]",
                    f"Policy “{policy.name}” names the internet, but in segment “{intent.segments[uid].name}” the "
                    f"default route of “{member}” carries public addresses. Flows to them are ruled by policies that "
                    f"name “{member}” or any, and by the default action. Name “{member}” instead.",
                    "warning",
                )
            elif uid in intent.segments and member is None:
                yield Problem(
                    "no_exit",
                    f"{path}/to[{policy.to.index(INTERNET)}]",
                    f"Policy “{policy.name}” names the internet, but segment “{intent.segments[uid].name}” has no "
                    "internet exit.",
                    "warning",
                )
