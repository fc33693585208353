"""The numbers that packets and connections carry, and the addresses of the mesh.

A packet mark says what is to be done with the packet next; its low 16 bits travel between nodes in the VXLAN header
(group policy extension), so the receiver need not guess why it got a packet:

    0x0nnn  source key: which (class, exchange) the packet came from, while the anchor is looked up
    0x1kkk  take to node k, the anchor, and decide there
    0x2000  decided: deliver to the member's home node and out of its active circuit
    0x3000  decided, but the home node's circuit is down: deliver through the standby circuit
    0x4jjj  take to service instance j
    0x5eee  leave through internet exit e of this node
    0x6jjj  came back from service instance j
    0x7000  decide here
    0x8000  refused

A connection mark, on the anchor only: generation (8 bits) | verdict or chain (8 bits) | four instance slots of 4 bits.
"""

from __future__ import annotations

ANCHOR, DELIVER, STANDBY, INSTANCE, EXIT, BACK, DECIDE, REFUSED = (verb << 12 for verb in range(1, 9))
VERB = 0xF000

GENERATION = 0xFF000000
VERDICT = 0x00FF0000
SLOTS = 0x0000FFFF
DENIED, PLAIN, FIRST_CHAIN = 1, 2, 3
LAST_CHAIN = 250
MOST_SERVICES = 4
MOST_INSTANCES = 15
BUCKETS = 64

MESH = "mesh"
"""Interface name of the mesh bridge in every segment's namespace."""

EXIT_INSIDE, EXIT_OUTSIDE = "169.254.0.1", "169.254.0.2"
"""The two ends of the wire between a segment and the namespace where an exit translates addresses."""


def mesh_address(index: int) -> str:
    """169.254.128.0 + index: nodes are 1…, service instances 101…."""
    return f"169.254.{128 + (index >> 8)}.{index & 0xFF}"


def mesh_mac(index: int) -> str:
    """The one hardware address of a node or instance on a segment's mesh; locally administered."""
    return f"02:c5:00:00:{index >> 8:02x}:{index & 0xFF:02x}"


def connection(generation: int, verdict: int, slots: int = 0) -> int:
    return generation << 24 | verdict << 16 | slots
