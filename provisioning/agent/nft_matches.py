"""nft expressions that several tables match packets with."""

from __future__ import annotations

from provisioning.agent import fwmarks
from provisioning.core.node_document_rules import MatchEntry
from provisioning.core.values.protocols import PORT_PROTOCOLS

MATCH_ACTION = f"meta mark and {fwmarks.ACTION_MASK:#x}"

CONNECTION_PORT, PACKET_PORT = "ct original proto-dst", "th dport"
"""What reads the destination port: of the connection's first packet, and of the packet at hand."""


def protocol_match(match: MatchEntry, port: str) -> str:
    """Return the expression for a protocol and its ports, which ``port`` reads; "" for every protocol."""
    protocol, ports = match["protocol"], match["ports"]
    if protocol == "any":
        return ""
    expression = f"meta l4proto {protocol}"
    return f"{expression} {port} {{ {', '.join(ports)} }}" if ports and protocol in PORT_PROTOCOLS else expression
