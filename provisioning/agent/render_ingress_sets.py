"""The sets and maps that arriving packets are looked up in: who may send from where, and which node decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from provisioning.agent import fwmarks
from provisioning.agent.address_families import AddressFamily, AddressRanges, nft_interval
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.nft_table_builder import NftTableBuilder
from provisioning.agent.parsed_segment import ParsedSegment, hidden_sources
from provisioning.agent.render_namespace import egress_interfaces, in_family
from provisioning.core.node_document import ImportedMemberEntry, MemberEntry
from provisioning.core.values.addresses import Range, merge_ranges, parse_range, parse_ranges
from provisioning.core.values.counter_key import CounterKey


class AnchorSource(NamedTuple):
    """What the anchor of a packet depends on. exit: id of the internet exit it leaves by; 0: by none of ours. peer: the
    number of the other segment (see ``egress_peers``, from 1) by whose exits it leaves instead."""

    anchor_class: int
    exit: int
    overlapping_source: int = 0
    is_imported: bool = False
    peer: int = 0


def declare_ingress_sets(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    """Declare every set and map that the chains of render_ingress.py look into."""
    sources, ingress = _number_sources(table.segment, mark_allocation)
    _declare_source_maps(table, sources, ingress)
    _declare_interface_addresses(table)
    _declare_peer_sets(table)
    _declare_arrival_counters(table)
    segment = table.segment
    table.declare_set("internet", "map { type mark : mark; }", _exit_marks(segment, sources))
    if segment.hairpin_apps:
        key = "mark . ipv4_addr . inet_proto . inet_service"
        table.declare_set("published", f"map {{ type {key} : mark; }}", _application_marks(segment, sources))
    if bogons := segment.body["bogons"]:
        table.declare_set("bogons", "set { type ipv4_addr; flags interval; }", bogons)
    table.declare_set("exits", "set { type ifname; }", (f'"{circuit.segment_interface}"' for circuit in segment.exits))
    returning = {
        fwmarks.mesh_mac(instance["index"]): fwmarks.FROM_INSTANCE | instance["index"]
        for _, instance in segment.instances
    }
    table.declare_set(
        "returning", "map { type ether_addr : mark; }", (f"{mac} : {mark:#x}" for mac, mark in returning.items())
    )


def _declare_source_maps(
    table: NftTableBuilder, sources: Mapping[AnchorSource, int], ingress: Sequence[tuple[str, Range, int]]
) -> None:
    """Declare who may send from an interface, and the anchor by source and destination."""
    anchors = list(_anchor_marks(table.segment, sources))
    for family in table.segment.families:
        table.declare_set(
            f"ingress{family.suffix}",
            f"map {{ type ifname . {family.address} : mark; flags interval; }}",
            (
                f'"{interface}" . {nft_interval(pair)} : {mark:#x}'
                for interface, pair, mark in ingress
                if family.select((pair,))
            ),
        )
        table.declare_set(
            f"anchor{family.suffix}",
            f"map {{ type mark . {family.address} : mark; flags interval; }}",
            (f"{mark:#x} . {nft_interval(pair)} : {to:#x}" for mark, pair, to in anchors if family.select((pair,))),
        )


def _declare_interface_addresses(table: NftTableBuilder) -> None:
    """Declare our own addresses on circuits, and for each interface what arrives decided or has no route."""
    segment = table.segment
    interfaces = {other: interface for interface, other in segment.other_segment_interfaces.items()}
    decided = [
        (interfaces[peer["segment"]], pair)
        for peer in segment.deciding_peers
        for pair in merge_ranges((*parse_ranges(peer["ranges"]), *parse_ranges(peer.get("internet", ()))))
    ]
    filtered = [
        (circuit.segment_interface, pair)
        for circuit in segment.site_circuits
        for pair in parse_ranges(circuit.link["filtered_routes"])
    ]
    direct = [circuit for circuit in segment.site_circuits if not circuit.has_edge]
    for family in segment.families:
        own = sorted({in_family(circuit.local, family).partition("/")[0] for circuit in direct})
        table.declare_set(f"own{family.suffix}", f"set {{ type {family.address}; }}", own)
        if segment.other_segment_interfaces:
            _declare_interface_set(table, "decided", family, decided)
        if filtered:
            _declare_interface_set(table, "filtered", family, filtered)
        if segment.unanswered:
            pairs = (
                f"{nft_interval(source)} . {nft_interval(destination)}"
                for sources, destinations in segment.unanswered
                for source in family.select(sources)
                for destination in family.select(destinations)
            )
            kind = f"set {{ type {family.address} . {family.address}; flags interval; }}"
            table.declare_set(f"unanswered{family.suffix}", kind, pairs)


def _declare_interface_set(
    table: NftTableBuilder, name: str, family: AddressFamily, rows: Iterable[tuple[str, Range]]
) -> None:
    table.declare_set(
        f"{name}{family.suffix}",
        f"set {{ type ifname . {family.address}; flags interval; }}",
        (f'"{interface}" . {nft_interval(pair)}' for interface, pair in rows if family.select((pair,))),
    )


def _declare_peer_sets(table: NftTableBuilder) -> None:
    """Declare the interfaces towards other segments, and those of them towards segments that decide."""
    segment = table.segment
    if not segment.other_segment_interfaces:
        return
    deciding = {peer["segment"] for peer in segment.deciding_peers}
    interfaces = segment.other_segment_interfaces.items()
    table.declare_set("peers", "set { type ifname; }", (f'"{interface}"' for interface, _ in interfaces))
    table.declare_set(
        "deciding_peers",
        "set { type ifname; }",
        (f'"{interface}"' for interface, other in interfaces if other in deciding),
    )


def _declare_arrival_counters(table: NftTableBuilder) -> None:
    segment, name = table.segment, table.segment.name
    received = {
        f'"{circuit.segment_interface}"': table.counter(CounterKey(f"connector/{circuit.connector}", name, "in"))
        for circuit in segment.circuits
    }
    table.declare_counter_map("received", "ifname", received)
    spoofed = {
        f'"{circuit.segment_interface}"': table.counter(
            CounterKey(f"spoof/{circuit.connector}", name), packets_only=True
        )
        for circuit in segment.site_circuits
    }
    table.declare_counter_map("spoofed", "ifname", spoofed)


def _number_sources(
    segment: ParsedSegment, mark_allocation: MarkAllocation
) -> tuple[dict[AnchorSource, int], list[tuple[str, Range, int]]]:
    """Return a small number for each source that packets here come from, and the spoof filter that finds it:
    (interface, range, number).

    The class is that of the address's owner, also where another member sends from it: so both directions of a flow find
    the same anchor.
    """
    sources: dict[AnchorSource, int] = {}
    ingress: list[tuple[str, Range, int]] = []

    def add(interface: str, pair: Range, source: AnchorSource) -> None:
        ingress.append((interface, pair, sources.setdefault(source, len(sources) + 1)))

    peers = {id_: number for number, peer in enumerate(segment.egress_peers, 1) for id_ in peer["leaving"]}
    for circuit in segment.site_circuits:
        for member in segment.members_of.get(circuit.connector, ()):
            exit_, peer = segment.exit_of(member), peers.get(member["id"], 0)
            for pair in parse_ranges(member["ranges"]):
                add(circuit.segment_interface, pair, AnchorSource(member["anchor_class"], exit_, peer=peer))
            number = mark_allocation.overlapping_sources.get(segment.source_name(member), 0)
            for pair, owner in segment.sources_owned_by_others(member):
                source = AnchorSource(owner["anchor_class"], exit_, number, peer=peer)
                add(circuit.segment_interface, pair, source)
    interfaces = {other: interface for interface, other in segment.other_segment_interfaces.items()}
    for imported in segment.imported_members:
        exit_ = segment.exit_of(imported) if imported.get("internet") else 0
        for pair in parse_ranges(imported["ranges"]):
            source = AnchorSource(imported["anchor_class"], exit_, is_imported=True)
            add(interfaces[imported["segment"]], pair, source)
    return sources, ingress


def _anchor_marks(segment: ParsedSegment, sources: Mapping[AnchorSource, int]) -> Iterator[tuple[int, Range, int]]:
    """Yield (number of a source, destination range, mark that takes to the anchor of the two)."""
    own, egress_marks = _ranges_by_class(segment.members), list(egress_interfaces(segment))
    all_members = _ranges_by_class((*segment.members, *segment.imported_members))
    for source, number in sources.items():
        anchor_class, _, overlapping_source, is_imported, peer = source
        by_anchor: dict[str, list[Range]] = {}
        # Imported members reach our own only: shares are not transitive.
        for other, ranges in (own if is_imported else all_members).items():
            low, high = sorted((anchor_class, other))
            by_anchor.setdefault(segment.body["anchors"][f"{low}.{high}"], []).extend(ranges)
        for app in () if is_imported else segment.body["apps"]:
            by_anchor.setdefault(app["home"], []).extend(map(parse_range, hidden_sources(app)))
        for node, destinations in sorted(by_anchor.items()):
            for pair in merge_ranges(destinations):
                yield number, pair, _anchor_mark(segment, node) | overlapping_source << 16
        for pair in parse_ranges(segment.egress_peers[peer - 1]["internet"]) if peer else ():
            yield number, pair, egress_marks[peer - 1]


def _ranges_by_class(members: Iterable[MemberEntry | ImportedMemberEntry]) -> dict[int, AddressRanges]:
    texts: dict[int, list[str]] = {}
    for member in members:
        texts.setdefault(member["anchor_class"], []).extend(member["ranges"])
    return {anchor_class: parse_ranges(ranges) for anchor_class, ranges in texts.items()}


def _exit_marks(segment: ParsedSegment, sources: Mapping[AnchorSource, int]) -> list[str]:
    return [
        f"{number:#x} : {_anchor_mark(segment, segment.exit_home(source.exit)) | source.overlapping_source << 16:#x}"
        for source, number in sources.items()
        if source.exit
    ]


def _application_marks(segment: ParsedSegment, sources: Mapping[AnchorSource, int]) -> Iterator[str]:
    """Yield the way to the home node of each application that members reach at its public address and port."""
    for source, number in sources.items():
        for app in () if source.is_imported else segment.hairpin_apps:
            mark = _anchor_mark(segment, app["home"]) | source.overlapping_source << 16
            yield f"{number:#x} . {app['public']} . {app['protocol']} . {app['port']} : {mark:#x}"


def _anchor_mark(segment: ParsedSegment, node: str) -> int:
    return fwmarks.DECIDE if node == segment.node else fwmarks.TO_ANCHOR | segment.nodes[node]["index"]
