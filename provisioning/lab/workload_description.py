"""What the lab knows of a workload: written by the agents that make it, read by the servers' process and `lab exec`."""

from __future__ import annotations

from typing import TypedDict

from provisioning.core.node_document import LinkEntry


class PublishedApplication(TypedDict):
    """An internet application that an exit publishes; ``number`` is the routing table of its segment."""

    public: str
    protocol: str
    port: int
    number: int


class WorkloadDescription(TypedDict):
    """A workload: what is behind one connector.

    addresses: its own ones. segments: keys of those it is in. nodes: the tenant's name of a node → the node's own.
    apps: applications that this internet exit publishes.
    """

    namespace: str
    tenant: str
    connector: str
    kind: str
    addresses: list[str]
    segments: list[str]
    links: list[LinkEntry]
    nodes: dict[str, str]
    apps: list[PublishedApplication]


def segment_table(number: int) -> int:
    """Return the routing table of the segment with this number, in every workload."""
    return 1000 + number
