"""Headers of packets for the judges of the core."""

from __future__ import annotations

from typing import Any, NamedTuple

from provisioning.core.reach import FlowQuery

PINGS = {"icmp": 8, "icmpv6": 128}
REQUESTS = {"icmp": {8, 13, 15, 17}, "icmpv6": {128, 139}}
"""ICMP types that a flow begins with."""
ICMP_TYPES = {
    ("icmp", "echo-request"): 8,
    ("icmp", "timestamp-request"): 13,
    ("icmp", "information-request"): 15,
    ("icmp", "address-mask-request"): 17,
    ("icmp", "destination-unreachable"): 3,
    ("icmpv6", "echo-request"): 128,
    ("icmpv6", "node-information-query"): 139,
}
DSCP = {"CS0": 0, "AF11": 10, "EF": 46}


class FlowHeaders(NamedTuple):
    """number: port of tcp and udp, type of ICMP, 0 for other protocols."""

    protocol: str
    number: int = 0
    source_port: int = 49152
    dscp: int = 0

    @property
    def question(self) -> dict[str, Any]:
        """The fields of a trace that asks about it."""
        has_ports = self.protocol in ("tcp", "udp")
        return {
            "protocol": self.protocol,
            "port": self.number if has_ports else None,
            "source_port": self.source_port if has_ports else None,
            "icmp_type": self.number if self.protocol in PINGS else None,
            "dscp": self.dscp,
        }

    @property
    def begins_flow(self) -> bool:
        return self.number in REQUESTS.get(self.protocol, (self.number,))


def asked_headers(query: FlowQuery) -> FlowHeaders:
    """Return what a question is about; numbers are plain there."""
    protocol = str(query.protocol)
    number = query.port if query.icmp_type is None else query.icmp_type
    number = PINGS.get(protocol, 0) if number is None else number
    return FlowHeaders(protocol, int(number), int(query.source_port or 49152), int(query.dscp or 0))


FLOW_HEADERS = [
    FlowHeaders(protocol, port, source_port, dscp)
    for protocol, port in (
        *(("tcp", 22), ("tcp", 85), ("tcp", 443), ("tcp", 444), ("tcp", 9000)),
        *(("udp", 80), ("udp", 53), ("47", 0), ("icmp", 8)),
    )
    for source_port, dscp in ((49152, 0), (49152, 0), (53, 0), (1500, 46), (49152, 46))
]
FLOW_HEADERS += [FlowHeaders("icmp", 13), FlowHeaders("icmp", 3), FlowHeaders("icmpv6", 128), FlowHeaders("icmpv6", 3)]
