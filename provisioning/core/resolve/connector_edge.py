"""The edge of a connector in one segment: what it presents once NAT and route policies have had their say.

Everything but the edge itself (overlap, routes, policies, shares, traces) sees presented addresses only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisioning.core.intent import Attachment, Connector, NatRule, RouteMatch, RoutePolicy, RouteRule
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.values.addresses import Range, assign_owners, intersect, merge_ranges, prefix_range, subtract
from provisioning.core.values.as_paths import compile_as_path

PrefixRoute = tuple[str, Range]
"""A prefix and its range."""


@dataclass(frozen=True, slots=True)
class PresentedAttachment:
    """One attachment as the segment sees it.

    routes:  prefixes that are announced for it; which addresses they win is decided in the segment.
    sources: addresses it may send from.
    plain:   addresses that reach the inside as they are; any other that is routed here needs an inbound rule.
    """

    routes: tuple[PrefixRoute, ...]
    sources: tuple[Range, ...]
    untranslated: tuple[Range, ...]


def present_attachments(
    connector: Connector,
    attachments: Sequence[Attachment],
    nat: Sequence[NatRule],
    filters: Sequence[RouteFilter],
    prefixes: PrefixResolver,
) -> list[PresentedAttachment]:
    """What the attachments of a connector in one segment present; ``nat`` in the order its rules are tried."""
    if not nat and not filters and len(attachments) == 1:
        routes = tuple((prefix, prefix_range(prefix)) for prefix in attachments[0].prefixes)
        whole = merge_ranges(held for _, held in routes)
        return [PresentedAttachment(routes, whole, whole)]
    edge = _ConnectorEdge(attachments, nat, filters, origin_as_path(connector), prefixes)
    return [edge.presented(place) for place in range(len(attachments))]


class _ConnectorEdge:
    def __init__(
        self,
        attachments: Sequence[Attachment],
        nat: Sequence[NatRule],
        filters: Sequence[RouteFilter],
        path: str,
        prefixes: PrefixResolver,
    ) -> None:
        self.filters, self.path, self.prefixes = filters, path, prefixes
        self.inside = [tuple((prefix, prefix_range(prefix)) for prefix in one.prefixes) for one in attachments]
        self.owned = _split_by_longest_prefix(self.inside)
        self.hidden = self._hidden(nat)
        self.outside: list[list[PrefixRoute]] = [[] for _ in attachments]
        self.inward: list[list[PrefixRoute]] = [[] for _ in attachments]
        for rule in nat:
            self._add(rule)

    def _hidden(self, nat: Sequence[NatRule]) -> tuple[Range, ...]:
        """Inside addresses that are always translated and therefore never seen."""
        found: list[Range] = []
        for rule in nat:
            match = rule.match
            always = match.protocol == "any" and self.prefixes.ranges(match.destination) is None
            if always and rule.direction == "outbound" and rule.source.type != "none":
                held = self.prefixes.ranges(match.source)
                found.extend(merge_ranges(r for owned in self.owned for r in owned) if held is None else held)
        return merge_ranges(found)

    def _add(self, rule: NatRule) -> None:
        """The prefixes a rule presents, each with the attachment its inside addresses belong to."""
        if rule.direction == "outbound" and rule.source.type != "none":
            told = self.prefixes.texts(rule.match.source)
            inner = prefix_pairs(told, rule.source.prefixes) if rule.source.type == "static" else None
            for place, prefix in enumerate(rule.source.prefixes):
                held = (prefix_range(inner[place][0]),) if inner else self.prefixes.ranges(rule.match.source)
                self.outside[self._attachment(held)].append((prefix, prefix_range(prefix)))
        elif rule.direction == "inbound":
            # Without a translation the rule lets in what an outbound rule hides.
            told = self.prefixes.texts(rule.match.destination)
            within = rule.destination.prefixes if len(rule.destination.prefixes) == len(told) else told
            for prefix, inner_prefix in zip(told, within, strict=True):
                held = (prefix_range(inner_prefix),)
                self.inward[self._attachment(held)].append((prefix, prefix_range(prefix)))

    def _attachment(self, inside: Sequence[Range] | None) -> int:
        if inside is None:
            return 0
        return next((place for place, owned in enumerate(self.owned) if intersect(owned, merge_ranges(inside))), 0)

    def presented(self, place: int) -> PresentedAttachment:
        inside = tuple(route for route in self.inside[place] if subtract((route[1],), self.hidden))
        routes = self._accepted(dict.fromkeys((*inside, *self.outside[place], *self.inward[place])))
        # What a filter takes from one attachment may be left to another one by a shorter prefix.
        owned = _split_by_longest_prefix([self._accepted(one) for one in self.inside]) if self.filters else self.owned
        untranslated = subtract(owned[place], self.hidden)
        sources = merge_ranges((*untranslated, *(held for _, held in self._accepted(self.outside[place]))))
        return PresentedAttachment(routes, sources, untranslated)

    def _accepted(self, routes: Iterable[PrefixRoute]) -> tuple[PrefixRoute, ...]:
        return tuple(route for route in routes if all(one.accepts(route[0], self.path) for one in self.filters))


def _split_by_longest_prefix(attachments: Sequence[Sequence[PrefixRoute]]) -> list[tuple[Range, ...]]:
    """Inside one connector the longest prefix tells its attachments apart."""
    owned = assign_owners(
        (held, (-prefix_length(prefix), place), place)
        for place, routes in enumerate(attachments)
        for prefix, held in routes
    )
    return [owned.get(place, ()) for place in range(len(attachments))]


def prefix_pairs(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, str]]:
    """The 1:1 translation of prefixes; ``check`` sees to it that the lists pair off."""
    return list(zip(left, right, strict=False)) if len(left) == len(right) else [(one, one) for one in right]


def prefix_length(prefix: str) -> int:
    return int(prefix.rpartition("/")[2])


class RouteFilter:
    """One route policy, ready to be asked about many routes."""

    def __init__(self, policy: RoutePolicy, prefixes: PrefixResolver) -> None:
        self.policy, self.prefixes = policy, prefixes
        self._rules = [(rule, _RouteMatcher(rule.match, prefixes)) for rule in policy.rules]

    def accepts(self, prefix: str, as_path: str) -> bool:
        rule = self.deciding_rule(prefix, as_path)
        return rule is None or rule.action == "allow"

    def deciding_rule(self, prefix: str, as_path: str) -> RouteRule | None:
        """The first rule that matches, none where every route is allowed. as_path: AS numbers with blanks between."""
        for rule, match in self._rules:
            if match.matches(prefix, as_path):
                return rule
        return None


class _RouteMatcher:
    def __init__(self, match: RouteMatch, prefixes: PrefixResolver) -> None:
        self._path = compile_as_path(match.as_path) if match.as_path is not None else None
        # No route carries communities before routes are learned.
        self._never = bool(match.communities)
        entries = prefixes.entries(match.prefixes)
        self._every = not match.prefixes
        # The same prefix may be meant exactly by one entry and with longer ones by another.
        self._exact = {entry.prefix for entry in entries if entry.ge is None and entry.le is None}
        self._ranges = [entry for entry in entries if entry.ge is not None or entry.le is not None]

    def matches(self, prefix: str, as_path: str) -> bool:
        if self._never or (self._path is not None and not self._path.matches(as_path)):
            return False
        return self._every or prefix in self._exact or any(entry.holds(prefix) for entry in self._ranges)


def origin_as_path(connector: Connector) -> str:
    """The path of routes that come from a connector: its peer's AS, where it speaks BGP."""
    return str(connector.active_circuit.bgp["peer_asn"]) if connector.circuits and connector.active_circuit.bgp else ""
