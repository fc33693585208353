"""nft expressions that several tables match packets with."""

from __future__ import annotations

from provisioning.agent import fwmarks
from provisioning.core.node_document_rules import L4Entry, MatchEntry
from provisioning.core.values.protocols import PORT_PROTOCOLS

MATCH_ACTION = f"meta mark and {fwmarks.ACTION_MASK:#x}"

CONNECTION_PORT, PACKET_PORT = "ct original proto-dst", "th dport"
"""What reads the destination port: of the connection's first packet, and of the packet at hand."""


def l4_matches(match: MatchEntry, port: str) -> list[str]:
    """Return the expressions for each protocol with its ports, which ``port`` reads; "" for every protocol."""
    return [_l4_match(part, port) for part in match["l4"]]


def _l4_match(part: L4Entry, port: str) -> str:
    protocol, ports = part["protocol"], part["ports"]
    if protocol == "any":
        return ""
    expression = f"meta l4proto {protocol}"
    return f"{expression} {port} {{ {', '.join(ports)} }}" if ports and protocol in PORT_PROTOCOLS else expression


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
