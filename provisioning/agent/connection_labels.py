"""What a connection's label (128 bits) remembers of its first packet: an overlapping source, and the DSCP.

Conntrack keeps addresses, ports and ICMP types of the first packet, but not its DSCP. A decision can be made again for
any packet in any direction, so the DSCP is written down where a rule names one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioning.agent.address_families import AddressFamily
from provisioning.core.node_document_rules import FlowMatchEntry
from provisioning.core.values.dscp import MAX_DSCP

MAX_OVERLAPPING_SOURCES = 114
"""Their numbers are the label's bits from 1 on."""
_KNOWN_DSCP = MAX_OVERLAPPING_SOURCES + 1
_DSCP_BITS = MAX_DSCP.bit_length()
_FIRST_ONE, _FIRST_ZERO = _KNOWN_DSCP + 1, _KNOWN_DSCP + 1 + _DSCP_BITS
"""A DSCP is a label bit for each of its bits: one where that is 1, another one where it is 0."""


def names_dscp(matches: Iterable[FlowMatchEntry]) -> bool:
    return any("dscp" in match for match in matches)


def remember_dscp_rules(families: Iterable[AddressFamily]) -> Iterator[str]:
    """Yield the rules of a chain that writes down the DSCP of a connection's first packet: of the next one, where the
    connection is older than the first rule that names a DSCP."""
    yield f"ct label {_KNOWN_DSCP} return"
    for family in families:
        for bit in range(_DSCP_BITS):
            for first, is_set in ((_FIRST_ONE, 1), (_FIRST_ZERO, 0)):
                points = ", ".join(str(dscp) for dscp in range(MAX_DSCP + 1) if dscp >> bit & 1 == is_set)
                yield f"{family.ip} dscp {{ {points} }} ct label set {first + bit}"
    yield f"ct label set {_KNOWN_DSCP}"


def dscp_match(dscp: int) -> str:
    """Return the expression that a connection's first packet had this DSCP."""
    labels = ((_FIRST_ONE if dscp >> bit & 1 else _FIRST_ZERO) + bit for bit in range(_DSCP_BITS))
    return " ".join(f"ct label {label}" for label in labels)
