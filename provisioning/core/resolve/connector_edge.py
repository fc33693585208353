"""The edge of a connector in one segment: what it presents after NAT and route policies.

Everything beyond the edge (overlap checks, routes, policies, shares, traces) sees presented addresses only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.intent import Attachment, Connector, NatRule
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.route_filters import (
    Communities,
    FilteredRoute,
    Route,
    RouteFilter,
    filter_route,
    origin_as_path,
)
from provisioning.core.values.addresses import Range, assign_owners, intersect, merge_ranges, prefix_range, subtract

PrefixRoute = tuple[str, Range]
"""A prefix and its range."""


@dataclass(frozen=True, slots=True)
class PresentedAttachment:
    """One attachment as the segment sees it.

    routes: prefixes that are announced for it; the segment decides which addresses they win.
    sources: addresses it may send from.
    untranslated: addresses that reach the inside as they are; any other that is routed here needs an inbound rule.
    communities: by prefix, of the routes to which a route policy gave some.
    """

    routes: tuple[PrefixRoute, ...]
    sources: tuple[Range, ...]
    untranslated: tuple[Range, ...]
    communities: Mapping[str, Communities]


def present_attachments(
    connector: Connector,
    attachments: Sequence[Attachment],
    nat: Sequence[NatRule],
    filters: Sequence[RouteFilter],
    prefixes: ListResolver,
) -> list[PresentedAttachment]:
    """Return what each attachment of a connector in one segment presents. nat: in the order the rules are tried."""
    if not nat and not filters and len(attachments) == 1:
        routes = tuple((prefix, prefix_range(prefix)) for prefix in attachments[0].prefixes)
        ranges = merge_ranges(span for _, span in routes)
        return [PresentedAttachment(routes, ranges, ranges, {})]
    edge = _ConnectorEdge(attachments, nat, filters, origin_as_path(connector), prefixes)
    return [edge.presented(index) for index in range(len(attachments))]


class _ConnectorEdge:
    def __init__(
        self,
        attachments: Sequence[Attachment],
        nat: Sequence[NatRule],
        filters: Sequence[RouteFilter],
        path: str,
        prefixes: ListResolver,
    ) -> None:
        self.filters, self.path, self.prefixes = filters, path, prefixes
        self._filtered: dict[str, FilteredRoute] = {}
        self.inside = [
            tuple((prefix, prefix_range(prefix)) for prefix in attachment.prefixes) for attachment in attachments
        ]
        self.owned = _split_by_longest_prefix(self.inside)
        self.hidden = self._hidden(nat)
        self.outside: list[list[PrefixRoute]] = [[] for _ in attachments]
        self.inward: list[list[PrefixRoute]] = [[] for _ in attachments]
        for rule in nat:
            self._add(rule)

    def _hidden(self, nat: Sequence[NatRule]) -> tuple[Range, ...]:
        """Inside addresses that are always translated and therefore never seen."""
        hidden: list[Range] = []
        for rule in nat:
            match = rule.match
            always = match.protocol == "any" and self.prefixes.ranges(match.destination) is None
            if always and rule.direction == "outbound" and rule.source.type != "none":
                ranges = self.prefixes.ranges(match.source)
                hidden.extend((pair for owned in self.owned for pair in owned) if ranges is None else ranges)
        return merge_ranges(hidden)

    def _add(self, rule: NatRule) -> None:
        """Add the prefixes that a rule presents to the attachment that its inside addresses belong to."""
        if rule.direction == "outbound" and rule.source.type != "none":
            sources = self.prefixes.texts(rule.match.source)
            pairs = prefix_pairs(sources, rule.source.prefixes) if rule.source.type == "static" else None
            for index, prefix in enumerate(rule.source.prefixes):
                inside = (prefix_range(pairs[index][0]),) if pairs else self.prefixes.ranges(rule.match.source)
                self.outside[self._attachment(inside)].append((prefix, prefix_range(prefix)))
        elif rule.direction == "inbound":
            # Without a translation the rule lets in what an outbound rule hides.
            destinations = self.prefixes.texts(rule.match.destination)
            is_translated = len(rule.destination.prefixes) == len(destinations)
            inner_prefixes = rule.destination.prefixes if is_translated else destinations
            for prefix, inner_prefix in zip(destinations, inner_prefixes, strict=True):
                inside = (prefix_range(inner_prefix),)
                self.inward[self._attachment(inside)].append((prefix, prefix_range(prefix)))

    def _attachment(self, inside: Sequence[Range] | None) -> int:
        """Index of the first attachment that has some of these inside addresses; None means all addresses."""
        if inside is None:
            return 0
        return next((index for index, owned in enumerate(self.owned) if intersect(owned, merge_ranges(inside))), 0)

    def presented(self, index: int) -> PresentedAttachment:
        visible = tuple(route for route in self.inside[index] if subtract((route[1],), self.hidden))
        routes = self._accepted(dict.fromkeys((*visible, *self.outside[index], *self.inward[index])))
        owned = self.owned
        if self.filters:
            # What a filter takes from one attachment may fall to another one by a shorter prefix.
            owned = _split_by_longest_prefix([self._accepted(inside) for inside in self.inside])
        untranslated = subtract(owned[index], self.hidden)
        sources = merge_ranges((*untranslated, *(span for _, span in self._accepted(self.outside[index]))))
        given = ((prefix, self._filter(prefix).route.communities) for prefix, _ in routes)
        return PresentedAttachment(routes, sources, untranslated, {prefix: some for prefix, some in given if some})

    def _accepted(self, routes: Iterable[PrefixRoute]) -> tuple[PrefixRoute, ...]:
        return tuple(route for route in routes if not self._filter(route[0]).denials)

    def _filter(self, prefix: str) -> FilteredRoute:
        if prefix not in self._filtered:
            self._filtered[prefix] = filter_route(self.filters, Route(prefix, self.path))
        return self._filtered[prefix]


def _split_by_longest_prefix(attachments: Sequence[Sequence[PrefixRoute]]) -> list[tuple[Range, ...]]:
    """Return the addresses of each attachment of one connector: the longest prefix match among them."""
    owned = assign_owners(
        (span, (-prefix_length(prefix), index), index)
        for index, routes in enumerate(attachments)
        for prefix, span in routes
    )
    return [owned.get(index, ()) for index in range(len(attachments))]


def prefix_pairs(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, str]]:
    """Return the 1:1 translation of prefixes; ``check`` reports lists of different lengths."""
    return list(zip(left, right, strict=False)) if len(left) == len(right) else [(prefix, prefix) for prefix in right]


def prefix_length(prefix: str) -> int:
    return int(prefix.rpartition("/")[2])
