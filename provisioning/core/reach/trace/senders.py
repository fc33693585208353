"""Who sends a packet of which only the source address is known, or that comes from the internet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from provisioning.core.intent import Segment
from provisioning.core.reach.address_holders import explain_holders, hidden_holders
from provisioning.core.reach.trace.endpoints import TraceEndpoint
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.values.addresses import (
    EXAMPLE_INTERNET_ADDRESS,
    EXAMPLE_INTERNET_V6_ADDRESS,
    V6_OFFSET,
    contains,
    is_public,
)

Published = tuple[ResolvedSegment, PublishedApp]
"""An internet application and its segment."""


@dataclass(frozen=True, slots=True)
class Sender:
    """start: None where the packet comes from no member. segments: those the start is in. nobody: why the address can
    be nobody's; empty where it is the internet's."""

    start: TraceEndpoint | None
    segments: list[Segment] = field(default_factory=list)
    nobody: str = ""


def find_published(network: Network, end: TraceEndpoint, ends: Iterable[Segment], l4: int) -> Published | None:
    """Return the internet application that a packet from the internet reaches, by its name or its public address."""
    if end.app is None and (end.connector or end.address is None or not is_public(end.address)):
        return None
    wanted = end.app.uid if end.app else None
    resolved_segments = [network.resolved(segment.uid) for segment in sorted(ends, key=attrgetter("number"))]
    published = ((resolved, app) for resolved in resolved_segments for app in resolved.apps)
    return next(
        (
            pair
            for pair in published
            if pair[1].l4 == l4 and (pair[1].app.uid == wanted or pair[1].public == end.address)
        ),
        None,
    )


def find_sender(
    network: Network,
    start: TraceEndpoint,
    starts: list[Segment],
    end: TraceEndpoint,
    published: Published | None,
) -> Sender:
    """Return the member that a packet of a bare address or of the internet comes from.

    What is behind a member's default route comes from that member, but to an application, which it reaches from
    outside. A private address that one connector alone has inside comes from there.
    """
    if start.address is None:
        return Sender(None) if published else _behind_default_route(network, starts, end)
    if any(_is_sent_by_member(network.resolved(segment.uid), start.address, published) for segment in starts):
        return Sender(start, starts)
    if is_public(start.address):
        return Sender(None)
    holders = hidden_holders(network, ((start.address, start.address),), starts)
    if len(holders) == 1 and holders[0].enabled:
        uids = {attachment.segment for attachment in holders[0].attachments}
        return Sender(TraceEndpoint(holders[0], start.address), [segment for segment in starts if segment.uid in uids])
    return Sender(None, nobody=explain_holders(start.name, holders))


def _is_sent_by_member(resolved: ResolvedSegment, address: int, published: Published | None) -> bool:
    owner = resolved.owner(address)
    return owner is not None and not (
        published and contains(resolved.default_route_ranges(owner, owner.ranges), address)
    )


def _behind_default_route(network: Network, starts: list[Segment], end: TraceEndpoint) -> Sender:
    """Return the member of the first segment where the internet is behind one, in the family of the other end."""
    for segment in starts:
        resolved = network.resolved(segment.uid)
        target = end.presented_address(resolved, EXAMPLE_INTERNET_ADDRESS)
        is_v6 = target is not None and target >= V6_OFFSET
        source = resolved.internet_address(EXAMPLE_INTERNET_V6_ADDRESS if is_v6 else EXAMPLE_INTERNET_ADDRESS)
        if source is not None and resolved.routes.is_routed(source):
            return Sender(TraceEndpoint(address=source), [segment])
    return Sender(None)
