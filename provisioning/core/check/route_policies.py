"""Route policies without a target, and those that change no route."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.intent import Attachment, Connector, RoutePolicy
from provisioning.core.intent.route_policies import UNCHANGED
from provisioning.core.resolve.connector_edge import RouteFilter, origin_as_path, present_attachments
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.resource import Problem


def check_route_policy_targets(network: Network) -> Iterator[Problem]:
    intent = network.intent
    for policy in intent.route_policies.values():
        segment = intent.segments.get(policy.segment)
        if segment is None:
            continue
        attached = network.resolved(segment.uid).local_segment.routing_table.attached
        groups = {group for _, attachments in attached for attachment in attachments for group in attachment.member_of}
        for index, uid in enumerate(policy.targets):
            path = f"route-policies/{policy.key}/targets[{index}]"
            connector, group = intent.connectors.get(uid), intent.groups.get(uid)
            if connector is not None and all(attachment.segment != segment.uid for attachment in connector.attachments):
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


def check_attributes_without_effect(network: Network) -> Iterator[Problem]:
    """Warn about rules that match or set what no route has, as long as nothing speaks BGP."""
    for policy in network.intent.route_policies.values():
        for index, rule in enumerate(policy.rules if policy.enabled else ()):
            path = f"route-policies/{policy.key}/rules[{index}]"
            if rule.match.communities:
                yield Problem(
                    "never_matches",
                    f"{path}.match.communities",
                    f"Rule {index + 1} of route policy “{policy.name}” never matches: no BGP session is opened yet, so "
                    f"no route carries a community. What it should {rule.action} goes on to the next rule. Match "
                    "prefixes instead.",
                    "warning",
                )
            if rule.set != UNCHANGED:
                yield Problem(
                    "not_in_effect",
                    f"{path}.set",
                    f"What rule {index + 1} of route policy “{policy.name}” sets on routes is kept, but not in effect: "
                    "no BGP session is opened yet. Nothing is to be done; it will be told once there is one.",
                    "warning",
                )


def check_unused_route_policies(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about policies whose rules deny no existing route and set no attribute of one."""
    for policy in resolved.routing_table.route_policies:
        targets = {
            connector.uid
            for connector, attachments in resolved.routing_table.attached
            if _is_target(policy, connector, attachments)
        }
        routes = (
            _presented_routes(resolved, targets) if policy.direction == "in" else _announced_routes(resolved, targets)
        )
        route_filter = RouteFilter(policy, resolved.prefixes)
        if targets and not any(_has_effect(route_filter, connector, prefix) for connector, prefix in routes):
            relation = "of" if policy.direction == "in" else "told to"
            yield Problem(
                "changes_nothing",
                f"route-policies/{policy.key}",
                f"Route policy “{policy.name}” changes nothing in segment “{resolved.segment.name}”: every "
                f"route {relation} "
                "its targets is allowed as it is. Name prefixes that are there, or remove it.",
                "warning",
            )


def _is_target(policy: RoutePolicy, connector: Connector, attachments: Sequence[Attachment]) -> bool:
    return connector.uid in policy.targets or any(
        not set(attachment.member_of).isdisjoint(policy.targets) for attachment in attachments
    )


def _presented_routes(resolved: ResolvedSegment, targets: set[str]) -> Iterator[tuple[Connector, str]]:
    """Yield what targets would present without route policies."""
    for connector, attachments in resolved.routing_table.attached:
        if connector.uid in targets:
            rules = resolved.routing_table.nat.get(connector.uid, ())
            for presented in present_attachments(connector, attachments, rules, (), resolved.prefixes):
                yield from ((connector, prefix) for prefix, _ in presented.routes)


def _announced_routes(resolved: ResolvedSegment, targets: set[str]) -> Iterator[tuple[Connector, str]]:
    """Yield the routes that some target is told: all of them, but for a single target its own."""
    for member in (*resolved.members, *resolved.imported_members):
        if targets != {member.connector.uid}:
            yield from ((member.connector, prefix) for prefix, _ in member.routes)


def _has_effect(route_filter: RouteFilter, connector: Connector, prefix: str) -> bool:
    rule = route_filter.deciding_rule(prefix, origin_as_path(connector))
    return rule is not None and (rule.action == "deny" or rule.set != UNCHANGED)
