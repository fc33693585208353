"""The IP protocols that intent names; others go by their number (IANA, "Assigned Internet Protocol Numbers")."""

from __future__ import annotations

PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}

PORT_PROTOCOLS = ("tcp", "udp")
"""Those that have ports."""
