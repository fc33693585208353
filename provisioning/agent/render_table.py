"""A segment's nftables table: what arrives, where it is decided, what leaves, and what is counted.

The chains in the order a packet meets them: arrive (render_ingress.py), decide and steer (on the anchor only), clamp,
leave (forward), sent (counters).
"""

from __future__ import annotations

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV4, IPV6, AddressRanges, nft_interval
from provisioning.agent.connection_labels import names_dscp, remember_dscp_rules
from provisioning.agent.desired import NftTable
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.nft_matches import MATCH_ACTION
from provisioning.agent.nft_table_builder import NftTableBuilder
from provisioning.agent.parsed_segment import ETHERNET_MTU, ParsedCircuit, ParsedSegment
from provisioning.agent.render_decision import DecisionChains
from provisioning.agent.render_ingress import add_ingress_chains
from provisioning.agent.render_namespace import APPLICATIONS_VETH, egress_interfaces, in_family
from provisioning.core.values.addresses import parse_ranges
from provisioning.core.values.counter_key import CounterKey


def segment_table(segment: ParsedSegment, decision: DecisionChains, mark_allocation: MarkAllocation) -> NftTable:
    """Return the table. ``mark_allocation`` must hold numbers for the decision's chains, instances and overlapping
    sources."""
    table = NftTableBuilder(segment, decision)
    add_ingress_chains(table, mark_allocation)
    _add_decide_chains(table, mark_allocation)
    _add_forward_chains(table)
    _add_egress_chains(table)
    return table.rules(decision.chains(mark_allocation))


# -- decide ------------------------------------------------------------------------------------------------------------


def _add_decide_chains(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    segment = table.segment
    current = f"ct mark and {fwmarks.GENERATION_MASK:#x} {mark_allocation.generation << 24:#x}"
    from_instance = f"{MATCH_ACTION} {fwmarks.FROM_INSTANCE:#x}"
    label_sources = [
        f"ct direction original meta mark and {fwmarks.OVERLAPPING_SOURCE_MASK:#x} "
        f"{mark_allocation.overlapping_sources[name] << 16:#x} "
        f"ct label set {mark_allocation.overlapping_sources[name]}"
        for name in sorted(segment.overlapping_sources)
    ]
    table.chains["decide"] = (
        "type filter hook prerouting priority mangle; policy accept;",
        (
            f"{MATCH_ACTION} != {{ {fwmarks.DECIDE:#x}, {fwmarks.FROM_INSTANCE:#x} }} accept",
            "ct state related goto deliver",
            "ct state invalid drop",
            *label_sources,
            f"{current} goto steer",
            *_remember_dscp(table),
            f"{from_instance} ct mark 0x0 drop",
            # The middle of a connection that another anchor decided is taken up only from the side that began it, which
            # its ephemeral port shows (32768 and up); the other side's packet waits to be sent again.
            "ct mark 0x0 meta l4proto tcp tcp flags & (syn | rst) == 0x0 th sport < 32768 th dport >= 32768 drop",
            "goto rules",
        ),
    )
    _add_deliver_chain(table, mark_allocation)
    table.chains["refuse"] = ("", (f"meta mark set {fwmarks.REFUSED:#x} accept",))


def _add_deliver_chain(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    """Write where allowed packets go: inside, to an application, or to the sender's exit."""
    segment = table.segment
    exits = {circuit.connector: fwmarks.TO_EXIT | number for number, circuit in enumerate(segment.exits, start=1)}
    connectors = {member["id"]: member["connector"] for member in segment.members}
    exit_marks = {
        exit_: exits[connector]
        for exit_, connector in connectors.items()
        if connector in exits and segment.exit_home(exit_) == segment.node
    }
    leaving = {
        nft_interval(pair): exit_marks[exit_]
        for exit_, ranges in _ranges_by_exit(segment).items()
        if exit_ in exit_marks
        for pair in ranges
    }
    answering = {app["public"]: exits[name] for app in segment.apps if (name := connectors[app["exit"]]) in exits}
    table.declare_set(
        "leaving",
        "map { type ipv4_addr : mark; flags interval; }",
        (f"{text} : {mark:#x}" for text, mark in {**leaving, **answering}.items()),
    )
    by_label = [
        f"ct direction original ct label {mark_allocation.overlapping_sources[name]} meta mark set "
        f"{exit_marks[exit_]:#x} accept"
        for name, exit_ in _exits_of_overlapping_sources(segment).items()
        if exit_ in exit_marks
    ]
    to_apps = [f"ip daddr {public} meta mark set {fwmarks.TO_APPLICATION:#x} accept" for public in sorted(answering)]
    table.chains["deliver"] = (
        "",
        (
            *table.per_family(f"{{ip}} daddr @inside{{suffix}} meta mark set {fwmarks.DELIVER:#x} accept"),
            *to_apps,
            *by_label,
            "meta mark set ip saddr map @leaving",
            f"{MATCH_ACTION} {fwmarks.TO_EXIT:#x} accept",
            "drop",
        ),
    )


def _remember_dscp(table: NftTableBuilder) -> list[str]:
    """Return the jump to a chain that writes down the DSCP of first packets, where rules name one."""
    body = table.segment.body
    if not any(map(names_dscp, (body["rules"], *(peer["rules"] for peer in body["peer_rules"].values())))):
        return []
    table.chains["remember_dscp"] = ("", tuple(remember_dscp_rules(table.segment.families)))
    return ["jump remember_dscp"]


def _ranges_by_exit(segment: ParsedSegment) -> dict[int, AddressRanges]:
    texts: dict[int, list[str]] = {}
    for member in segment.leaving_members:
        texts.setdefault(segment.exit_of(member), []).extend(member["ranges"])
    return {exit_: IPV4.select(parse_ranges(ranges)) for exit_, ranges in texts.items()}


def _exits_of_overlapping_sources(segment: ParsedSegment) -> dict[str, int]:
    exits = {}
    for member in segment.members:
        if (name := segment.source_name(member)) in segment.overlapping_sources:
            exits[name] = segment.exit_of(member)
    return exits


# -- out ---------------------------------------------------------------------------------------------------------------


def _add_forward_chains(table: NftTableBuilder) -> None:
    segment = table.segment
    narrow = [circuit for circuit in segment.circuits if circuit.mtu < ETHERNET_MTU]
    table.chains["clamp"] = (
        "type filter hook forward priority mangle; policy accept;",
        (
            *(_mss_clamp(circuit, circuit.mtu - 40) for circuit in narrow),
            *(
                f"meta nfproto ipv6 {_mss_clamp(circuit, circuit.mtu - 60)}"
                for circuit in narrow
                if not circuit.is_exit and IPV6 in segment.families
            ),
            "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
        ),
    )
    table.chains["leave"] = (
        "type filter hook forward priority filter; policy drop;",
        (
            f"{MATCH_ACTION} {{ {fwmarks.TO_ANCHOR:#x}, {fwmarks.TO_INSTANCE:#x} }} "
            f'oifname "{fwmarks.MESH_BRIDGE}" accept',
            *table.filtered_routes("oifname . {ip} saddr @filtered{suffix} drop"),
            f"meta mark {{ {fwmarks.DELIVER:#x}, {fwmarks.STANDBY:#x} }} oifname != @exits accept",
            f"{MATCH_ACTION} {fwmarks.TO_EXIT:#x} oifname @exits accept",
            *(f'meta mark {mark:#x} oifname "{peer}" accept' for mark, peer in egress_interfaces(segment).items()),
            *((f'meta mark {fwmarks.TO_APPLICATION:#x} oifname "{APPLICATIONS_VETH}" accept',) if segment.apps else ()),
            f"meta mark {fwmarks.REFUSED:#x} meta l4proto tcp reject with tcp reset",
        ),
    )
    echo = tuple(f"{family.icmp} type echo-request accept" for family in segment.families)
    neighbour_discovery = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
    table.chains["input"] = (
        "type filter hook input priority filter; policy drop;",
        ('iifname "lo" accept', *echo, *((neighbour_discovery,) if IPV6 in segment.families else ())),
    )
    table.chains["output"] = (
        "type route hook output priority mangle; policy accept;",
        (
            *table.per_family(f"{{ip}} daddr @inside{{suffix}} meta mark set {fwmarks.DELIVER:#x} accept"),
            "meta mark set ip saddr map @leaving",
        ),
    )


def _mss_clamp(circuit: ParsedCircuit, size: int) -> str:
    """Return a rule that lowers the MSS of connections from a circuit to what fits through it (RFC 9293, 3.7.1)."""
    return (
        f'iifname "{circuit.segment_interface}" tcp flags & (syn | rst) == syn '
        f"tcp option maxseg size > {size} tcp option maxseg size set {size}"
    )


def _add_egress_chains(table: NftTableBuilder) -> None:
    segment, name = table.segment, table.segment.name
    homed = [member for member in segment.members if member["home"] == segment.node]
    table.declare_address_sets("home", parse_ranges(text for member in homed for text in member["ranges"]))
    sent = {
        f'"{circuit.segment_interface}"': table.counter(CounterKey(f"connector/{circuit.connector}", name, "out"))
        for circuit in segment.circuits
    }
    table.declare_counter_map("departed", "ifname", sent)
    exchange = segment.exchange_of(segment.node)
    mesh: dict[int, str] = {}
    inspected: dict[int, str] = {}
    for node, peer in segment.nodes.items():
        if segment.exchange_of(node) != exchange:
            mesh[peer["index"]] = table.counter(_mesh_key(segment, node))
    for service, instance in segment.instances:
        inspected[instance["index"]] = table.counter(CounterKey(f"service/{service}", name))
        if segment.exchange_of(instance["host"]) != exchange:
            mesh[instance["index"]] = table.counter(_mesh_key(segment, instance["host"]))
    for family in segment.families:
        for kind, counters in (("meshed", mesh), ("inspected", inspected)):
            by_address = {
                in_family(fwmarks.mesh_address(index), family): counter for index, counter in counters.items()
            }
            table.declare_counter_map(f"{kind}{family.suffix}", family.address, by_address)
    # Neighbour discovery on circuits is nobody's traffic.
    neighbour_discovery = ("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",)
    table.chains["sent"] = (
        "type filter hook postrouting priority filter; policy accept;",
        (
            *(neighbour_discovery if IPV6 in segment.families else ()),
            f'oifname != "{fwmarks.MESH_BRIDGE}" counter name oifname map @departed',
            f'oifname != "{fwmarks.MESH_BRIDGE}" accept',
            *table.per_family(
                f"meta mark {fwmarks.DELIVER:#x} {{ip}} daddr @home{{suffix}} meta mark set {fwmarks.STANDBY:#x}"
            ),
            # The anchor's number was for this node's routing; the anchor itself has to know the overlapping source.
            f"{MATCH_ACTION} {fwmarks.TO_ANCHOR:#x} meta mark set meta mark >> 16 or {fwmarks.TO_ANCHOR:#x}",
            *table.per_family("counter name rt {ip} nexthop map @meshed{suffix}"),
            *table.per_family("counter name rt {ip} nexthop map @inspected{suffix}"),
        ),
    )


def _mesh_key(segment: ParsedSegment, node: str) -> CounterKey:
    return CounterKey(f"mesh/{segment.exchange_of(node)}", segment.name, "out")
