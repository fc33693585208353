"""Route policies for nobody, or that change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.edges import RouteFilter, as_path, present
from provisioning.core.intent import Attachment, Connector, RoutePolicy
from provisioning.core.intent.route_policies import UNCHANGED
from provisioning.core.network import Network
from provisioning.core.realm import Realm
from provisioning.core.values.resource import Problem


def check_route_policy_targets(network: Network) -> Iterator[Problem]:
    intent = network.intent
    for policy in intent.route_policies.values():
        segment = intent.segments.get(policy.segment)
        if segment is None:
            continue
        attached = network.realm(segment.uid).roster.ground.attached
        groups = {one.group for _, attachments in attached for one in attachments}
        for place, uid in enumerate(policy.targets):
            path = f"route-policies/{policy.key}/targets[{place}]"
            connector, group = intent.connectors.get(uid), intent.groups.get(uid)
            if connector is not None and all(one.segment != segment.uid for one in connector.attachments):
                yield Problem(
                    "target_not_in_segment",
                    path,
                    f"Route policy “{policy.name}” is for connector “{connector.name}”, which is not attached to "
                    f"segment “{segment.name}”. Choose a connector of that segment.",
                )
            elif group is not None and uid not in groups:
                yield Problem(
                    "empty_group",
                    path,
                    f"Route policy “{policy.name}” names group “{group.name}”, which has no member in segment "
                    f"“{segment.name}”. Nothing is filtered until a connector joins it there.",
                    "warning",
                )


def check_unused_route_policies(realm: Realm) -> Iterator[Problem]:
    """A policy whose rules neither keep a route that is there from anybody, nor set anything on one."""
    for policy in realm.ground.route_policies:
        targets = {one.uid for one, some in realm.ground.attached if _is_target(policy, one, some)}
        routes = _presented_routes(realm, targets) if policy.direction == "in" else _announced_routes(realm, targets)
        asked = RouteFilter(policy, realm.prefixes)
        if targets and not any(_has_effect(asked, connector, prefix) for connector, prefix in routes):
            told = "of" if policy.direction == "in" else "told to"
            yield Problem(
                "changes_nothing",
                f"route-policies/{policy.key}",
                f"Route policy “{policy.name}” changes nothing in segment “{realm.segment.name}”: every route {told} "
                "its targets is allowed as it is. Name prefixes that are there, or remove it.",
                "warning",
            )


def _is_target(policy: RoutePolicy, connector: Connector, attachments: Sequence[Attachment]) -> bool:
    return connector.uid in policy.targets or any(one.group in policy.targets for one in attachments)


def _presented_routes(realm: Realm, targets: set[str]) -> Iterator[tuple[Connector, str]]:
    """What targets would present if there were no route policies."""
    for connector, attachments in realm.ground.attached:
        if connector.uid in targets:
            rules = realm.ground.nat.get(connector.uid, ())
            for shown in present(connector, attachments, rules, (), realm.prefixes):
                yield from ((connector, prefix) for prefix, _ in shown.routes)


def _announced_routes(realm: Realm, targets: set[str]) -> Iterator[tuple[Connector, str]]:
    """What is told to some target: every route but that of an only target itself."""
    for member in (*realm.members, *realm.guests):
        if targets != {member.connector.uid}:
            yield from ((member.connector, prefix) for prefix, _ in member.routes)


def _has_effect(asked: RouteFilter, connector: Connector, prefix: str) -> bool:
    rule = asked.deciding(prefix, as_path(connector))
    return rule is not None and (rule.action == "deny" or rule.set != UNCHANGED)
