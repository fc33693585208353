"""What happens to a packet that arrives in a segment's namespace: who sends it, may it do so, and which node decides?

Every packet gets its mark here; only what is decided on this node is tracked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV6
from provisioning.agent.mark_allocation import MarkAllocation
from provisioning.agent.nft_matches import MATCH_ACTION
from provisioning.agent.nft_table_builder import NftTableBuilder
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment, hidden_sources
from provisioning.agent.render_connector_edge import neighbour_discovery_rules
from provisioning.agent.render_ingress_sets import declare_ingress_sets
from provisioning.agent.render_namespace import APPLICATIONS_VETH, in_family
from provisioning.core.values.addresses import parse_ranges
from provisioning.core.values.counter_key import CounterKey
from provisioning.core.values.exchange_numbers import MESH_PREFIX


def add_ingress_chains(table: NftTableBuilder, mark_allocation: MarkAllocation) -> None:
    """Write the chain ``arrive`` and those that it leads to."""
    segment = table.segment
    declare_ingress_sets(table, mark_allocation)
    table.chains["arrive"] = (
        "type filter hook prerouting priority -310; policy drop;",
        (*_arrival_rules(table), "meta mark set 0x0", *_circuit_rules(table), "goto to_anchor"),
    )
    table.chains["to_anchor"] = ("", tuple(_anchor_rules(table)))
    table.chains["track"] = ("", (*_application_reply_rules(table), "accept"))
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
        # Translated: to the target, or back to a client, as the reply of the connection that was decided here. To one
        # inside it comes from the public address.
        public = ", ".join(sorted(f"{app['public']} . {app['protocol']} . {app['port']}" for app in segment.apps))
        table.chains["arrive_app"] = (
            "",
            (
                f"ip saddr . meta l4proto . th sport {{ {public} }} meta mark set {fwmarks.DECIDE:#x} accept",
                f"ip daddr @inside meta mark set {fwmarks.DELIVER:#x} notrack accept",
                f"meta mark set {fwmarks.DECIDE:#x} accept",
            ),
        )
    if segment.other_segment_interfaces:
        _add_other_segment_chains(table)


def _arrival_rules(table: NftTableBuilder) -> Iterator[str]:
    """Yield the rules that tell by the interface where a packet comes from; what goes on came in on a circuit."""
    segment = table.segment
    yield f'iifname "{fwmarks.MESH_BRIDGE}" goto arrive_mesh'
    yield 'iifname "lo" accept'
    yield from neighbour_discovery_rules(segment.families)
    yield f"meta nfproto != {_nfproto_match(segment)} drop"
    yield "meta nfproto . meta l4proto { ipv4 . ipv6-icmp, ipv6 . icmp } drop"
    yield "iifname @exits goto arrive_exit"
    if segment.apps:
        yield f'iifname "{APPLICATIONS_VETH}" goto arrive_app'
    if segment.other_segment_interfaces:
        yield "iifname @deciding_peers goto arrive_decided"
        yield "iifname @peers goto arrive_imported"
    for family in segment.families:
        yield f"{family.ip} daddr @own{family.suffix} {family.icmp} type echo-request notrack accept"


def _circuit_rules(table: NftTableBuilder) -> Iterator[str]:
    """Yield what a packet from a circuit must pass: source address, rate and route filter of its connector."""
    segment = table.segment
    yield from table.per_family("meta mark set iifname . {ip} saddr map @ingress{suffix}")
    yield "meta mark 0x0 counter name iifname map @spoofed"
    yield "meta mark 0x0 drop"
    for circuit in segment.site_circuits:
        if circuit.rate:
            yield _policer_rule(table, circuit)
    yield "counter name iifname map @received"
    yield from table.filtered_routes(
        f"iifname . {{ip}} daddr @filtered{{suffix}} counter name {_unrouted_counter(table)} reject with icmpx no-route"
    )
    if segment.unanswered:
        refuse = f"counter name {_unrouted_counter(table)} reject with icmpx no-route"
        yield from table.per_family(f"{{ip}} saddr . {{ip}} daddr @unanswered{{suffix}} {refuse}")
    if segment.deciding_peers:
        yield from _deciding_peer_rules(table)


def _nfproto_match(segment: ParsedSegment) -> str:
    return "{ ipv4, ipv6 }" if IPV6 in segment.families else "ipv4"


def _anchor_rules(table: NftTableBuilder) -> Iterator[str]:
    """Yield the way to the anchor of the pair. What goes to no member goes to the home node of the application at that
    address and port, or else to the anchor of the exit, unless no host on the internet can have the address."""
    unrouted = _unrouted_counter(table)
    jumps = (f"{MATCH_ACTION} {fwmarks.TO_ANCHOR:#x} notrack accept", f"{MATCH_ACTION} {fwmarks.DECIDE:#x} goto track")
    yield from table.per_family("meta mark set meta mark . {ip} daddr map @anchor{suffix}")
    yield from jumps
    if table.segment.egress_peers:
        yield f"{MATCH_ACTION} {fwmarks.TO_EXIT:#x} notrack accept"
    if table.segment.hairpin_apps:
        yield "meta mark set meta mark . ip daddr . meta l4proto . th dport map @published"
        yield from jumps
    if table.segment.body["bogons"]:
        yield f"ip daddr @bogons counter name {unrouted} reject with icmpx no-route"
    yield "meta nfproto ipv4 meta mark set meta mark map @internet"
    yield from jumps
    yield f"counter name {unrouted} reject with icmpx no-route"


def _unrouted_counter(table: NftTableBuilder) -> str:
    return table.counter(CounterKey(f"no-route/{table.segment.name}"), packets_only=True)


# -- other segments ----------------------------------------------------------------------------------------------------


def _deciding_peer_rules(table: NftTableBuilder) -> Iterator[str]:
    """Yield rules for flows to members of a segment that decides about them: over to its namespace on this node."""
    exported = parse_ranges(text for peer in table.segment.deciding_peers for text in peer["ranges"])
    table.declare_address_sets("handed_over", exported)
    yield from table.per_family(
        f"{{ip}} daddr @handed_over{{suffix}} meta mark set {fwmarks.DELIVER:#x} notrack accept"
    )


def _add_other_segment_chains(table: NftTableBuilder) -> None:
    """From deciding segments come packets that were decided there; from other peers packets to be decided here."""
    errors = tuple(
        f"{family.ip} saddr {in_family(MESH_PREFIX, family)} meta l4proto {family.icmp} "
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


def _application_reply_rules(table: NftTableBuilder) -> Sequence[str]:
    """Return rules by which replies of applications' targets are translated before they are tracked."""
    apps = table.segment.apps
    hidden = sorted({address for app in apps for address in hidden_sources(app)})
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


def _policer_rule(table: NftTableBuilder, circuit: ParsedCircuit) -> str:
    """Return the policer of a connector's size. What leaves to the site is shaped by the queue on the link instead."""
    rate = circuit.rate // 8
    burst = max(rate // 10, 131072)
    counter = table.counter(CounterKey(f"over-rate/{circuit.connector}", table.segment.name), packets_only=True)
    over = f"limit rate over {rate} bytes/second burst {burst} bytes"
    return f'iifname "{circuit.segment_interface}" {over} counter name {counter} drop'
