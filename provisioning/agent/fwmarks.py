"""The numbers that packets and connections carry, and the addresses of the mesh and of veth pairs inside the node.

A packet mark says what is to be done with the packet next; its low 16 bits travel between nodes in the VXLAN header
(group policy extension), so a receiver need not guess why it got a packet:

    0x0nnn  source key: which (class, exit, overlapping source) the packet came from, while the anchor is looked up
    0x1kkk  take to node k, the anchor, and decide there; between nodes 0x1sss, the overlapping source
    0x2000  decided: deliver to the member's home node and out of its active circuit
    0x3000  decided, but the home node's circuit is down: deliver through the next circuit that is not
    0x4jjj  take to service instance j
    0x5eee  leave through internet exit e of this node, or to the segment by whose exits a policy sends it
    0x6jjj  came back from service instance j
    0x7000  decide here
    0x8000  refused
    0x9000  translate for an internet application

An overlapping source is a member that sends from addresses which belong to another one; its number is in the upper 16
bits while the packet is to be decided, and in the connection's label (connection_labels.py). 0: the address tells the
member.

A connection mark, on the anchor only: generation (8 bits) | verdict or chain (8 bits) | four instance slots of 4 bits.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address

from provisioning.core.values.exchange_numbers import MESH_PREFIX

TO_ANCHOR, DELIVER, STANDBY, TO_INSTANCE, TO_EXIT, FROM_INSTANCE, DECIDE, REFUSED, TO_APPLICATION = (
    verb << 12 for verb in range(1, 10)
)
ACTION_MASK = 0xF000
OVERLAPPING_SOURCE_MASK = 0x0FFF0000

GENERATION_MASK = 0xFF000000
VERDICT_MASK = 0x00FF0000
INSTANCE_SLOTS_MASK = 0x0000FFFF
DENIED, ALLOWED, FIRST_CHAIN = 1, 2, 3
LAST_CHAIN = 250
DROPPED = 251
"""Denied, and the sender is not told."""
HASH_BUCKETS = 64

MESH_BRIDGE = "mesh"
"""Interface name of the mesh bridge in every segment's namespace."""

NEAR_GATEWAY, FAR_GATEWAY = "169.254.0.1", "169.254.0.2"
"""Gateways over a veth pair between two namespaces of one node: NEAR is the segment's side (of two, that of the one
which decides), FAR the other. No interface has these addresses; both are neighbours with a fixed hardware address."""

_MESH_BASE = IPv4Network(MESH_PREFIX).network_address
_IPV6_BASE = int(IPv6Address("fdc5:c5c5::"))


def ipv6_counterpart(address: str) -> str:
    """Return the IPv6 address (or prefix) for a link-local IPv4 one: the same 32 bits in a unique local prefix
    (RFC 4193)."""
    host, slash, length = address.partition("/")
    return str(IPv6Address(_IPV6_BASE + int(IPv4Address(host)))) + (f"{slash}{96 + int(length)}" if length else "")


def ipv6_link_local(address: str) -> str:
    """Return the address from which a circuit's ends ask for each other; the kernel asks from no other."""
    return str(IPv6Address((0xFE80 << 112) + int(IPv4Address(address.partition("/")[0])))) + "/64"


def veth_mac(gateway: str) -> str:
    """Return the hardware address of a veth pair's end, NEAR or FAR."""
    return f"02:c5:01:00:00:{int(IPv4Address(gateway)) & 0xFF:02x}"


def mesh_address(index: int) -> str:
    """Return an address of MESH_PREFIX; nodes have the indexes from 1, service instances those from 101."""
    return str(_MESH_BASE + index)


def mesh_mac(index: int) -> str:
    """Return the one hardware address of a node or instance on a segment's mesh; locally administered."""
    return f"02:c5:00:00:{index >> 8:02x}:{index & 0xFF:02x}"


def connection_mark(generation: int, verdict: int, slots: int = 0) -> int:
    return generation << 24 | verdict << 16 | slots
