"""The node document: what an exchange node is told, and the body of each resource in it.

A document is one JSON object (``DocumentJson``), signed as text. It holds a section for each resource that concerns the
node (``SectionJson``); a section's ``body`` is what compile made of the network: ``PresenceBody``, ``SegmentBody``,
``VrfBody``, ``ConnectorBody`` or ``InstanceBody``, told apart by ``kind``. These types are plain dicts at run time: a
body of 10,000 members costs no more than its JSON. Bodies share parts, and nobody changes one.

Addresses are written as ranges (``10.1.0.0-10.1.255.255``), the spelling nftables reads; prefixes only where a prefix
is meant. A node's name is the tenant's own, ``{exchange key}/{1|2}``. The help of each field is its documentation:
``node_document_reference.py`` writes the page of the documentation from it.

This module needs the standard library only, so that an agent on a router can import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args

from provisioning.core.node_document_rules import FirewallRuleEntry, NatRuleEntry, Ranges, RoutePolicies, RuleEntry
from provisioning.core.values.resource import content_digest

VERSION = 3
"""Grows when a body changes so that an older agent would misread it; node_document_upgrade.py then reads those
before."""

SectionKind = Literal[
    "exchange.presence", "exchange.segment", "exchange.vrf", "exchange.connector", "exchange.instance"
]
SECTION_KINDS = frozenset[str](get_args(SectionKind))
Nodes = Annotated[dict[str, str], "nodes that carry the section out → their location"]
Version = Annotated[int, "version of the node document that the body is written in"]

# Limits that follow from the bits of a packet's and a connection's mark (agent/fwmarks.py). Networks stay within them.
MAX_CHAIN_LENGTH = 4
"""Services in one chain: a connection remembers an instance of each in four bits of its mark."""

MAX_INSTANCES_PER_PLACEMENT = 15
"""Instances of one service at one exchange, for the same reason."""

MAX_INSTANCES = 3900
"""Instances in a network: a packet's mark has twelve bits for the mesh index of the instance it goes to."""


class DocumentJson(TypedDict):
    """Everything a node should carry out, for all tenants on it."""

    version: Annotated[int, "of the document's shape; an agent that does not know it refuses the document"]
    serial: Annotated[int, "grows with every section published to the node; the node reports the last one applied"]
    node: Annotated[NodeIdentity, "who it is for"]
    sections: Annotated[dict[str, SectionJson], "{tenant}/{address} → section"]


class NodeIdentity(TypedDict):
    """Who the document is for."""

    id: Annotated[str, "uid of the node's row; the lab's fake portal writes the node's name"]
    location: Annotated[str, "key of the location in the catalogue"]
    index: Annotated[int, "1 or 2"]
    underlay: NotRequired[Annotated[str, "address of the node in the network between nodes"]]
    public_ip: NotRequired[Annotated[str, "address of the node on the internet"]]


class SectionJson(TypedDict):
    """One resource of one tenant on this node."""

    tenant: Annotated[str, "slug"]
    self: Annotated[str, "what the tenant calls this node: eu/1"]
    address: Annotated[str, "address of the resource in the tenant's network"]
    kind: Annotated[str, "exchange.presence, .segment, .vrf, .connector or .instance"]
    digest: Annotated[str, "SHA-256 of the body's canonical JSON; the node reports it once it is applied"]
    body: Annotated[Mapping[str, Any], "one of the bodies below"]


# A segment


class MeshPeerEntry(TypedDict):
    """A node of the segment's mesh."""

    node: Annotated[str, "its name"]
    index: Annotated[int, "its address on the mesh (agent/fwmarks.py)"]
    underlay: Annotated[str, "where VXLAN packets to it are sent"]


class MemberEntry(TypedDict):
    """One attachment of a connector in the segment."""

    id: Annotated[int, "in this segment"]
    connector: Annotated[str, "key"]
    number: Annotated[int, "of the connector"]
    exchange: Annotated[str, "key"]
    home: Annotated[str, "node of the connector's active circuit"]
    kind: Annotated[str, "kind of the connector; internet-exit has no ranges"]
    groups: Annotated[list[str], "keys"]
    prefixes: Annotated[list[str], "as attached, before translation"]
    ranges: Annotated[Ranges, "what is routed to it: longest prefix of the segment wins"]
    sources: Annotated[Ranges, "what it may send from; all else from it is spoofed"]
    anchor_class: Annotated[int, "anchors are chosen by pairs of these"]
    exit: NotRequired[
        Annotated[int, "id of the exit that a policy chooses, 0: none of this segment; left out: its exchange's"]
    ]


class ImportedMemberEntry(TypedDict):
    """A member of another segment that a share imports into this one, which decides about its flows."""

    id: Annotated[int, "in this segment, above those of its own members"]
    segment: Annotated[str, "key of its own segment"]
    number: Annotated[int, "of its own segment"]
    connector: Annotated[str, "key"]
    exchange: Annotated[str, "key"]
    internet: NotRequired[Annotated[bool, "whether it leaves to the internet by our exits; left out: it does not"]]
    exit: NotRequired[Annotated[int, "id of the exit that a policy chooses; left out: its exchange's"]]
    home: Annotated[str, "node of the connector's active circuit"]
    ranges: Annotated[Ranges, "what is routed to it"]
    anchor_class: Annotated[int, "anchors are chosen by pairs of these"]


class DecidingPeerEntry(TypedDict):
    """A segment that decides about flows between itself and this one: packets to it are handed over."""

    segment: Annotated[str, "key"]
    number: Annotated[int, "of that segment"]
    ranges: Annotated[Ranges, "its addresses that shares export to this one"]
    internet: NotRequired[
        Annotated[Ranges, "addresses on the internet that some members reach by its exits, where policies choose exits"]
    ]
    leaving: NotRequired[Annotated[list[int], "ids of these members"]]


class ShareSideEntry(TypedDict):
    """One side of a share."""

    segment: Annotated[str, "key"]
    ranges: Annotated[Ranges, "who is in the share there"]
    internet: NotRequired[Annotated[bool, "whether its exits are the other side's way out; left out: they are not"]]


class ShareEntry(TypedDict):
    """A share whose flows this segment decides about."""

    id: Annotated[str, "share/{key}"]
    chain: Annotated[list[str], "keys of the services that inspect its flows"]
    a: Annotated[ShareSideEntry, "one side"]
    b: Annotated[ShareSideEntry, "the other"]
    initiate: Annotated[list[str], "sides from which flows may begin: a, b or both"]


class PeerRulesEntry(TypedDict):
    """The rules of another segment about flows with this one, which decides."""

    rules: Annotated[list[RuleEntry], "in the order they are tried"]
    address_sets: Annotated[dict[str, Ranges], "name in from and to → addresses"]


class ExitEntry(TypedDict):
    """The way to the internet for members of one exchange."""

    member: Annotated[int, "id of the internet exit"]
    home: Annotated[str, "node that decides about flows to the internet"]


class AppEntry(TypedDict):
    """An internet application."""

    id: Annotated[str, "app:{key}"]
    exit: Annotated[int, "id of the internet exit that publishes it"]
    home: Annotated[str, "node that answers for it"]
    public: Annotated[str, "its public address"]
    protocol: Annotated[str, "tcp or udp"]
    port: Annotated[int, "public port"]
    targets: Annotated[list[str], "addresses that serve it"]
    target_port: Annotated[int, "port they serve it on"]
    source_nat: Annotated[str | None, "address clients on the internet appear from; null: their own"]
    hairpin_source: NotRequired[Annotated[str, "address members of the segment appear from; left out: they cannot"]]


class UnansweredEntry(TypedDict):
    """Flows whose replies would have no route."""

    sources: Annotated[Ranges, "addresses that other connectors send from than the one that owns them"]
    destinations: Annotated[Ranges, "what a route policy keeps from the owner of the sources"]


class SegmentBody(TypedDict):
    """``exchange.segment``: what is the same on every node of a segment."""

    version: Version
    nodes: Nodes
    segment: Annotated[str, "key"]
    number: Annotated[int, "of the segment, in the whole installation; the same as vni, and names interfaces"]
    default_action: Annotated[str, "allow or deny: what becomes of flows between members that no rule is about"]
    vni: Annotated[int, "VXLAN network identifier of the mesh"]
    mesh: Annotated[list[MeshPeerEntry], "all nodes of the segment"]
    members: Annotated[list[MemberEntry], "attachments, by connector number"]
    unanswered: NotRequired[
        Annotated[list[UnansweredEntry], "flows dropped as if they had no route; left out for none"]
    ]
    imported_members: Annotated[list[ImportedMemberEntry], "members of younger segments, decided about here"]
    deciding_peers: Annotated[list[DecidingPeerEntry], "older segments that decide about flows with this one"]
    shares: Annotated[list[ShareEntry], "in the order they are tried"]
    peer_rules: Annotated[dict[str, PeerRulesEntry], "segment of imported members → its rules"]
    anchors: Annotated[dict[str, str], "{lower class}.{higher class} → node that decides about their flows"]
    exits: Annotated[dict[str, ExitEntry], "exchange → its internet exit"]
    bogons: Annotated[
        Ranges,
        "addresses no exit leads to (RFC 6890, and our own); empty where there is no exit",
    ]
    apps: Annotated[list[AppEntry], "internet applications of the segment"]
    address_sets: Annotated[dict[str, Ranges], "name in from and to (any, g:prod, c:site, app:shop) → addresses"]
    rules: Annotated[list[RuleEntry], "in the order they are tried"]


# One node's part of a segment


class ServiceInstanceEntry(TypedDict):
    """An instance that serves the nodes of an exchange."""

    id: Annotated[str, "{service}/{exchange}/{ordinal}"]
    index: Annotated[int, "its address on the mesh"]
    host: Annotated[str, "node that runs it"]
    underlay: Annotated[str, "of the host"]


class ServiceEntry(TypedDict):
    """A service that flows of the segment may be sent through."""

    number: Annotated[int, "of the service"]
    on_failure: Annotated[str, "open or closed: what becomes of flows when it has no instance"]
    instances: Annotated[list[ServiceInstanceEntry], "those that serve this node's exchange"]


class VrfBody(TypedDict):
    """``exchange.vrf``: what one node alone needs to know to carry a segment out."""

    version: Version
    nodes: Nodes
    segment: Annotated[str, "key"]
    node: Annotated[str, "its name"]
    index: Annotated[int, "its address on the mesh"]
    services: Annotated[dict[str, ServiceEntry], "key → service"]


# Connectors


class EdgeEntry(TypedDict):
    """A connector in one segment, as all its links there say it."""

    inside: Annotated[list[str], "prefixes behind it, before translation"]
    presented: Annotated[Ranges, "what the segment sees of them"]
    nat_rules: Annotated[list[NatRuleEntry], "in the order they are tried"]
    filtered_routes: Annotated[Ranges, "addresses the connector has no route to: route policies keep them from it"]
    route_policies: Annotated[RoutePolicies, "by direction"]


class LinkEntry(EdgeEntry):
    """A circuit of a connector in one segment."""

    circuit: Annotated[str, "A, B; C and D at the failover exchange"]
    node: Annotated[str, "where it ends"]
    role: Annotated[str, "active or standby"]
    segment: Annotated[str, "key"]
    segment_number: Annotated[int, "of the segment"]
    interface: Annotated[str, "its name on the node; at most 15 characters (Linux, IFNAMSIZ)"]
    local: Annotated[str, "address and length of our end"]
    peer: Annotated[str, "address and length of the far end"]
    vlan: Annotated[int | None, "VLAN of a cross-connect"]
    bgp: Annotated[Mapping[str, Any] | None, "peer_asn, bfd; null: no BGP"]
    transport: Annotated[str, "lab, vpn, internet …: what carries it, and so its MTU"]
    remote: Annotated[str | None, "public address of the device at the far end"]
    nat: Annotated[str | None, "public address of an internet exit on this node"]


class ConnectorBody(TypedDict):
    """``exchange.connector``: a connector with all its links."""

    version: Version
    nodes: Nodes
    number: Annotated[int, "of the connector; names interfaces"]
    kind: Annotated[str, "kind of the connector"]
    size: Annotated[str, "size in the catalogue"]
    rate: Annotated[int, "bits per second of the size; 0: no limit"]
    exchange: Annotated[str, "key"]
    failover_exchange: Annotated[str | None, "key"]
    links: Annotated[list[LinkEntry], "one for each circuit and segment"]
    settings: NotRequired[Annotated[Mapping[str, Any], "of the kind; clouds' are left to their drivers"]]


# Exchanges and service instances


class PresenceBody(TypedDict):
    """``exchange.presence``: a tenant's exchange."""

    version: Version
    nodes: Nodes
    location: Annotated[str, "key of the location in the catalogue"]
    size: Annotated[str, "size in the catalogue"]
    rate: Annotated[int, "bits per second of the size; 0: no limit"]


class ArmEntry(TypedDict):
    """A service instance's interface in a segment."""

    segment: Annotated[str, "key"]
    number: Annotated[int, "of the segment"]
    index: Annotated[int, "the instance's address on the mesh"]


class ZoneEntry(TypedDict):
    """The firewall's name for groups of a segment."""

    name: Annotated[str, "of the zone"]
    segment: Annotated[str, "key"]
    groups: Annotated[list[str], "keys; empty: all members"]


class InstanceBody(TypedDict):
    """``exchange.instance``: an instance of a service and the node that runs it."""

    version: Version
    nodes: Nodes
    service: Annotated[str, "key"]
    number: Annotated[int, "of the service"]
    product: Annotated[str, "product in the catalogue"]
    license: Annotated[str, "payg or byol"]
    exchange: Annotated[str, "key"]
    instance: Annotated[int, "ordinal among the service's instances at the exchange"]
    host: Annotated[str, "node that runs it"]
    segments: Annotated[list[ArmEntry], "segments it has an arm in"]
    zones: Annotated[list[ZoneEntry], "names that its own policy uses"]
    default_action: Annotated[str, "allow or deny: what becomes of traffic that no rule is about"]
    rules: Annotated[list[FirewallRuleEntry], "in the order they are tried; linux-firewall only"]
    settings: NotRequired[Annotated[Mapping[str, Any], "of products other than linux-firewall"]]


def section_json(tenant: str, node: str, address: str, kind: str, body: Mapping[str, Any]) -> SectionJson:
    """Return a section with its digest; ``node`` is the tenant's name of the node it is for."""
    return {
        "tenant": tenant,
        "self": node,
        "address": address,
        "kind": kind,
        "digest": content_digest(body),
        "body": body,
    }


def body_version(body: Mapping[str, Any]) -> int:
    """Return the version a section's body is written in; 0 for one from before there were versions."""
    return int(body.get("version", 0))
