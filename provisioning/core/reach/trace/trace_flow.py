"""What becomes of one flow between ends that people name: the question of a trace, and who follows it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import Any, Literal

from provisioning.core.intent import Segment
from provisioning.core.reach.trace.blockers import Blocker, object_path
from provisioning.core.reach.trace.endpoints import TraceEndpoint, endpoint_segments, find_endpoint, find_segment
from provisioning.core.reach.trace.flow_query import FlowQuery, read_headers
from provisioning.core.reach.trace.flow_tracer import FlowTracer, Trace
from provisioning.core.reach.trace.hops import Hop
from provisioning.core.reach.trace.senders import find_published, find_sender
from provisioning.core.reach.trace.waypoints import find_waypoint, pass_waypoint
from provisioning.core.resolve.network import Network
from provisioning.core.values.headers import PacketHeaders, header_fields


def trace_flow(network: Network, *asked: Any, **more: Any) -> Trace:
    """Return what becomes of one flow; see ``FlowQuery`` for the question and ``FlowTraces.trace`` for the answer."""
    return FlowTraces(network).trace(FlowQuery(*asked, **more))


class FlowTraces:
    """Traces through one network; ends and segments that many of them name are looked up once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._end = cache(partial(find_endpoint, network))
        self._homes: dict[tuple[str, str], list[Segment]] = {}
        self._waypoint = cache(partial(find_waypoint, network))

    def trace(self, query: FlowQuery) -> Trace:
        """Return what becomes of a flow, assuming that everything is healthy.

        Raise InvalidIntent for unknown ends, segments and waypoints, and for tcp or udp without a port.
        """
        waypoints = [
            [self._waypoint(field, name) for name in names]
            for field, names in (("via", query.via), ("avoid", query.avoid))
        ]
        trace = self._follow(query)
        via, avoid = (tuple(pass_waypoint(trace.hops, waypoint) for waypoint in some) for some in waypoints)
        return replace(trace, via=via, avoid=avoid) if via or avoid else trace

    def _follow(self, query: FlowQuery) -> Trace:
        network = self.network
        start, end = self._end("from", query.source), self._end("to", query.destination)
        headers = read_headers(query, end)
        starts = self._candidate_segments("from", query, start)
        ends = self._candidate_segments("to", query, end)
        if start.connector is None:
            # A default route elsewhere may lead to our public addresses too; it is not what the internet takes.
            every = network.intent.segments.values() if query.to_segment is None is query.segment else ends
            published = find_published(network, end, every, headers.l4)
            sender = find_sender(network, start, starts, end, published)
            if sender.start is None:
                tracer = FlowTracer(network, start, end, headers)
                return tracer.from_nobody(sender.nobody) if sender.nobody else tracer.from_internet(published)
            start, starts = sender.start, sender.segments
        for source_segment, destination_segment in _segment_pairs(network, starts, ends):
            return FlowTracer(network, start, end, headers).follow(
                network.resolved(source_segment.uid), destination_segment
            )
        reason = f"{start.label} and {end.label} have no segment in common, and no share joins theirs."
        owners = (network.resolved(segment.uid).owner(start.address) for segment in starts if start.address is not None)
        connector = start.connector or next((owner.connector for owner in owners if owner), None)
        assert connector is not None, "what nobody sends was told before"
        first = Hop("connector", connector.name, reason=reason)
        remedy = "Add a share between a segment of each, or attach both to one segment."
        blocker = Blocker("isolated", object_path(end.connector or end.app or connector), None, reason, remedy)
        packet = PacketHeaders(**header_fields(headers))
        return Trace(packet, "isolated", (first,), None, None, blockers=(blocker,))

    def _candidate_segments(self, field: Literal["from", "to"], query: FlowQuery, end: TraceEndpoint) -> list[Segment]:
        name, own = (query.source, query.from_segment) if field == "from" else (query.destination, query.to_segment)
        if (homes := self._homes.get((field, name))) is None:
            homes = self._homes[field, name] = endpoint_segments(self.network, end)
        wanted = own or query.segment
        if wanted is None:
            return homes
        segment = find_segment(self.network, f"{field}_segment" if own else "segment", wanted)
        # An address may be reached in a segment that does not own it: through a share, or on the internet.
        return [segment] if end.connector is None or segment in homes else []


def _segment_pairs(network: Network, starts: list[Segment], ends: list[Segment]) -> list[tuple[Segment, Segment]]:
    """Return the segments that both ends are in, each twice, or else the pairs that a share joins; in order."""
    by_uid = {segment.uid: segment for segment in ends}
    common = [(segment, segment) for segment in starts if segment.uid in by_uid]
    return common or [
        (segment, by_uid[uid])
        for segment in starts
        for uid in dict.fromkeys(share.other for share in network.resolved(segment.uid).directed_shares)
        if uid in by_uid
    ]
