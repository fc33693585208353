"""One segment on one node as the renderers want to see it: the document's sections with the look-ups made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from provisioning.agent.address_families import IPV4, IPV6, AddressFamily, AddressRanges
from provisioning.agent.document import DocumentSection, NodeDocument
from provisioning.core.node_document import (
    AppEntry,
    ConnectorBody,
    DecidingPeerEntry,
    ImportedMemberEntry,
    LinkEntry,
    MemberEntry,
    MeshPeerEntry,
    SegmentBody,
    ServiceInstanceEntry,
    VrfBody,
)
from provisioning.core.values.addresses import Range, merge_ranges, parse_ranges, subtract

ETHERNET_MTU = 1500
TRANSPORT_MTU = {"vpn": 1400}
"""Bytes that fit through a circuit, where it is less than Ethernet's. An IPsec tunnel over a 1500-byte internet path
leaves 1438 at best; 1400 is what AWS, Azure and GCP all carry."""


@dataclass(frozen=True)
class ParsedCircuit:
    """One circuit of a connector that ends on this node."""

    connector: str
    kind: str
    rate: int
    link: LinkEntry

    @property
    def interface(self) -> str:
        return self.link["interface"]

    @property
    def segment_interface(self) -> str:
        """The interface in the segment's namespace: where addresses are translated, the circuit ends in another."""
        return f"x{self.interface[1:]}" if self.is_exit or self.has_edge else self.interface

    @property
    def mtu(self) -> int:
        return circuit_mtu(self.link)

    @property
    def is_exit(self) -> bool:
        return self.kind == "internet-exit"

    @property
    def has_edge(self) -> bool:
        """Whether the connector's NAT rules need an edge between the circuit and the segment."""
        return not self.is_exit and bool(self.link["nat_rules"])

    @property
    def local(self) -> str:
        """Our end's address with its length."""
        return self.link["local"]

    @property
    def peer(self) -> str:
        """The far end's address."""
        return self.link["peer"].partition("/")[0]

    @property
    def site_prefixes(self) -> Sequence[str]:
        """The prefixes behind it, before any translation."""
        return self.link["inside"]


def circuit_mtu(link: LinkEntry) -> int:
    return TRANSPORT_MTU.get(link["transport"], ETHERNET_MTU)


@dataclass(frozen=True)
class ParsedSegment:
    """A segment of which both sections are here: ``section`` is this node's own, ``shared`` what all nodes get alike.

    ``prefix`` tells this node's namespaces apart where several nodes share one machine (the lab).
    """

    section: DocumentSection[VrfBody]
    shared: DocumentSection[SegmentBody]
    connectors: Sequence[DocumentSection[ConnectorBody]]
    prefix: str = ""

    @property
    def body(self) -> SegmentBody:
        return self.shared.body

    @property
    def sections(self) -> tuple[str, ...]:
        """Keys of the sections that fail when this segment does."""
        return self.section.key, self.shared.key

    @property
    def tenant(self) -> str:
        return self.section.tenant

    @property
    def name(self) -> str:
        return self.body["segment"]

    @property
    def number(self) -> int:
        return self.body["number"]

    @property
    def namespace(self) -> str:
        return self.namespace_of(self.name)

    def namespace_of(self, segment: str) -> str:
        """Return the namespace of a segment of this tenant on this node."""
        return f"{self.prefix}{self.tenant}.{segment}"

    # -- nodes and circuits ----------------------------------------------------------------------------------------

    @property
    def node(self) -> str:
        return self.section.body["node"]

    @cached_property
    def nodes(self) -> Mapping[str, MeshPeerEntry]:
        """Name → node of the mesh, this one included."""
        return {peer["node"]: peer for peer in self.body["mesh"]}

    @property
    def index(self) -> int:
        return self.nodes[self.node]["index"]

    def exchange_of(self, node: str) -> str:
        return node.rpartition("/")[0]

    @cached_property
    def circuits(self) -> list[ParsedCircuit]:
        """The circuits that end here, in a stable order."""
        circuits = [
            ParsedCircuit(connector_key(section), section.body["kind"], section.body["rate"], link)
            for section in self.connectors
            for link in section.body["links"]
            if link["node"] == self.node and link["segment"] == self.name
        ]
        return sorted(circuits, key=lambda circuit: circuit.interface)

    @property
    def exits(self) -> list[ParsedCircuit]:
        return [circuit for circuit in self.circuits if circuit.is_exit]

    @property
    def site_circuits(self) -> list[ParsedCircuit]:
        return [circuit for circuit in self.circuits if not circuit.is_exit]

    def next_circuit_node_index(self, connector: str) -> int:
        """Return the index of the node whose circuit of the connector is tried after the one here; 0 for the last.

        The order is the same on all nodes (the active circuit, then by name), so packets never go round in circles.
        """
        links = [link for link in self._links.get(connector, ()) if link["node"] in self.nodes]
        nodes = [link["node"] for link in sorted(links, key=lambda link: (link["role"] == "standby", link["circuit"]))]
        later = nodes[nodes.index(self.node) + 1 :] if self.node in nodes else []
        return self.nodes[later[0]]["index"] if later else 0

    @cached_property
    def _links(self) -> Mapping[str, list[LinkEntry]]:
        return {
            connector_key(section): [link for link in section.body["links"] if link["segment"] == self.name]
            for section in self.connectors
        }

    @cached_property
    def instances(self) -> list[tuple[str, ServiceInstanceEntry]]:
        """(service key, instance) of every service that rules name."""
        return [
            (key, instance)
            for key, service in sorted(self.section.body["services"].items())
            for instance in service["instances"]
        ]

    # -- members -----------------------------------------------------------------------------------------------------

    @property
    def members(self) -> Sequence[MemberEntry]:
        return self.body["members"]

    @cached_property
    def members_of(self) -> Mapping[str, Sequence[MemberEntry]]:
        """Connector → its attachments here."""
        by_connector: dict[str, list[MemberEntry]] = {}
        for member in self.members:
            by_connector.setdefault(member["connector"], []).append(member)
        return by_connector

    @property
    def imported_members(self) -> Sequence[ImportedMemberEntry]:
        """Members of other segments that shares import here, where their flows with ours are decided."""
        return self.body["imported_members"]

    @property
    def deciding_peers(self) -> Sequence[DecidingPeerEntry]:
        """Other segments, whose namespaces decide flows between them and us, with the addresses they export here."""
        return self.body["deciding_peers"]

    @cached_property
    def other_segment_interfaces(self) -> dict[str, str]:
        """Interface → the other segment on this node that it leads to, for every one that shares join with us."""
        numbered = [(member["number"], member["segment"]) for member in self.imported_members]
        numbered += [(peer["number"], peer["segment"]) for peer in self.deciding_peers]
        return {other_segment_interface(number): segment for number, segment in dict.fromkeys(numbered)}

    @cached_property
    def unanswered(self) -> list[tuple[AddressRanges, AddressRanges]]:
        """(sources, destinations) of flows whose replies would have no route."""
        entries = self.body.get("unanswered", ())
        return [(parse_ranges(entry["sources"]), parse_ranges(entry["destinations"])) for entry in entries]

    @cached_property
    def apps(self) -> list[AppEntry]:
        """The internet applications that this node answers for."""
        return [app for app in self.body["apps"] if app["home"] == self.node]

    @cached_property
    def hairpin_apps(self) -> list[AppEntry]:
        """The internet applications that members reach at their public addresses."""
        return [app for app in self.body["apps"] if "hairpin_source" in app]

    @cached_property
    def _home_of_exit(self) -> Mapping[int, str]:
        return {member["id"]: member["home"] for member in self.members if member["kind"] == "internet-exit"}

    def exit_of(self, member: MemberEntry | ImportedMemberEntry) -> int:
        """Return the id of the exit by which a member leaves to the internet; 0: by none of this segment."""
        ordinary = self.body["exits"].get(member["exchange"])
        return member.get("exit", ordinary["member"] if ordinary else 0)

    def exit_home(self, exit_: int) -> str:
        """Return the node that decides what leaves by an exit."""
        return self._home_of_exit[exit_]

    @cached_property
    def egress_peers(self) -> list[DecidingPeerEntry]:
        """Other segments by whose exits some members leave, because policies choose them."""
        return [peer for peer in self.deciding_peers if "leaving" in peer]

    @cached_property
    def leaving_members(self) -> list[MemberEntry | ImportedMemberEntry]:
        """Members that leave to the internet by the exits of this segment: its own, and those of peers."""
        return [*self.members, *(member for member in self.imported_members if member.get("internet"))]

    # -- addresses -----------------------------------------------------------------------------------------------------

    @cached_property
    def member_ranges(self) -> AddressRanges:
        return parse_ranges(text for member in self.members for text in member["ranges"])

    @cached_property
    def other_segment_ranges(self) -> AddressRanges:
        """Addresses of other segments that are reached from here through shares."""
        return parse_ranges(
            text for entry in (*self.imported_members, *self.deciding_peers) for text in entry["ranges"]
        )

    @cached_property
    def internal_ranges(self) -> AddressRanges:
        """Everything that is not the internet."""
        return merge_ranges((*self.member_ranges, *self.other_segment_ranges))

    @cached_property
    def families(self) -> tuple[AddressFamily, ...]:
        return (IPV4, IPV6) if IPV6.select(self.internal_ranges) else (IPV4,)

    @cached_property
    def _range_owners(self) -> tuple[list[int], list[tuple[int, MemberEntry]]]:
        rows = sorted(
            ((low, high, member) for member in self.members for low, high in parse_ranges(member["ranges"])),
            key=lambda row: row[0],
        )
        return [low for low, _, _ in rows], [(high, member) for _, high, member in rows]

    def sources_owned_by_others(self, member: MemberEntry) -> Iterator[tuple[Range, MemberEntry]]:
        """Yield the addresses a member may send from that are not its connector's own, each range with its owner.

        An address that belongs to nobody is the member's.
        """
        own = parse_ranges(text for sibling in self.members_of[member["connector"]] for text in sibling["ranges"])
        lows, rows = self._range_owners
        for low, high in subtract(parse_ranges(member["sources"]), own):
            cursor = low
            row = max(bisect_right(lows, low) - 1, 0)
            while row < len(rows) and lows[row] <= high:
                end, owner = rows[row]
                if end >= cursor:
                    start = max(lows[row], cursor)
                    if start > cursor:
                        yield (cursor, start - 1), member
                    yield (start, min(end, high)), owner
                    cursor = min(end, high) + 1
                row += 1
            if cursor <= high:
                yield (cursor, high), member

    @staticmethod
    def source_name(member: MemberEntry) -> str:
        """Return what policies tell attachments apart by."""
        return f"{member['connector']} {' '.join(member['groups'])}"

    @cached_property
    def overlapping_sources(self) -> Mapping[str, frozenset[str]]:
        """Key of each member that sends from addresses of others → the names that policies may know it by."""
        return {
            self.source_name(member): frozenset(
                ("any", f"c:{member['connector']}", *(f"g:{group}" for group in member["groups"]))
            )
            for member in self.members
            if any(True for _ in self.sources_owned_by_others(member))
        }


def hidden_sources(app: AppEntry) -> set[str]:
    """Return the addresses that stand for clients of an application, and that its target answers to."""
    return {address for address in (app["source_nat"], app.get("hairpin_source")) if address}


def other_segment_interface(number: int) -> str:
    """Return the interface towards the namespace of another segment on the same node."""
    return f"w{number}"


def connector_key(section: DocumentSection[ConnectorBody]) -> str:
    return section.address.partition("/")[2]


def parse_segments(document: NodeDocument, prefix: str = "") -> list[ParsedSegment]:
    """Return the segments of which both parts are here; where one is missing, it is on its way or going."""
    shared = {(section.tenant, section.body["segment"]): section for section in document.of_kind("exchange.segment")}
    return [
        ParsedSegment(section, shared[key], document.of_kind("exchange.connector", section.tenant), prefix)
        for section in document.of_kind("exchange.vrf")
        if (key := (section.tenant, section.body["segment"])) in shared
    ]
