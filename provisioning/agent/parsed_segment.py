"""One segment on one node, as the renderers want to see it: the document's sections with the look-ups made."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provisioning.agent import ranges
from provisioning.agent.document import DocumentSection, NodeDocument

TRANSPORT_MTU = {"lab": 1500, "internet": 1500, "vpn": 1400}
"""What fits through a circuit. An IPsec tunnel over a 1500-byte internet path leaves 1438 at best; 1400 is what AWS,
Azure and GCP all carry."""

MemberBody = Mapping[str, Any]


@dataclass(frozen=True)
class ParsedCircuit:
    """One circuit of a connector that ends on this node."""

    connector: str
    kind: str
    rate: int
    link: Mapping[str, Any]

    @property
    def interface(self) -> str:
        return str(self.link["interface"])

    @property
    def segment_interface(self) -> str:
        """The interface in the segment's namespace: where addresses are translated, the circuit ends in another."""
        return f"x{self.interface[1:]}" if self.is_exit or self.has_edge else self.interface

    @property
    def mtu(self) -> int:
        return int(self.link.get("mtu") or TRANSPORT_MTU.get(self.link.get("transport", "lab"), 1500))

    @property
    def is_exit(self) -> bool:
        return self.kind == "internet-exit"

    @property
    def has_edge(self) -> bool:
        """Whether the connector's NAT rules need an edge between the circuit and the segment."""
        return not self.is_exit and bool(self.link.get("nat_rules"))

    @property
    def local(self) -> str:
        return str(self.link["local"])

    @property
    def peer(self) -> str:
        """The far end's address."""
        return str(self.link["peer"]).partition("/")[0]

    @property
    def inside(self) -> Sequence[str]:
        """The prefixes behind it, before any translation."""
        inside: Sequence[str] = self.link["inside"]
        return inside


@dataclass(frozen=True)
class ParsedSegment:
    """``section`` is this node's own part, ``shared`` what all nodes of the segment get alike.

    ``prefix`` names this node's namespaces apart where several nodes share one machine (the lab).
    """

    section: DocumentSection
    shared: DocumentSection
    connectors: Sequence[DocumentSection]
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
    def number(self) -> int:
        return int(self.body["number"])

    @property
    def namespace(self) -> str:
        return self.namespace_of(self.name)

    def namespace_of(self, segment: str) -> str:
        """On this node, of this tenant."""
        return f"{self.prefix}{self.tenant}.{segment}"

    # -- nodes and circuits ----------------------------------------------------------------------------------------

    @property
    def node(self) -> str:
        return str(self.body["node"])

    @cached_property
    def nodes(self) -> Mapping[str, Mapping[str, Any]]:
        return {peer["node"]: peer for peer in self.body["mesh"]}

    @property
    def index(self) -> int:
        return int(self.nodes[self.node]["index"])

    def exchange_of(self, node: str) -> str:
        return node.rpartition("/")[0]

    @cached_property
    def circuits(self) -> list[ParsedCircuit]:
        """Those that end here, in a stable order."""
        found = [
            ParsedCircuit(connector_key(section), str(section.body["kind"]), int(section.body.get("rate") or 0), link)
            for section in self.connectors
            for link in section.body["links"]
            if link["node"] == self.node and link["segment"] == self.name
        ]
        return sorted(found, key=lambda circuit: circuit.interface)

    @property
    def exits(self) -> list[ParsedCircuit]:
        return [circuit for circuit in self.circuits if circuit.is_exit]

    @property
    def site_circuits(self) -> list[ParsedCircuit]:
        return [circuit for circuit in self.circuits if not circuit.is_exit]

    def next_circuit_node_index(self, connector: str) -> int:
        """Index of the node whose circuit of the connector is tried after the one here; 0 when this is the last.

        The order is the same on all nodes (the active circuit, then by name), so packets never go round in circles.
        """
        links = [link for link in self._links.get(connector, ()) if link["node"] in self.nodes]
        nodes = [link["node"] for link in sorted(links, key=lambda one: (one.get("role") == "standby", one["circuit"]))]
        later = nodes[nodes.index(self.node) + 1 :] if self.node in nodes else []
        return int(self.nodes[later[0]]["index"]) if later else 0

    @cached_property
    def _links(self) -> Mapping[str, list[Mapping[str, Any]]]:
        return {
            connector_key(section): [link for link in section.body["links"] if link["segment"] == self.name]
            for section in self.connectors
        }

    @cached_property
    def instances(self) -> list[tuple[str, Mapping[str, Any]]]:
        """(service key, instance) of every service that rules name."""
        return [
            (key, instance)
            for key, service in sorted(self.body.get("services", {}).items())
            for instance in service["instances"]
        ]

    # -- who is here -------------------------------------------------------------------------------------------------

    @property
    def members(self) -> Sequence[MemberBody]:
        return self.body["members"]

    @cached_property
    def members_of(self) -> Mapping[str, Sequence[MemberBody]]:
        """Connector → its attachments here."""
        found: dict[str, list[MemberBody]] = {}
        for member in self.members:
            found.setdefault(member["connector"], []).append(member)
        return found

    @property
    def imported_members(self) -> Sequence[MemberBody]:
        """Members of other segments that shares bring in here, where their flows with ours are decided."""
        return self.body.get("guests", ())

    @property
    def exported(self) -> Sequence[Mapping[str, Any]]:
        """Addresses of other segments whose namespaces decide flows between them and us."""
        return self.body.get("handover", ())

    @cached_property
    def peer_segment_interfaces(self) -> dict[str, str]:
        """Interface → the other segment on this node that it leads to, for every one that shares join with us."""
        others = [(guest["number"], guest["segment"]) for guest in self.imported_members]
        others += [(host["number"], host["segment"]) for host in self.exported]
        return {peer_segment_interface(number): segment for number, segment in dict.fromkeys(others)}

    @cached_property
    def apps(self) -> list[Mapping[str, Any]]:
        """The internet applications that this node answers for."""
        return [app for app in self.body.get("apps", ()) if app["home"] == self.node]

    # -- addresses -----------------------------------------------------------------------------------------------------

    @cached_property
    def own(self) -> ranges.AddressRanges:
        return ranges.parse_union(text for member in self.members for text in member["ranges"])

    @cached_property
    def peer_ranges(self) -> ranges.AddressRanges:
        """Addresses of other segments that are reached from here through shares."""
        return ranges.parse_union(
            text for other in (*self.imported_members, *self.exported) for text in other["ranges"]
        )

    @cached_property
    def inside(self) -> ranges.AddressRanges:
        """Everything that is not the internet."""
        return ranges.merge((*self.own, *self.peer_ranges))

    @cached_property
    def families(self) -> tuple[ranges.AddressFamily, ...]:
        return tuple(
            family for family in (ranges.IPV4, ranges.IPV6) if family is ranges.IPV4 or family.select(self.inside)
        )

    @cached_property
    def _range_owners(self) -> tuple[list[int], list[tuple[int, MemberBody]]]:
        rows = sorted(
            ((low, high, member) for member in self.members for low, high in ranges.parse_union(member["ranges"])),
            key=lambda row: row[0],
        )
        return [low for low, _, _ in rows], [(high, member) for _, high, member in rows]

    def sources_owned_by_others(self, member: MemberBody) -> Iterator[tuple[ranges.AddressRange, MemberBody]]:
        """The addresses a member may send from that are not its connector's own: (range, whose they are).

        An address that is nobody's is the member's.
        """
        own = ranges.parse_union(text for one in self.members_of[member["connector"]] for text in one["ranges"])
        lows, rows = self._range_owners
        for low, high in ranges.subtract(ranges.parse_union(member.get("sources", ())), own):
            cursor = low
            place = max(bisect_right(lows, low) - 1, 0)
            while place < len(rows) and lows[place] <= high:
                end, owner = rows[place]
                if end >= cursor:
                    start = max(lows[place], cursor)
                    if start > cursor:
                        yield (cursor, start - 1), member
                    yield (start, min(end, high)), owner
                    cursor = min(end, high) + 1
                place += 1
            if cursor <= high:
                yield (cursor, high), member

    @staticmethod
    def overlapping_source(member: MemberBody) -> str:
        """What policies tell attachments apart by."""
        return f"{member['connector']} {member.get('group') or ''}"

    @cached_property
    def overlapping_sources(self) -> Mapping[str, frozenset[str]]:
        """Those who send from addresses of others → the names that policies may know them by."""
        return {
            self.overlapping_source(member): frozenset(
                ("any", f"c:{member['connector']}", f"g:{member.get('group') or ''}")
            )
            for member in self.members
            if any(True for _ in self.sources_owned_by_others(member))
        }


def peer_segment_interface(number: int) -> str:
    """The interface towards the namespace of another segment on the same node."""
    return f"w{number}"


def connector_key(section: DocumentSection) -> str:
    return section.address.partition("/")[2]


def parse_segments(document: NodeDocument, prefix: str = "") -> list[ParsedSegment]:
    """Those of which both parts are here; the other one is on its way, or going."""
    shared = {(section.tenant, section.body["segment"]): section for section in document.of_kind("exchange.segment")}
    return [
        ParsedSegment(section, shared[where], document.of_kind("exchange.connector", section.tenant), prefix)
        for section in document.of_kind("exchange.vrf")
        if (where := (section.tenant, section.body["segment"])) in shared
    ]


def hashed_name(kind: str, text: str) -> str:
    """A name nft accepts for something whose own name it may not: stable, and unlike any other."""
    return f"{kind}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
