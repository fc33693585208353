"""Match packets against the rows of a reachability delta or of reachable flows."""

from __future__ import annotations

from typing import Protocol

from provisioning.core.intent import INTERNET, Connector
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import contains, merge_ranges, prefix_range
from tests.core.flow_headers import DSCP, ICMP_TYPES, FlowHeaders

FlowFate = tuple[str, bool, tuple[str, ...], str]
"""(where the flow ends, delivered, chain, disposition). Where: a segment, an application, the internet; "" if there is
no such sender."""


class FlowRow(Protocol):
    """A FlowChange or a ReachableFlow."""

    @property
    def from_(self) -> tuple[str, ...]: ...
    @property
    def to(self) -> tuple[str, ...]: ...
    @property
    def segment(self) -> str: ...
    @property
    def to_segment(self) -> str | None: ...
    @property
    def protocol(self) -> str: ...
    @property
    def ports(self) -> tuple[str, ...]: ...
    @property
    def icmp_types(self) -> tuple[str, ...]: ...
    @property
    def source_ports(self) -> tuple[str, ...]: ...
    @property
    def dscp(self) -> tuple[str, ...]: ...


class RowMatcher:
    """Match labels of one version of a network; ``generous``: an abbreviated list (“…”) matches any address."""

    def __init__(self, network: Network) -> None:
        self.network, self.generous = network, True

    def holds(
        self, names: tuple[str, ...], resolved: ResolvedSegment, connector: Connector | None, address: int, end: bool
    ) -> bool:
        """Return whether the names contain an address (of a connector, for a source) in a segment."""
        return any(self._holds(name, resolved, connector, address, end) for name in names)

    def _holds(
        self, name: str, resolved: ResolvedSegment, connector: Connector | None, address: int, end: bool
    ) -> bool:
        if end and any((app.app.name, app.public) == (name, address) for app in resolved.apps):
            return True
        owner = resolved.owner(address) if end else resolved.source(connector, address) if connector else None
        plain_name, _, part = name.partition(" (")
        if plain_name == INTERNET:
            if owner is not None or not resolved.is_on_internet(address) or not part:
                return owner is None and resolved.is_on_internet(address)
            return self._part(part, address)
        if owner is None or owner.segment.uid != resolved.segment.uid:
            return False
        groups = {self.network.intent.groups[uid].name for uid in owner.attachment.member_of}
        if name in ("any", owner.connector.name, *groups):
            return True
        if plain_name != owner.connector.name:
            return False
        return self._part(part, address)

    def _part(self, text: str, address: int) -> bool:
        """text: ``10.1.0.0/24, 10.2.0.0/24``, ``without 10.1.0.7/32`` or both."""
        if self.generous and "…" in text:
            return True
        inside, without, outside = text.rstrip(") ").rpartition("without ")
        if not without:
            return self._is_listed(outside, address)
        if "…" in outside:
            # More is left out than is told.
            return False
        return (not inside or self._is_listed(inside, address)) and not self._is_listed(outside, address)

    @staticmethod
    def _is_listed(text: str, address: int) -> bool:
        return contains(merge_ranges(prefix_range(prefix) for prefix in text.strip("… ").split(", ")), address)


def are_headers_included(row: FlowRow, headers: FlowHeaders, v6: bool, generous: bool = True) -> bool:
    """Return whether a row contains a packet's headers. Protocol ``other`` matches only if ``generous``; no row
    contains the ICMP of the other address family, nor what begins no flow."""
    protocol, number, source_port, dscp = headers
    if protocol == ("icmp" if v6 else "icmpv6") or not headers.begins_flow:
        return False
    if not _is_listed(row.dscp, dscp):
        return False
    if row.protocol not in ("any", protocol):
        return generous and row.protocol == "other" and protocol not in ("tcp", "udp")
    if protocol not in ("tcp", "udp"):
        return not row.icmp_types or any(number == ICMP_TYPES.get((protocol, text), text) for text in row.icmp_types)
    return _is_listed(row.ports, number) and _is_listed(row.source_ports, source_port)


def _is_listed(texts: tuple[str, ...], number: int) -> bool:
    spans = [(DSCP[text],) * 2 if text in DSCP else tuple(map(int, (text.split("-") * 2)[:2])) for text in texts]
    return not spans or any(low <= number <= high for low, high in spans)


def expected_changes(old: FlowFate, new: FlowFate) -> set[str]:
    """Return the kinds of change between two fates; a flow that ends in another segment is blocked and allowed."""
    if old[0] != new[0]:
        return {*(["blocked"] if old[1] else []), *(["allowed"] if new[1] else [])}
    if old[1] and new[1]:
        return {"inspected"} if old[2] != new[2] else set()
    return {"blocked"} if old[1] else {"allowed"} if new[1] else set()


def is_covered(
    network: Network, reader: RowMatcher, change: FlowRow, uid: str, where: str, name: str, packet: Packet
) -> bool:
    connector = network.intent.connectors.get(name)
    if uid not in network.intent.segments or connector is None or not where:
        return False
    destination_segment = where if where in network.intent.segments else uid
    if (change.to_segment or change.segment) != network.intent.segments[destination_segment].name:
        return False
    return reader.holds(change.from_, network.resolved(uid), connector, packet.source, False) and reader.holds(
        change.to, network.resolved(destination_segment), None, packet.destination, True
    )
