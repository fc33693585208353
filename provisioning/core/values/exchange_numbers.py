"""Numbers that an exchange has on every node: its AS, and how 169.254.0.0/16 (link-local, RFC 3927) is divided.

Whoever gives out addresses of a range, or tells a far side our AS number, takes them from here.
"""

from __future__ import annotations

EXCHANGE_ASN = 65000
"""Our AS number, which a cloud's end of a tunnel is told. It is the same on every node (private use, RFC 6996)."""

LINK_PREFIX = "169.254.0.0/18"
"""Both ends of circuits."""

CLOUD_TUNNEL_PREFIX = "169.254.64.0/18"
"""Both ends of tunnels to clouds. Each gateway of a cloud may use it whole, since tunnels of two never meet."""

MESH_PREFIX = "169.254.128.0/17"
"""Addresses of nodes and service instances on a segment's mesh, where their own packets (ICMP errors) come from."""
