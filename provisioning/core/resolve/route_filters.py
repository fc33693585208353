"""Route policies (route maps) applied to routes: which pass, and with which communities."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from provisioning.core.intent import Connector, RouteMatch, RoutePolicy
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.values.as_paths import compile_as_path

Communities = frozenset[str]
NO_COMMUNITIES: Communities = frozenset()


class Route(NamedTuple):
    """A route as route policies see it. as_path: AS numbers with blanks between."""

    prefix: str
    as_path: str
    communities: Communities = NO_COMMUNITIES


class RouteDenial(NamedTuple):
    """The rule (by its index) of a route policy that denies a route."""

    policy: RoutePolicy
    rule: int


class FilteredRoute(NamedTuple):
    """A route behind some route policies, and what denies it; without a denial it is accepted."""

    route: Route
    denials: tuple[RouteDenial, ...]


class RouteFilter:
    """One route policy, compiled to be asked about many routes. matchers: by index of the rule."""

    def __init__(self, policy: RoutePolicy, prefixes: ListResolver) -> None:
        self.policy, self.prefixes = policy, prefixes
        self.matchers = [RouteMatcher(rule.match, prefixes) for rule in policy.rules]

    def deciding_rule(self, route: Route) -> int | None:
        """Return the index of the first rule that matches; None where none does, and the route is allowed."""
        return next((index for index, matcher in enumerate(self.matchers) if matcher.matches(route)), None)


def filter_route(filters: Iterable[RouteFilter], route: Route) -> FilteredRoute:
    """Take a route past route policies, in their order: each sees the communities that those before it set.

    A policy that denies the route leaves it as it is for the next one, so that all denials are found.
    """
    denials: tuple[RouteDenial, ...] = ()
    for route_filter in filters:
        index = route_filter.deciding_rule(route)
        if index is None:
            continue
        rule = route_filter.policy.rules[index]
        if rule.action == "deny":
            denials = (*denials, RouteDenial(route_filter.policy, index))
        elif rule.set.communities:
            route = route._replace(communities=route.communities.union(rule.set.communities))
    return FilteredRoute(route, denials)


class RouteMatcher:
    """What one rule matches, in three parts: ``pattern`` of AS paths (None: every path), communities, and prefixes."""

    def __init__(self, match: RouteMatch, prefixes: ListResolver) -> None:
        self.pattern = compile_as_path(match.as_path) if match.as_path is not None else None
        self.communities = frozenset(match.communities)
        entries = prefixes.entries(match.prefixes)
        self._every = not match.prefixes
        # One entry may mean a prefix exactly, and another the same prefix with longer ones.
        self._exact = {entry.prefix for entry in entries if entry.ge is None and entry.le is None}
        self._ranges = [entry for entry in entries if entry.ge is not None or entry.le is not None]

    def matches(self, route: Route) -> bool:
        return self.matches_attributes(route) and self.matches_prefix(route.prefix)

    def matches_attributes(self, route: Route) -> bool:
        is_path = self.pattern is None or self.pattern.matches(route.as_path)
        return is_path and self.communities <= route.communities

    def matches_prefix(self, prefix: str) -> bool:
        return self._every or prefix in self._exact or any(entry.holds(prefix) for entry in self._ranges)

    def covers(self, other: RouteMatcher) -> bool:
        """Return whether it certainly matches whatever another one does."""
        return (
            self.communities <= other.communities
            and self.pattern in (None, other.pattern)
            and (self._every or (not other._every and self._names(other)))
        )

    def _names(self, other: RouteMatcher) -> bool:
        return all(map(self.matches_prefix, other._exact)) and all(entry in self._ranges for entry in other._ranges)


def origin_as_path(connector: Connector) -> str:
    """Return the AS path of routes that come from a connector: the AS number of its peer; empty without BGP."""
    return str(connector.active_circuit.bgp["peer_asn"]) if connector.circuits and connector.active_circuit.bgp else ""
