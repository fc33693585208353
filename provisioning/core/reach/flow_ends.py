"""The ends of an assertion and of its exceptions: objects, words, addresses, and selectors over labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from provisioning.core.intent import ANY, INTERNET, Assertion, Attachment, Connector, named_uid
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.reach.compare.flow_kinds import InternetInbound
from provisioning.core.reach.compare.flow_space import FlowEndpoint, FlowSpace
from provisioning.core.resolve.memberships import merge_labels
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import PublishedApp
from provisioning.core.values.addresses import NOT_PUBLIC_RANGES, Range, intersect, merge_ranges, prefix_range, subtract
from provisioning.core.values.headers import HeaderMatch
from provisioning.core.values.labels import LabelSelector, is_selector, parse_selector


@dataclass(frozen=True)
class FlowEndFilter:
    """text: as it is stored: a uid, ``any``, ``internet``, a prefix, or a selector."""

    text: str

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """The addresses, where it is a prefix."""
        is_prefix = named_uid(self.text) is None and self.selector is None
        return (prefix_range(self.text),) if is_prefix else ()

    @cached_property
    def selector(self) -> LabelSelector | None:
        return parse_selector(self.text) if is_selector(self.text) else None

    def ranges_of(self, flow_space: FlowSpace, endpoint: FlowEndpoint) -> tuple[Range, ...]:
        """Return the addresses of an endpoint that are meant."""
        owner = endpoint.owner
        if self.ranges:
            meant = intersect(self.ranges, endpoint.ranges)
            return meant if owner is not None or not meant else subtract(meant, _never_from_internet(flow_space))
        if self.selector:
            member = owner.target if isinstance(owner, PublishedApp) else owner
            selected = member is not None and self.selects(member.connector, member.attachment)
            return endpoint.ranges if selected else ()
        return flow_space.ranges_named(endpoint, self.text)

    def selects(self, connector: Connector, attachment: Attachment) -> bool:
        assert self.selector is not None
        return self.selector.selects(dict(merge_labels(connector.labels, attachment.labels)))

    def cuts(self, flow_space: FlowSpace) -> tuple[Range, ...]:
        """Return where the addresses of either side have to be cut."""
        if self.ranges and isinstance(flow_space, InternetInbound):
            return (*self.ranges, *intersect(self.ranges, _never_from_internet(flow_space)))
        return flow_space.default_route_cuts if self.text == INTERNET else self.ranges

    def is_in(self, flow_space: FlowSpace, side: int) -> bool:
        """Whether any source (side 0) or destination (side 1) is meant."""
        if not self.ranges and not self.selector:
            return self.text in flow_space.names[side]
        endpoints = (flow_space.sources, flow_space.destinations)[side]
        return any(self.ranges_of(flow_space, endpoint) for endpoint in endpoints)

    def members(self, network: Network, segment: str | None) -> set[str]:
        """Return the connectors (uids) that are meant, and the internet by its name. segment: the only one in which an
        address counts; None: in every one."""
        if self.text == INTERNET:
            return {INTERNET}
        if app := network.intent.internet_apps.get(self.text):
            return {app.target.connector}
        if self.ranges:
            segments = network.intent.segments if segment is None else (segment,)
            owners = (member for uid in segments for member in network.resolved(uid).members)
            return {member.connector.uid for member in owners if intersect(self.ranges, member.ranges)} or (
                {INTERNET} if subtract(self.ranges, NOT_PUBLIC_RANGES) else set()
            )
        return {
            connector.uid
            for connector in network.intent.connectors.values()
            if connector.enabled and connector.kind != "internet-exit"
            for attachment in connector.attachments
            if (
                self.selects(connector, attachment)
                if self.selector
                else self.text in (ANY, connector.uid, *attachment.member_of)
            )
        }


def _never_from_internet(flow_space: FlowSpace) -> tuple[Range, ...]:
    """Return addresses of members, and those that no host on the internet has."""
    resolved = flow_space.source_segment
    owned = (
        subtract(member.ranges, resolved.default_route_ranges(member, member.ranges))
        for member in (*resolved.members, *resolved.imported_members)
    )
    return merge_ranges((*NOT_PUBLIC_RANGES, *(pair for ranges in owned for pair in ranges)))


@dataclass(frozen=True)
class ExcusedFlows:
    """The flows of an exception. start, end: None where they are those of the assertion."""

    start: FlowEndFilter | None
    end: FlowEndFilter | None
    headers: HeaderMatch


@dataclass(frozen=True)
class AssertedFlows:
    """What an assertion asks on a day."""

    assertion: Assertion
    today: date
    prefixes: ListResolver

    @cached_property
    def start(self) -> FlowEndFilter:
        return FlowEndFilter(self.assertion.from_)

    @cached_property
    def end(self) -> FlowEndFilter:
        return FlowEndFilter(self.assertion.to)

    @cached_property
    def headers(self) -> HeaderMatch:
        return self.prefixes.headers(self.assertion)

    @cached_property
    def excused(self) -> Sequence[ExcusedFlows]:
        return [
            ExcusedFlows(
                FlowEndFilter(exception.from_) if exception.from_ else None,
                FlowEndFilter(exception.to) if exception.to else None,
                self.prefixes.headers(exception),
            )
            for exception in self.assertion.active_exceptions(self.today)
        ]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where the same is asked."""
        assertion = self.assertion
        exceptions = assertion.active_exceptions(self.today)
        return (
            *(assertion.from_, assertion.to, self.headers, assertion.expect),
            tuple((each.from_, each.to, self.prefixes.headers(each)) for each in exceptions),
        )

    def is_in(self, flow_space: FlowSpace) -> bool:
        return self.start.is_in(flow_space, 0) and self.end.is_in(flow_space, 1)

    def cuts(self, flow_space: FlowSpace) -> Iterator[Range]:
        """Yield where addresses have to be cut to answer it."""
        ends = (self.start, self.end, *(end for each in self.excused for end in (each.start, each.end) if end))
        for end in ends:
            yield from end.cuts(flow_space)
