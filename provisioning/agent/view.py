"""One segment on one node, as the renderers want to see it: the document's sections with the look-ups made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provisioning.agent import ranges
from provisioning.agent.document import Document, Section

TRANSPORT_MTU = {"lab": 1500, "internet": 1500, "vpn": 1400}
"""What fits through a circuit. An IPsec tunnel over a 1500-byte internet path leaves 1438 at best; 1400 is what AWS,
Azure and GCP all carry."""


@dataclass(frozen=True)
class Circuit:
    """One circuit of a connector that ends on this node."""

    connector: str
    kind: str
    rate: int
    link: Mapping[str, Any]

    @property
    def interface(self) -> str:
        return str(self.link["interface"])

    @property
    def wire(self) -> str:
        """The interface in the segment's namespace: an exit's circuit ends in a namespace of its own."""
        return f"x{self.interface[1:]}" if self.is_exit else self.interface

    @property
    def mtu(self) -> int:
        return int(self.link.get("mtu") or TRANSPORT_MTU.get(self.link.get("transport", "lab"), 1500))

    @property
    def is_exit(self) -> bool:
        return self.kind == "internet-exit"

    @property
    def is_active(self) -> bool:
        return bool(self.link.get("role", "active") == "active")


@dataclass(frozen=True)
class Segment:
    """``section`` is this node's own part, ``shared`` what all nodes of the segment get alike.

    ``prefix`` names this node's namespaces apart where several nodes share one machine (the lab).
    """

    section: Section
    shared: Section
    connectors: Sequence[Section]
    prefix: str = ""

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """Both parts as one."""
        return {**self.shared.body, **self.section.body}

    @property
    def sections(self) -> tuple[str, ...]:
        """Keys of the sections that fail when this segment does."""
        return self.section.key, self.shared.key

    @property
    def tenant(self) -> str:
        return self.section.tenant

    @property
    def name(self) -> str:
        return str(self.body["segment"])

    @property
    def namespace(self) -> str:
        return f"{self.prefix}{self.tenant}.{self.name}"

    @property
    def node(self) -> str:
        return str(self.body["node"])

    @property
    def members(self) -> Sequence[Mapping[str, Any]]:
        return self.body["members"]

    @cached_property
    def nodes(self) -> Mapping[str, Mapping[str, Any]]:
        return {peer["node"]: peer for peer in self.body["mesh"]}

    @property
    def index(self) -> int:
        return int(self.nodes[self.node]["index"])

    @cached_property
    def circuits(self) -> list[Circuit]:
        """Those that end here, in a stable order."""
        found = [
            Circuit(connector_key(section), str(section.body["kind"]), int(section.body.get("rate") or 0), link)
            for section in self.connectors
            for link in section.body["links"]
            if link["node"] == self.node and link["segment"] == self.name
        ]
        return sorted(found, key=lambda circuit: circuit.interface)

    @property
    def exits(self) -> list[Circuit]:
        return [circuit for circuit in self.circuits if circuit.is_exit]

    @property
    def attached(self) -> list[Circuit]:
        return [circuit for circuit in self.circuits if not circuit.is_exit]

    def members_of(self, connector: str) -> Iterator[Mapping[str, Any]]:
        return (member for member in self.members if member["connector"] == connector)

    def spans(self, connector: str) -> tuple[ranges.Range, ...]:
        """All addresses of a connector in this segment."""
        return ranges.union(span for member in self.members_of(connector) for span in member["ranges"])

    @cached_property
    def instances(self) -> list[tuple[str, Mapping[str, Any]]]:
        """(service key, instance) of every service that rules name."""
        return [
            (key, instance)
            for key, service in sorted(self.body.get("services", {}).items())
            for instance in service["instances"]
        ]

    def exchange_of(self, node: str) -> str:
        return node.rpartition("/")[0]

    def standby_node(self, connector: str) -> int:
        """Index of another node where the connector has a circuit to fall back on, 0 for none."""
        for section in self.connectors:
            if connector_key(section) != connector:
                continue
            for link in section.body["links"]:
                if link["segment"] == self.name and link["node"] != self.node and link["node"] in self.nodes:
                    return int(self.nodes[link["node"]]["index"])
        return 0


def connector_key(section: Section) -> str:
    return section.address.partition("/")[2]


def segments(document: Document, prefix: str = "") -> list[Segment]:
    """Those of which both parts are here; the other one is on its way, or going."""
    shared = {(section.tenant, section.body["segment"]): section for section in document.of_kind("exchange.segment")}
    return [
        Segment(section, shared[where], document.of_kind("exchange.connector", section.tenant), prefix)
        for section in document.of_kind("exchange.vrf")
        if (where := (section.tenant, section.body["segment"])) in shared
    ]


def short(kind: str, text: str) -> str:
    """A name nft accepts for something whose own name it may not: stable, and unlike any other."""
    return f"{kind}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
