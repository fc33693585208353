"""What happens to a packet that arrives in a segment's namespace: whose is it, may it be, and which node decides?

Every packet gets its mark here; only what is decided on this node is tracked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioning.agent import fwmarks, ranges
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.nft_table_builder import NftTableBuilder
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment
from provisioning.agent.render_connector_edge import neighbour_discovery_rules
from provisioning.agent.render_namespace import APPLICATIONS_VETH, in_family
from provisioning.core.values.counter_key import CounterKey

MATCH_ACTION = f"meta mark and {fwmarks.ACTION_MASK:#x}"

AnchorSource = tuple[int, str, int]
"""What the anchor of a packet depends on: (class, exchange, speaker); a guest has no exchange, it never goes out."""


def add_ingress_chains(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    """The chain ``arrive`` and those that it leads to."""
    segment = table.segment
    _declare_sets(table, mark_allocation)
    to_app = _application_reply_rules(table)
    apps = (f'iifname "{APPLICATIONS_VETH}" goto arrive_app',) if segment.apps else ()
    peer_segment_interfaces = (
        ("iifname @hosts goto arrive_host", "iifname @wires goto arrive_guest")
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
            *peer_segment_interfaces,
            *(
                f"{family.ip} daddr @own{family.suffix} {family.icmp} type echo-request notrack accept"
                for family in segment.families
            ),
            "meta mark set 0x0",
            *table.per_family("meta mark set iifname . {ip} saddr map @ingress{suffix}"),
            "meta mark 0x0 counter name iifname map @spoofed",
            "meta mark 0x0 drop",
            *(policer for c in segment.site_circuits if c.rate for policer in _policer_rules(c)),
            "counter name iifname map @received",
            *table.filtered_routes(
                "iifname . {ip} daddr @blind{suffix} "
                f"counter name {_unrouted_counter(table)} reject with icmpx no-route"
            ),
            *(_peer_segment_rules(table) if segment.exported else ()),
            "goto towards",
        ),
    )
    table.chains["towards"] = ("", tuple(_anchor_rules(table)))
    table.chains["here"] = ("", (*to_app, "accept"))
    table.chains["arrive_mesh"] = (
        "",
        (
            f"{MATCH_ACTION} {fwmarks.TO_ANCHOR:#x} meta mark set meta mark << 16",
            f"meta mark and {fwmarks.ACTION_MASK << 16:#x} {fwmarks.TO_ANCHOR << 16:#x} "
            f"meta mark set meta mark and {fwmarks.OVERLAPPING_SOURCE_MASK:#x} or {fwmarks.DECIDE:#x}",
            f"{MATCH_ACTION} {fwmarks.DECIDE:#x} goto here",
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
    return "{ ipv4, ipv6 }" if ranges.IPV6 in segment.families else "ipv4"


def _anchor_rules(table: NftTableBuilder) -> Iterator[str]:
    """To the anchor of the pair; what goes to no member goes to the anchor of the exit, unless nobody beyond it can
    have the address."""
    unrouted = _unrouted_counter(table)
    found = (f"{MATCH_ACTION} {fwmarks.TO_ANCHOR:#x} notrack accept", f"{MATCH_ACTION} {fwmarks.DECIDE:#x} goto here")
    yield from table.per_family("meta mark set meta mark . {ip} daddr map @anchor{suffix}")
    yield from found
    if table.segment.body.get("private"):
        yield f"ip daddr @private counter name {unrouted} reject with icmpx no-route"
    yield "meta nfproto ipv4 meta mark set meta mark map @internet"
    yield from found
    yield f"counter name {unrouted} reject with icmpx no-route"


def _unrouted_counter(table: NftTableBuilder) -> str:
    return table.counter(CounterKey(f"no-route/{table.segment.name}"), packets_only=True)


# -- wires to other segments -------------------------------------------------------------------------------------------


def _peer_segment_rules(table: NftTableBuilder) -> Iterator[str]:
    """Flows to members of a segment that decides about them: over to its namespace on this node."""
    handed = ranges.parse_union(text for host in table.segment.exported for text in host["ranges"])
    table.declare_address_sets("handed", handed)
    yield from table.per_family(f"{{ip}} daddr @handed{{suffix}} meta mark set {fwmarks.DELIVER:#x} notrack accept")


def _add_peer_segment_chains(table: NftTableBuilder) -> None:
    """From hosts come packets that were decided there; from guests' segments packets to be decided."""
    errors = tuple(
        f"{family.ip} saddr {in_family(fwmarks.MESH_PREFIX, family)} meta l4proto {family.icmp} "
        f"meta mark set {fwmarks.DELIVER:#x} notrack accept"
        for family in table.segment.families
    )
    table.chains["arrive_host"] = (
        "",
        (
            *errors,
            *table.per_family(
                f"iifname . {{ip}} saddr @decided{{suffix}} meta mark set {fwmarks.DELIVER:#x} notrack accept"
            ),
            "drop",
        ),
    )
    table.chains["arrive_guest"] = (
        "",
        (
            *errors,
            "meta mark set 0x0",
            *table.per_family("meta mark set iifname . {ip} saddr map @ingress{suffix}"),
            "meta mark 0x0 drop",
            "goto towards",
        ),
    )


# -- sets --------------------------------------------------------------------------------------------------------------


def _declare_sets(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    segment, name = table.segment, table.segment.name
    sources, ingress = _number_sources(segment, mark_allocation)
    hosts = {other: interface for interface, other in segment.peer_segment_interfaces.items()}
    decided = [
        (hosts[host["segment"]], span) for host in segment.exported for span in ranges.parse_union(host["ranges"])
    ]
    anchors = list(_anchor_marks(segment, sources))
    filtered_routes = [
        (c.segment_interface, span)
        for c in segment.site_circuits
        for span in ranges.parse_union(c.link.get("blind") or ())
    ]
    direct = [circuit for circuit in segment.site_circuits if not circuit.has_edge]
    for family in segment.families:
        here, address = family.suffix, family.address
        table.declare_set(
            f"ingress{here}",
            f"map {{ type ifname . {address} : mark; flags interval; }}",
            (
                f'"{segment_interface}" . {ranges.range_text(span)} : {mark:#x}'
                for segment_interface, span, mark in ingress
                if family.select((span,))
            ),
        )
        table.declare_set(
            f"anchor{here}",
            f"map {{ type mark . {address} : mark; flags interval; }}",
            (
                f"{mark:#x} . {ranges.range_text(span)} : {to:#x}"
                for mark, span, to in anchors
                if family.select((span,))
            ),
        )
        own = sorted({in_family(circuit.local, family).partition("/")[0] for circuit in direct})
        table.declare_set(f"own{here}", f"set {{ type {address}; }}", own)
        for kind, rows in (("decided", decided), ("blind", filtered_routes)):
            if rows:
                texts = [
                    f'"{segment_interface}" . {ranges.range_text(span)}'
                    for segment_interface, span in rows
                    if family.select((span,))
                ]
                table.declare_set(f"{kind}{here}", f"set {{ type ifname . {address}; flags interval; }}", texts)
            elif kind == "decided" and segment.peer_segment_interfaces:
                table.declare_set(f"{kind}{here}", f"set {{ type ifname . {address}; flags interval; }}", ())
    table.declare_set("internet", "map { type mark : mark; }", _exit_marks(segment, sources))
    if private := segment.body.get("private"):
        table.declare_set("private", "set { type ipv4_addr; flags interval; }", private)
    table.declare_set("exits", "set { type ifname; }", (f'"{c.segment_interface}"' for c in segment.exits))
    if segment.peer_segment_interfaces:
        deciding = {host["segment"] for host in segment.exported}
        table.declare_set(
            "wires",
            "set { type ifname; }",
            (f'"{segment_interface}"' for segment_interface in segment.peer_segment_interfaces),
        )
        table.declare_set(
            "hosts",
            "set { type ifname; }",
            (f'"{w}"' for w, other in segment.peer_segment_interfaces.items() if other in deciding),
        )
    returning = {fwmarks.mesh_mac(i["index"]): fwmarks.FROM_INSTANCE | i["index"] for _, i in segment.instances}
    table.declare_set(
        "returning", "map { type ether_addr : mark; }", (f"{mac} : {mark:#x}" for mac, mark in returning.items())
    )
    received = {
        f'"{c.segment_interface}"': table.counter(CounterKey(f"connector/{c.connector}", name, "in"))
        for c in segment.circuits
    }
    table.declare_counter_map("received", "ifname", received)
    spoofed = {
        f'"{c.segment_interface}"': table.counter(CounterKey(f"spoof/{c.connector}", name), packets_only=True)
        for c in segment.site_circuits
    }
    table.declare_counter_map("spoofed", "ifname", spoofed)


def _number_sources(
    segment: ParsedSegment, mark_allocation: MarkAllocation
) -> tuple[dict[AnchorSource, int], list[tuple[str, ranges.AddressRange, int]]]:
    """A small number for each source that packets here come from, and the spoof filter that finds it.

    The class is that of the address's owner, also where another member speaks: so both directions of a flow find the
    same anchor.
    """
    sources: dict[AnchorSource, int] = {}
    elements: list[tuple[str, ranges.AddressRange, int]] = []

    def add(interface: str, span: ranges.AddressRange, source: AnchorSource) -> None:
        elements.append((interface, span, sources.setdefault(source, len(sources) + 1)))

    for circuit in segment.site_circuits:
        for member in segment.members_of.get(circuit.connector, ()):
            for span in ranges.parse_union(member["ranges"]):
                add(circuit.segment_interface, span, (member["class"], member["exchange"], 0))
            number = mark_allocation.overlapping_sources.get(segment.overlapping_source(member), 0)
            for span, owner in segment.sources_owned_by_others(member):
                add(circuit.segment_interface, span, (owner["class"], member["exchange"], number))
    interfaces = {other: interface for interface, other in segment.peer_segment_interfaces.items()}
    for guest in segment.imported_members:
        for span in ranges.parse_union(guest["ranges"]):
            add(interfaces[guest["segment"]], span, (guest["class"], "", 0))
    return sources, elements


def _anchor_marks(
    segment: ParsedSegment, sources: Mapping[AnchorSource, int]
) -> Iterator[tuple[int, ranges.AddressRange, int]]:
    by_class = _ranges_by_class(segment.members), _ranges_by_class((*segment.members, *segment.imported_members))
    for (klass, exchange, overlapping_source), number in sources.items():
        towards: dict[str, list[ranges.AddressRange]] = {}
        for other, spans in by_class[bool(exchange)].items():
            low, high = sorted((klass, other))
            towards.setdefault(segment.body["anchors"][f"{low}.{high}"], []).extend(spans)
        for app in segment.body.get("apps", ()) if exchange else ():
            if app["source_nat"]:
                towards.setdefault(app["home"], []).append(ranges.parse_range(app["source_nat"]))
        for node, found in sorted(towards.items()):
            for span in ranges.merge(found):
                yield number, span, _anchor_mark(segment, node) | overlapping_source << 16


def _ranges_by_class(members: Iterable[Mapping[str, Any]]) -> dict[int, ranges.AddressRanges]:
    texts: dict[int, list[str]] = {}
    for member in members:
        texts.setdefault(member["class"], []).extend(member["ranges"])
    return {klass: ranges.parse_union(found) for klass, found in texts.items()}


def _exit_marks(segment: ParsedSegment, sources: Mapping[AnchorSource, int]) -> list[str]:
    exits = segment.body.get("exits", {})
    return [
        f"{number:#x} : {_anchor_mark(segment, exits[exchange]['home']) | overlapping_source << 16:#x}"
        for (_, exchange, overlapping_source), number in sources.items()
        if exchange in exits
    ]


def _anchor_mark(segment: ParsedSegment, node: str) -> int:
    return fwmarks.DECIDE if node == segment.node else fwmarks.TO_ANCHOR | int(segment.nodes[node]["index"])


def _application_reply_rules(table: NftTableBuilder) -> Sequence[str]:
    """Replies of applications' targets are translated before they are tracked."""
    apps = table.segment.apps
    hidden = sorted({app["source_nat"] for app in apps if app["source_nat"]})
    open_ = {
        f"{target} . {app['protocol']} . {app['target_port']}"
        for app in apps
        if not app["source_nat"]
        for target in app["targets"]
    }
    lines = []
    if hidden:
        lines.append(f"ip daddr {{ {', '.join(hidden)} }} meta mark set {fwmarks.TO_APPLICATION:#x} notrack accept")
    if open_:
        answers = f"ip saddr . meta l4proto . th sport {{ {', '.join(sorted(open_))} }}"
        lines.append(f"{answers} ip daddr != @inside meta mark set {fwmarks.TO_APPLICATION:#x} notrack accept")
    return lines


def _policer_rules(circuit: ParsedCircuit) -> Iterable[str]:
    """Towards the exchange a connector's size is policed; what leaves to it is shaped by the queue on the link."""
    rate = circuit.rate // 8
    burst = max(rate // 10, 131072)
    yield f'iifname "{circuit.segment_interface}" limit rate over {rate} bytes/second burst {burst} bytes drop'
