"""Compare traces of a network with packets in the lab: every workload probes every address.

A probe is a packet in a segment: a workload sends it from one of its addresses to a presented address, and ``trace`` in
that segment gives whether and where it arrives. TCP and UDP answers name the answering workload; datagrams to port
8000 are recorded where they arrive and not answered, so they also show flows whose replies take another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent import Connector, slug
from provisioning.core.reach import Trace, trace_flow
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import address_number, address_text, contains
from provisioning.lab.workload_network import first_usable
from provisioning.lab.workloads import INTERNET_HOST, INTERNET_HOSTS, workload_namespace
from tests.lab.conftest import RunningLab
from tests.lab.handwritten_network import TENANT
from tests.lab.prober import ECHO_REQUEST, ECHO_REQUEST_V6, PROBED_SOURCE_PORT, SINK_PORT, TIMESTAMP_REQUEST

PROBED_PACKETS: list[tuple[str, int, int | None, int]] = [
    *(("tcp", 22, None, 0), ("tcp", 443, None, 0), ("tcp", 8080, None, 0), ("tcp", 443, PROBED_SOURCE_PORT, 0)),
    *(("udp", 53, None, 0), ("udp", 53, PROBED_SOURCE_PORT, 46), ("udp", SINK_PORT, None, 46)),
    *(("icmp", ECHO_REQUEST, None, 0), ("icmp", TIMESTAMP_REQUEST, None, 0)),
]
"""Protocol, port or ICMP type, source port (None: an ephemeral one), DSCP."""
PROBE_SECONDS = 0.7
RETRY_SECONDS = 2.5


@dataclass(frozen=True)
class Probe:
    """connector: key of the sender, or of the exit on whose internet side the client is. number: port or ICMP type."""

    connector: str
    segment: str
    source: str
    destination: str
    protocol: str
    number: int
    source_port: int | None
    dscp: int

    def __str__(self) -> str:
        headers = f"{self.protocol}/{self.number} from port {self.source_port} with DSCP {self.dscp}"
        return f"{self.connector}@{self.source} → {self.destination} {headers} in {self.segment}"

    @property
    def is_icmp(self) -> bool:
        return self.protocol.startswith("icmp")

    @property
    def question(self) -> dict[str, Any]:
        number = {"icmp_type" if self.is_icmp else "port": self.number}
        return {"protocol": self.protocol, **number, "source_port": self.source_port, "dscp": self.dscp}


class TraceComparison:
    """One version of a network that is running in the lab."""

    def __init__(self, running_lab: RunningLab, network: Network) -> None:
        self.running_lab, self.network, self.intent = running_lab, network, network.intent
        self.workloads = {
            workload["connector"]: workload
            for (tenant, _), workload in running_lab.lab.workloads().items()
            if tenant == running_lab.tenant
        }

    # -- probes --------------------------------------------------------------------------------------------------------

    def probes(self) -> list[Probe]:
        return [*self._between_members(), *self._from_internet()]

    def _between_members(self) -> Iterator[Probe]:
        for uid, segment in self.intent.segments.items():
            resolved = self.network.resolved(uid)
            for connector, attachments in resolved.routing_table.attached:
                workload = self.workloads.get(connector.key)
                if workload is None or connector.kind == "internet-exit":
                    continue
                prefixes = [prefix for attachment in attachments for prefix in attachment.prefixes]
                sources = dict.fromkeys(first_usable(prefix) for prefix in prefixes)
                destinations = [
                    address
                    for address in self._destinations(resolved, connector)
                    if connector.has_clients or address not in workload["addresses"]
                ]
                for source in sources:
                    for destination in destinations:
                        alike = (":" in source) == (":" in destination) and source != destination
                        if alike and not self._is_ambiguous(resolved, connector, source, destination):
                            for packet in PROBED_PACKETS:
                                if packet[0] == "icmp" and ":" in source:
                                    packet = ("icmpv6", ECHO_REQUEST_V6, *packet[2:])
                                yield Probe(connector.key, segment.name, source, destination, *packet)

    def _destinations(self, resolved: ResolvedSegment, connector: Connector) -> list[str]:
        """Return presented and inside addresses of members and imported members, addresses that this connector's NAT
        maps, our own public ones, one on the internet and one that nobody has."""
        destinations = {
            first_usable(text): None
            for member in (*resolved.members, *resolved.imported_members)
            for text, _ in member.routes
        }
        joined = [self.network.resolved(directed_share.other) for directed_share in resolved.directed_shares]
        for segment in (resolved, *joined):
            for attached_connector, _ in segment.routing_table.attached:
                workload = self.workloads.get(attached_connector.key)
                if workload and attached_connector.kind != "internet-exit":
                    destinations |= dict.fromkeys(workload["addresses"])
        for rule in resolved.routing_table.nat.get(connector.uid, ()):
            if rule.direction == "outbound" and rule.destination.type == "static":
                destinations |= dict.fromkeys(map(first_usable, rule.match.destination))
        published = [address_text(app.public) for app in resolved.apps]
        nodes = [node.public_ip for node in resolved.nodes.values()][:1]
        return [*destinations, *published, *nodes, INTERNET_HOST, "192.0.2.1"]

    def _is_ambiguous(self, resolved: ResolvedSegment, connector: Connector, source: str, destination: str) -> bool:
        """Return whether traces and packets are known to differ.

        If two connectors may send from one address and another segment decides, the deciding node does not know the
        sender (see the agent).
        """
        owner, where = resolved.owner(address_number(source)), resolved.owner(address_number(destination))
        if owner is None or where is None or owner.connector is connector:
            return False
        return where.segment.uid != resolved.segment.uid and not resolved.is_decider(where.segment.uid)

    def _from_internet(self) -> Iterator[Probe]:
        for uid, segment in self.intent.segments.items():
            for app in self.network.resolved(uid).apps:
                public, way_in = address_text(app.public), app.exit.connector.key
                if way_in in self.workloads:
                    for client in INTERNET_HOSTS:
                        for packet in {*PROBED_PACKETS, (app.app.protocol, app.app.port, None, 0)}:
                            yield Probe(way_in, segment.name, client, public, *packet)

    # -- expected outcomes ---------------------------------------------------------------------------------------------

    def expected_trace(self, probe: Probe) -> Trace:
        if probe.source in INTERNET_HOSTS:
            return trace_flow(self.network, probe.source, probe.destination, **probe.question)
        start = f"{probe.connector}@{probe.source}"
        return trace_flow(self.network, start, probe.destination, segment=probe.segment, **probe.question)

    def _receiving_connector(self, probe: Probe, expected_trace: Trace) -> str:
        """Return the connector whose workload records a delivered packet.

        "" if no workload has the address, or another one that also has the sender's address (twins).
        """
        last, before = expected_trace.hops[-1], expected_trace.hops[-2]
        connector = slug((before if last.kind == "internet" else last).name)
        addresses = self.workloads.get(connector, {"addresses": ()})["addresses"]
        is_certain = connector == probe.connector or probe.source not in addresses
        return connector if last.detail in addresses and is_certain else ""

    def _answers_return(self, probe: Probe) -> bool:
        """Return whether replies go to the sender; another connector may own the source address in its segment."""
        resolved = next(
            self.network.resolved(uid) for uid, segment in self.intent.segments.items() if segment.name == probe.segment
        )
        connector = self.network.find("connectors", probe.connector)
        assert connector is not None
        number = address_number(probe.source)
        member = next((member for member in resolved.members_of(connector) if contains(member.sources, number)), None)
        if member is None:
            return True
        owner = resolved.owner(number)
        return owner is None or owner.connector is connector

    # -- observed outcomes ---------------------------------------------------------------------------------------------

    def differences(self) -> list[str]:
        """Return a line for every probe whose packet and trace disagree."""
        probed = [
            (probe, expected_trace)
            for probe in self.probes()
            if (expected_trace := self.expected_trace(probe)).disposition != "local"
        ]
        self.running_lab.send_command(
            do="listen", spaces=[workload["namespace"] for workload in self.workloads.values()]
        )
        left = self._mismatches(probed, PROBE_SECONDS)
        # A busy machine may answer late, so mismatches are probed again with more time.
        for _ in range(2):
            if left:
                left = self._mismatches([(probe, expected_trace) for probe, expected_trace, _ in left], RETRY_SECONDS)
        return [
            f"{probe}: the model says {expected_trace.disposition} ({expected_trace.rule}), packets {got}"
            for probe, expected_trace, got in left
        ]

    def _mismatches(self, probed: list[tuple[Probe, Trace]], wait: float) -> list[tuple[Probe, Trace, str]]:
        requests = [
            [workload_namespace(TENANT, probe.connector), probe.source, probe.destination,
             probe.protocol.removesuffix("v6"), probe.number, probe.source_port, probe.dscp]
            for probe, _ in probed
        ]  # fmt: skip
        answers = self.running_lab.send_command(do="probe", probes=requests, wait=wait)
        return [
            (probe, expected_trace, wrong)
            for (probe, expected_trace), (answer, noted) in zip(probed, answers, strict=True)
            if (wrong := self._compare(probe, expected_trace, answer, noted))
        ]

    def _compare(self, probe: Probe, expected_trace: Trace, answer: str | None, noted: list[list[str]]) -> str:
        """Return what the packet did; "" if the trace says the same."""
        spaces = {workload["namespace"]: key for key, workload in self.workloads.items()}
        reached = (
            [spaces[space] for space, _ in noted] if probe.number == SINK_PORT and probe.protocol == "udp" else None
        )
        if not expected_trace.disposition.startswith("delivered"):
            arrived = reached if reached is not None else answer is not None
            return f"arrive at {reached or answer}" if arrived else ""
        connector = self._receiving_connector(probe, expected_trace)
        if not connector:
            return ""
        if reached is not None:
            return "" if reached == [connector] else f"arrive at {reached}"
        if not self._answers_return(probe):
            return ""
        right = answer is not None and answer in ("", f"{TENANT}/{connector}")
        return "" if right else f"are answered by {answer}"

    # -- live flows ----------------------------------------------------------------------------------------------------

    def streams(self) -> dict[Probe, Trace]:
        """Return the TCP flows between members that stay open, with their traces."""
        asked = [
            probe
            for probe in self.probes()
            if probe.protocol == "tcp" and probe.source_port is None and probe.source not in INTERNET_HOSTS
        ]
        return {
            probe: expected_trace
            for probe in asked
            if self.is_alive(probe, expected_trace := self.expected_trace(probe))
        }

    def is_alive(self, probe: Probe, expected_trace: Trace) -> bool:
        """Return whether the flow is delivered to a workload and its replies to the sender."""
        delivered = expected_trace.disposition.startswith("delivered")
        return delivered and bool(self._receiving_connector(probe, expected_trace)) and self._answers_return(probe)


def stream_request(probe: Probe) -> list[Any]:
    return [workload_namespace(TENANT, probe.connector), probe.source, probe.destination, probe.number]


def is_same_path(before: Trace, after: Trace) -> bool:
    """Return whether a live flow survives the change: same services, translations and anchor."""
    return (before.chain, _path_hops(before)) == (after.chain, _path_hops(after))


def _path_hops(expected_trace: Trace) -> list[Mapping[str, Any]]:
    kept = ("nat", "app", "connector") + (("node",) if expected_trace.chain else ())
    return [
        {"kind": hop.kind, "name": hop.name, "detail": hop.detail} for hop in expected_trace.hops if hop.kind in kept
    ]
