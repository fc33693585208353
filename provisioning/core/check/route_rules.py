"""Rules of route policies that match no route, and route policies that change none.

A rule is told by what there is now: until BGP sessions are opened, routes are what connectors attach, with the
communities that route policies set. One that waits for what a peer will send is told as such, not as one to remove.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.core.intent.route_policies import UNCHANGED
from provisioning.core.resolve.route_filters import Route, RouteFilter, filter_route
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.resource import Problem

SeenRoutes = dict[Route, None]
"""The routes that a route policy is asked about, each once."""


def check_route_rules(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about every rule that matches no route, and about policies whose rules leave all routes as they are."""
    for route_filter, seen in _seen_by_policy(resolved).items():
        policy = route_filter.policy
        dead = [*_check_rules(route_filter, seen)] if seen else []
        yield from dead
        if not dead and not any(_has_effect(route_filter, route) for route in seen):
            yield Problem(
                "changes_nothing",
                f"route-policies/{policy.key}",
                f"Route policy “{policy.name}” changes nothing in segment “{resolved.segment.name}”: every route "
                f"{_relation(route_filter)} its targets is allowed as it is. Name prefixes that are there, or remove "
                "it.",
                "warning",
            )


def _relation(route_filter: RouteFilter) -> str:
    return "of" if route_filter.policy.direction == "in" else "told to"


def _has_effect(route_filter: RouteFilter, route: Route) -> bool:
    index = route_filter.deciding_rule(route)
    if index is None:
        return False
    rule = route_filter.policy.rules[index]
    return rule.action == "deny" or rule.set != UNCHANGED


# What policies are asked about


def _seen_by_policy(resolved: ResolvedSegment) -> dict[RouteFilter, SeenRoutes]:
    """Return every route policy that has a target, with the routes as the policies before it leave them."""
    seen: dict[RouteFilter, SeenRoutes] = {}
    for filters, routes in (*_offered(resolved), *_announced(resolved)):
        for route_filter in filters:
            seen.setdefault(route_filter, {})
        for route in routes:
            for route_filter in filters:
                seen[route_filter][route] = None
                route = filter_route((route_filter,), route).route
    return seen


def _offered(resolved: ResolvedSegment) -> Iterator[tuple[list[RouteFilter], list[Route]]]:
    """Yield the policies for what a connector offers, and that."""
    routing_table = resolved.routing_table
    for connector, attachments in routing_table.attached:
        if filters := routing_table.filters(connector, "in"):
            yield filters, [route for route, _ in routing_table.offered_routes(connector, attachments)]


def _announced(resolved: ResolvedSegment) -> Iterator[tuple[list[RouteFilter], list[Route]]]:
    """Yield the policies for what some targets are told, and that: all routes, but for a single target its own."""
    routing_table = resolved.routing_table
    targets: dict[tuple[RouteFilter, ...], list[str]] = {}
    for connector, _ in routing_table.attached:
        if filters := tuple(routing_table.filters(connector, "out")):
            targets.setdefault(filters, []).append(connector.uid)
    for filters, uids in targets.items():
        members = (*resolved.members, *resolved.imported_members)
        others = (member for member in members if uids != [member.connector.uid])
        yield [*filters], [route for member in others for route, _ in member.announced_routes()]


# Rules that match none of it


@dataclass(frozen=True, slots=True)
class _DeadRule:
    """field: of the rule, where a part of its match is to blame."""

    field: str
    reason: str
    remedy: str


def _check_rules(route_filter: RouteFilter, seen: SeenRoutes) -> Iterator[Problem]:
    policy = route_filter.policy
    for index in range(len(policy.rules)):
        dead = _find_cover(route_filter, index) or _explain_unmatched(route_filter, index, seen)
        if dead:
            yield Problem(
                "never_matches",
                f"route-policies/{policy.key}/rules[{index}]{dead.field}",
                f"Rule {index + 1} of route policy “{policy.name}” matches no route: {dead.reason} {dead.remedy}",
                "warning",
            )


def _find_cover(route_filter: RouteFilter, index: int) -> _DeadRule | None:
    """Return what makes a rule dead whatever routes there are: an earlier one matches all that it does."""
    matchers = route_filter.matchers
    before = next((n for n, matcher in enumerate(matchers[:index]) if matcher.covers(matchers[index])), None)
    if before is None:
        return None
    reason = f"rule {before + 1} before it matches whatever it does."
    return _DeadRule("", reason, "Move it before that one, or remove it.")


def _explain_unmatched(route_filter: RouteFilter, index: int, seen: SeenRoutes) -> _DeadRule | None:
    matcher, rule = route_filter.matchers[index], route_filter.policy.rules[index]
    kinds = {(route.as_path, route.communities): route for route in seen}.values()
    carried = frozenset().union(*(route.communities for route in kinds))
    if missing := [community for community in rule.match.communities if community not in carried]:
        return _DeadRule(
            ".match.communities",
            f"none carries {' or '.join(missing)}. No route policy sets it on a route before, and no BGP session is "
            f"opened yet by which a peer could. What the rule should {rule.action} goes on to the next rule.",
            "Keep it for what peers will send; otherwise set the community on the routes that are meant, or match "
            "prefixes.",
        )
    if matcher.pattern is not None and not any(matcher.pattern.matches(route.as_path) for route in kinds):
        return _DeadRule(
            ".match.as_path",
            f"none has an AS path like {rule.match.as_path}. As long as no BGP session is opened, a path is the AS "
            "number of the connector's peer, and empty without one.",
            "Keep it for what peers will announce; otherwise correct the pattern, or match prefixes.",
        )
    if any(matcher.matches(route) for route in seen):
        return None
    if any(matcher.matches_prefix(route.prefix) for route in seen):
        return _DeadRule(".match", "none meets all parts of its match.", "Correct the match, or remove the rule.")
    reason = f"none {_relation(route_filter)} its targets has a prefix that it names."
    return _DeadRule(".match.prefixes", reason, "Name prefixes that are there, or remove the rule.")
