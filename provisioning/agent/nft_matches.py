"""nft expressions that several tables match packets with."""

from __future__ import annotations

from provisioning.agent import fwmarks
from provisioning.agent.connection_labels import dscp_match
from provisioning.core.node_document_rules import FlowMatchEntry, L4Entry, MatchEntry

MATCH_ACTION = f"meta mark and {fwmarks.ACTION_MASK:#x}"

_CONNECTION_PORT, _PACKET_PORT = "ct original proto-dst", "th dport"
"""What reads the destination port: of the connection's first packet, and of the packet at hand."""


def connection_matches(match: FlowMatchEntry) -> list[str]:
    """Return the expressions on a connection's first packet, one for each protocol; "" for every packet."""
    narrowed = first_packet_match(match)
    return [" ".join(filter(None, (_l4_match(part, _CONNECTION_PORT), narrowed))) for part in match["l4"]]


def first_packet_match(match: FlowMatchEntry) -> str:
    """Return the expression on source port and DSCP; "" where every one matches."""
    ports = ", ".join(match.get("source_ports", ()))
    source_ports = f"ct original proto-src {{ {ports} }}" if ports else ""
    return " ".join(filter(None, (source_ports, dscp_match(match["dscp"]) if "dscp" in match else "")))


def packet_matches(match: MatchEntry) -> list[str]:
    """Return the expressions on the packet at hand, one for each protocol; "" for every packet."""
    return [_l4_match(part, _PACKET_PORT) for part in match["l4"]]


def _l4_match(part: L4Entry, port: str) -> str:
    protocol, ports, types = part["protocol"], part["ports"], part.get("icmp_types")
    if protocol == "any":
        return ""
    if types:
        # Connection tracking keeps type and code of ICMP where other protocols have the destination port.
        ports = [f"{number << 8}-{number << 8 | 0xFF}" for number in types]
    return f"meta l4proto {protocol}" + (f" {port} {{ {', '.join(ports)} }}" if ports else "")


def is_l4_match(match: MatchEntry, protocol: str, port: int) -> bool:
    """Whether a rule matches this protocol and port."""
    return any(
        part["protocol"] in ("any", protocol)
        and (not part["ports"] or any(_is_in_span(text, port) for text in part["ports"]))
        for part in match["l4"]
    )


def _is_in_span(text: str, port: int) -> bool:
    low, _, high = text.partition("-")
    return int(low) <= port <= int(high or low)
