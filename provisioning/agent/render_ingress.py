"""What happens to a packet that arrives in a segment's namespace: who sends it, may it do so, and which node decides?

Every packet gets its mark here; only what is decided on this node is tracked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV6, AddressFamily, AddressRanges, nft_interval
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.nft_table_builder import NftTableBuilder
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment
from provisioning.agent.render_connector_edge import neighbour_discovery_rules
from provisioning.agent.render_namespace import APPLICATIONS_VETH, in_family
from provisioning.core.node_document import ImportedMemberEntry, MemberEntry
from provisioning.core.values.addresses import Range, merge_ranges, parse_range, parse_ranges
from provisioning.core.values.counter_key import CounterKey

MATCH_ACTION = f"meta mark and {fwmarks.ACTION_MASK:#x}"

AnchorSource = tuple[int, str, int]
"""What the anchor of a packet depends on: (anchor class, exchange, number of an overlapping source). An imported member
has no exchange here: it leaves through none of our internet exits."""


def add_ingress_chains(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    """Write the chain ``arrive`` and those that it leads to."""
    segment = table.segment
    _declare_sets(table, mark_allocation)
    to_app = _application_reply_rules(table)
    apps = (f'iifname "{APPLICATIONS_VETH}" goto arrive_app',) if segment.apps else ()
    peers = (
        ("iifname @deciding_peers goto arrive_decided", "iifname @peers goto arrive_imported")
        if segment.peer_segment_interfaces
        else ()
    )
    table.chains["arrive"] = (
        "type filter hook prerouting priority -310; policy drop;",
        (
            f'iifname "{fwmarks.MESH_BRIDGE}" goto arrive_mesh',
            'iifname "lo" accept',
            *neighbour_discovery_rules(segment.families),
            f"meta nfproto != {_nfproto_match(segment)} drop",
            "meta nfproto . meta l4proto { ipv4 . ipv6-icmp, ipv6 . icmp } drop",
            "iifname @exits goto arrive_exit",
            *apps,
            *peers,
            *(
                f"{family.ip} daddr @own{family.suffix} {family.icmp} type echo-request notrack accept"
                for family in segment.families
            ),
            "meta mark set 0x0",
            *table.per_family("meta mark set iifname . {ip} saddr map @ingress{suffix}"),
            "meta mark 0x0 counter name iifname map @spoofed",
            "meta mark 0x0 drop",
            *(policer for circuit in segment.site_circuits if circuit.rate for policer in _policer_rules(circuit)),
            "counter name iifname map @received",
            *table.filtered_routes(
                "iifname . {ip} daddr @filtered{suffix} "
                f"counter name {_unrouted_counter(table)} reject with icmpx no-route"
            ),
            *(_deciding_peer_rules(table) if segment.deciding_peers else ()),
            "goto to_anchor",
        ),
    )
    table.chains["to_anchor"] = ("", tuple(_anchor_rules(table)))
    table.chains["track"] = ("", (*to_app, "accept"))
    table.chains["arrive_mesh"] = (
        "",
        (
            f"{MATCH_ACTION} {fwmarks.TO_ANCHOR:#x} meta mark set meta mark << 16",
            f"meta mark and {fwmarks.ACTION_MASK << 16:#x} {fwmarks.TO_ANCHOR << 16:#x} "
            f"meta mark set meta mark and {fwmarks.OVERLAPPING_SOURCE_MASK:#x} or {fwmarks.DECIDE:#x}",
            f"{MATCH_ACTION} {fwmarks.DECIDE:#x} goto track",
            f"meta mark {fwmarks.STANDBY:#x} notrack accept",
            f"meta mark set {fwmarks.DELIVER:#x}",
            "meta mark set ether saddr map @returning",
            f"meta mark {fwmarks.DELIVER:#x} notrack",
            "accept",
        ),
    )
    table.chains["arrive_exit"] = (
        "",
        (
            "meta nfproto != ipv4 drop",
            "ip saddr @inside drop",
            "counter name iifname map @received",
            f"meta mark set {fwmarks.DECIDE:#x} accept",
        ),
    )
    if segment.apps:
        # Translated: to the target, or back to a client, as the reply of the connection that was decided here.
        table.chains["arrive_app"] = (
            "",
            (
                f"ip daddr @inside meta mark set {fwmarks.DELIVER:#x} notrack accept",
                f"meta mark set {fwmarks.DECIDE:#x} accept",
            ),
        )
    if segment.peer_segment_interfaces:
        _add_peer_segment_chains(table)


def _nfproto_match(segment: ParsedSegment) -> str:
    return "{ ipv4, ipv6 }" if IPV6 in segment.families else "ipv4"


def _anchor_rules(table: NftTableBuilder) -> Iterator[str]:
    """Yield the way to the anchor of the pair. What goes to no member goes to the anchor of the exit, unless no host on
    the internet can have the address."""
    unrouted = _unrouted_counter(table)
    jumps = (f"{MATCH_ACTION} {fwmarks.TO_ANCHOR:#x} notrack accept", f"{MATCH_ACTION} {fwmarks.DECIDE:#x} goto track")
    yield from table.per_family("meta mark set meta mark . {ip} daddr map @anchor{suffix}")
    yield from jumps
    if table.segment.body["bogons"]:
        yield f"ip daddr @bogons counter name {unrouted} reject with icmpx no-route"
    yield "meta nfproto ipv4 meta mark set meta mark map @internet"
    yield from jumps
    yield f"counter name {unrouted} reject with icmpx no-route"


def _unrouted_counter(table: NftTableBuilder) -> str:
    return table.counter(CounterKey(f"no-route/{table.segment.name}"), packets_only=True)


# -- peer segments -----------------------------------------------------------------------------------------------------


def _deciding_peer_rules(table: NftTableBuilder) -> Iterator[str]:
    """Yield rules for flows to members of a segment that decides about them: over to its namespace on this node."""
    exported = parse_ranges(text for peer in table.segment.deciding_peers for text in peer["ranges"])
    table.declare_address_sets("handed_over", exported)
    yield from table.per_family(
        f"{{ip}} daddr @handed_over{{suffix}} meta mark set {fwmarks.DELIVER:#x} notrack accept"
    )


def _add_peer_segment_chains(table: NftTableBuilder) -> None:
    """From deciding segments come packets that were decided there; from other peers packets to be decided here."""
    errors = tuple(
        f"{family.ip} saddr {in_family(fwmarks.MESH_PREFIX, family)} meta l4proto {family.icmp} "
        f"meta mark set {fwmarks.DELIVER:#x} notrack accept"
        for family in table.segment.families
    )
    table.chains["arrive_decided"] = (
        "",
        (
            *errors,
            *table.per_family(
                f"iifname . {{ip}} saddr @decided{{suffix}} meta mark set {fwmarks.DELIVER:#x} notrack accept"
            ),
            "drop",
        ),
    )
    table.chains["arrive_imported"] = (
        "",
        (
            *errors,
            "meta mark set 0x0",
            *table.per_family("meta mark set iifname . {ip} saddr map @ingress{suffix}"),
            "meta mark 0x0 drop",
            "goto to_anchor",
        ),
    )


# -- sets --------------------------------------------------------------------------------------------------------------


def _declare_sets(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    sources, ingress = _number_sources(table.segment, mark_allocation)
    _declare_source_maps(table, sources, ingress)
    _declare_interface_addresses(table)
    _declare_peer_sets(table)
    _declare_arrival_counters(table)
    segment = table.segment
    table.declare_set("internet", "map { type mark : mark; }", _exit_marks(segment, sources))
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
    interfaces = {other: interface for interface, other in segment.peer_segment_interfaces.items()}
    decided = [
        (interfaces[peer["segment"]], pair) for peer in segment.deciding_peers for pair in parse_ranges(peer["ranges"])
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
        if segment.peer_segment_interfaces:
            _declare_interface_set(table, "decided", family, decided)
        if filtered:
            _declare_interface_set(table, "filtered", family, filtered)


def _declare_interface_set(
    table: NftTableBuilder, name: str, family: AddressFamily, rows: Iterable[tuple[str, Range]]
) -> None:
    table.declare_set(
        f"{name}{family.suffix}",
        f"set {{ type ifname . {family.address}; flags interval; }}",
        (f'"{interface}" . {nft_interval(pair)}' for interface, pair in rows if family.select((pair,))),
    )


def _declare_peer_sets(table: NftTableBuilder) -> None:
    """Declare the interfaces towards peer segments, and those of them towards segments that decide."""
    segment = table.segment
    if not segment.peer_segment_interfaces:
        return
    deciding = {peer["segment"] for peer in segment.deciding_peers}
    interfaces = segment.peer_segment_interfaces.items()
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

    for circuit in segment.site_circuits:
        for member in segment.members_of.get(circuit.connector, ()):
            for pair in parse_ranges(member["ranges"]):
                add(circuit.segment_interface, pair, (member["anchor_class"], member["exchange"], 0))
            number = mark_allocation.overlapping_sources.get(segment.source_key(member), 0)
            for pair, owner in segment.sources_owned_by_others(member):
                add(circuit.segment_interface, pair, (owner["anchor_class"], member["exchange"], number))
    interfaces = {other: interface for interface, other in segment.peer_segment_interfaces.items()}
    for imported in segment.imported_members:
        for pair in parse_ranges(imported["ranges"]):
            add(interfaces[imported["segment"]], pair, (imported["anchor_class"], "", 0))
    return sources, ingress


def _anchor_marks(segment: ParsedSegment, sources: Mapping[AnchorSource, int]) -> Iterator[tuple[int, Range, int]]:
    """Yield (number of a source, destination range, mark that takes to the anchor of the two)."""
    own = _ranges_by_class(segment.members)
    all_members = _ranges_by_class((*segment.members, *segment.imported_members))
    for (anchor_class, exchange, overlapping_source), number in sources.items():
        by_anchor: dict[str, list[Range]] = {}
        # Imported members reach our own only: shares are not transitive.
        for other, ranges in (all_members if exchange else own).items():
            low, high = sorted((anchor_class, other))
            by_anchor.setdefault(segment.body["anchors"][f"{low}.{high}"], []).extend(ranges)
        for app in segment.body["apps"] if exchange else ():
            if app["source_nat"]:
                by_anchor.setdefault(app["home"], []).append(parse_range(app["source_nat"]))
        for node, destinations in sorted(by_anchor.items()):
            for pair in merge_ranges(destinations):
                yield number, pair, _anchor_mark(segment, node) | overlapping_source << 16


def _ranges_by_class(members: Iterable[MemberEntry | ImportedMemberEntry]) -> dict[int, AddressRanges]:
    texts: dict[int, list[str]] = {}
    for member in members:
        texts.setdefault(member["anchor_class"], []).extend(member["ranges"])
    return {anchor_class: parse_ranges(ranges) for anchor_class, ranges in texts.items()}


def _exit_marks(segment: ParsedSegment, sources: Mapping[AnchorSource, int]) -> list[str]:
    exits = segment.body["exits"]
    return [
        f"{number:#x} : {_anchor_mark(segment, exits[exchange]['home']) | overlapping_source << 16:#x}"
        for (_, exchange, overlapping_source), number in sources.items()
        if exchange in exits
    ]


def _anchor_mark(segment: ParsedSegment, node: str) -> int:
    return fwmarks.DECIDE if node == segment.node else fwmarks.TO_ANCHOR | segment.nodes[node]["index"]


def _application_reply_rules(table: NftTableBuilder) -> Sequence[str]:
    """Return rules by which replies of applications' targets are translated before they are tracked."""
    apps = table.segment.apps
    hidden = sorted({app["source_nat"] for app in apps if app["source_nat"]})
    visible = {
        f"{target} . {app['protocol']} . {app['target_port']}"
        for app in apps
        if not app["source_nat"]
        for target in app["targets"]
    }
    rules = []
    if hidden:
        rules.append(f"ip daddr {{ {', '.join(hidden)} }} meta mark set {fwmarks.TO_APPLICATION:#x} notrack accept")
    if visible:
        answers = f"ip saddr . meta l4proto . th sport {{ {', '.join(sorted(visible))} }}"
        rules.append(f"{answers} ip daddr != @inside meta mark set {fwmarks.TO_APPLICATION:#x} notrack accept")
    return rules


def _policer_rules(circuit: ParsedCircuit) -> Iterable[str]:
    """Yield the policer of a connector's size. What leaves to the site is shaped by the queue on the link instead."""
    rate = circuit.rate // 8
    burst = max(rate // 10, 131072)
    yield f'iifname "{circuit.segment_interface}" limit rate over {rate} bytes/second burst {burst} bytes drop'
