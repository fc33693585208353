"""What happens to a packet that arrives in a segment's namespace: whose is it, may it be, and which node decides?

Every packet gets its mark here; only what is decided on this node is tracked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provisioning.agent import marks, ranges
from provisioning.agent.memory import Memory
from provisioning.agent.render_edge import neighbour_discovery
from provisioning.agent.render_links import APPS, gateway
from provisioning.agent.table import Table
from provisioning.agent.view import Circuit, Segment

VERB = f"meta mark and {marks.VERB:#x}"

Source = tuple[int, str, int]
"""What the anchor of a packet depends on: (class, exchange, speaker); a guest has no exchange, it never goes out."""


def arrive(table: Table, memory: Memory) -> None:
    """The chain ``arrive`` and those that it leads to."""
    segment = table.segment
    _sets(table, memory)
    to_app = _to_app(table)
    apps = (f'iifname "{APPS}" goto arrive_app',) if segment.apps else ()
    wires = ("iifname @hosts goto arrive_host", "iifname @wires goto arrive_guest") if segment.wires else ()
    table.chains["arrive"] = (
        "type filter hook prerouting priority -310; policy drop;",
        (
            f'iifname "{marks.MESH}" goto arrive_mesh',
            'iifname "lo" accept',
            *neighbour_discovery(segment.families),
            f"meta nfproto != {_protocols(segment)} drop",
            "meta nfproto . meta l4proto { ipv4 . ipv6-icmp, ipv6 . icmp } drop",
            "iifname @exits goto arrive_exit",
            *apps,
            *wires,
            *(
                f"{family.ip} daddr @own{family.suffix} {family.icmp} type echo-request notrack accept"
                for family in segment.families
            ),
            "meta mark set 0x0",
            *table.each("meta mark set iifname . {ip} saddr map @ingress{suffix}"),
            "meta mark 0x0 counter name iifname map @spoofed",
            "meta mark 0x0 drop",
            *(policer for c in segment.attached if c.rate for policer in _police(c)),
            "counter name iifname map @received",
            *table.blind(
                "iifname . {ip} daddr @blind{suffix} "
                f"counter name {table.counter(f'no-route/{segment.name}', 'packets')} reject with icmpx no-route"
            ),
            *(_handed(table) if segment.handover else ()),
            "goto towards",
        ),
    )
    table.chains["towards"] = ("", tuple(_towards(table)))
    table.chains["here"] = ("", (*to_app, "accept"))
    table.chains["arrive_mesh"] = (
        "",
        (
            f"{VERB} {marks.ANCHOR:#x} meta mark set meta mark << 16",
            f"meta mark and {marks.VERB << 16:#x} {marks.ANCHOR << 16:#x} "
            f"meta mark set meta mark and {marks.SPEAKER:#x} or {marks.DECIDE:#x}",
            f"{VERB} {marks.DECIDE:#x} goto here",
            f"meta mark {marks.STANDBY:#x} notrack accept",
            f"meta mark set {marks.DELIVER:#x}",
            "meta mark set ether saddr map @returning",
            f"meta mark {marks.DELIVER:#x} notrack",
            "accept",
        ),
    )
    table.chains["arrive_exit"] = (
        "",
        (
            "meta nfproto != ipv4 drop",
            "ip saddr @inside drop",
            "counter name iifname map @received",
            f"meta mark set {marks.DECIDE:#x} accept",
        ),
    )
    if segment.apps:
        # Translated: to the target, or back to a client, as the reply of the connection that was decided here.
        table.chains["arrive_app"] = (
            "",
            (
                f"ip daddr @inside meta mark set {marks.DELIVER:#x} notrack accept",
                f"meta mark set {marks.DECIDE:#x} accept",
            ),
        )
    if segment.wires:
        _wires(table)


def _protocols(segment: Segment) -> str:
    return "{ ipv4, ipv6 }" if ranges.IP6 in segment.families else "ipv4"


def _towards(table: Table) -> Iterator[str]:
    """To the anchor of the pair; what goes to no member goes to the anchor of the exit, unless nobody beyond it can
    have the address."""
    unrouted = table.counter(f"no-route/{table.segment.name}", "packets")
    found = (f"{VERB} {marks.ANCHOR:#x} notrack accept", f"{VERB} {marks.DECIDE:#x} goto here")
    yield from table.each("meta mark set meta mark . {ip} daddr map @anchor{suffix}")
    yield from found
    if table.segment.body.get("private"):
        yield f"ip daddr @private counter name {unrouted} reject with icmpx no-route"
    yield "meta nfproto ipv4 meta mark set meta mark map @internet"
    yield from found
    yield f"counter name {unrouted} reject with icmpx no-route"


# -- wires to other segments -------------------------------------------------------------------------------------------


def _handed(table: Table) -> Iterator[str]:
    """Flows to members of a segment that decides about them: over to its namespace on this node."""
    handed = ranges.union(text for host in table.segment.handover for text in host["ranges"])
    table.span_sets("handed", handed)
    yield from table.each(f"{{ip}} daddr @handed{{suffix}} meta mark set {marks.DELIVER:#x} notrack accept")


def _wires(table: Table) -> None:
    """From hosts come packets that were decided there; from guests' segments packets to be decided."""
    errors = tuple(
        f"{family.ip} saddr {gateway(marks.NODES, family)} meta l4proto {family.icmp} "
        f"meta mark set {marks.DELIVER:#x} notrack accept"
        for family in table.segment.families
    )
    table.chains["arrive_host"] = (
        "",
        (
            *errors,
            *table.each(f"iifname . {{ip}} saddr @decided{{suffix}} meta mark set {marks.DELIVER:#x} notrack accept"),
            "drop",
        ),
    )
    table.chains["arrive_guest"] = (
        "",
        (
            *errors,
            "meta mark set 0x0",
            *table.each("meta mark set iifname . {ip} saddr map @ingress{suffix}"),
            "meta mark 0x0 drop",
            "goto towards",
        ),
    )


# -- sets --------------------------------------------------------------------------------------------------------------


def _sets(table: Table, memory: Memory) -> None:
    segment, name = table.segment, table.segment.name
    sources, ingress = _sources(segment, memory)
    hosts = {other: interface for interface, other in segment.wires.items()}
    decided = [(hosts[host["segment"]], span) for host in segment.handover for span in ranges.union(host["ranges"])]
    anchors = list(_anchors(segment, sources))
    blind = [(c.wire, span) for c in segment.attached for span in ranges.union(c.link.get("blind") or ())]
    direct = [circuit for circuit in segment.attached if not circuit.is_edged]
    for family in segment.families:
        here, address = family.suffix, family.address
        table.named(
            f"ingress{here}",
            f"map {{ type ifname . {address} : mark; flags interval; }}",
            (f'"{wire}" . {ranges.text(span)} : {mark:#x}' for wire, span, mark in ingress if family.of((span,))),
        )
        table.named(
            f"anchor{here}",
            f"map {{ type mark . {address} : mark; flags interval; }}",
            (f"{mark:#x} . {ranges.text(span)} : {to:#x}" for mark, span, to in anchors if family.of((span,))),
        )
        own = sorted({gateway(circuit.local, family).partition("/")[0] for circuit in direct})
        table.named(f"own{here}", f"set {{ type {address}; }}", own)
        for kind, rows in (("decided", decided), ("blind", blind)):
            if rows:
                texts = [f'"{wire}" . {ranges.text(span)}' for wire, span in rows if family.of((span,))]
                table.named(f"{kind}{here}", f"set {{ type ifname . {address}; flags interval; }}", texts)
            elif kind == "decided" and segment.wires:
                table.named(f"{kind}{here}", f"set {{ type ifname . {address}; flags interval; }}", ())
    table.named("internet", "map { type mark : mark; }", _exits_by_source(segment, sources))
    if private := segment.body.get("private"):
        table.named("private", "set { type ipv4_addr; flags interval; }", private)
    table.named("exits", "set { type ifname; }", (f'"{c.wire}"' for c in segment.exits))
    if segment.wires:
        deciding = {host["segment"] for host in segment.handover}
        table.named("wires", "set { type ifname; }", (f'"{wire}"' for wire in segment.wires))
        table.named(
            "hosts", "set { type ifname; }", (f'"{w}"' for w, other in segment.wires.items() if other in deciding)
        )
    returning = {marks.mesh_mac(i["index"]): marks.BACK | i["index"] for _, i in segment.instances}
    table.named(
        "returning", "map { type ether_addr : mark; }", (f"{mac} : {mark:#x}" for mac, mark in returning.items())
    )
    received = {f'"{c.wire}"': table.counter(f"connector/{c.connector}|{name}|in") for c in segment.circuits}
    table.counter_map("received", "ifname", received)
    spoofed = {f'"{c.wire}"': table.counter(f"spoof/{c.connector}|{name}", "packets") for c in segment.attached}
    table.counter_map("spoofed", "ifname", spoofed)


def _sources(segment: Segment, memory: Memory) -> tuple[dict[Source, int], list[tuple[str, ranges.Range, int]]]:
    """A small number for each source that packets here come from, and the spoof filter that finds it.

    The class is that of the address's owner, also where another member speaks: so both directions of a flow find the
    same anchor.
    """
    sources: dict[Source, int] = {}
    elements: list[tuple[str, ranges.Range, int]] = []

    def add(interface: str, span: ranges.Range, source: Source) -> None:
        elements.append((interface, span, sources.setdefault(source, len(sources) + 1)))

    for circuit in segment.attached:
        for member in segment.members_of.get(circuit.connector, ()):
            for span in ranges.union(member["ranges"]):
                add(circuit.wire, span, (member["class"], member["exchange"], 0))
            number = memory.speakers.get(segment.speaker(member), 0)
            for span, owner in segment.borrowed(member):
                add(circuit.wire, span, (owner["class"], member["exchange"], number))
    interfaces = {other: interface for interface, other in segment.wires.items()}
    for guest in segment.guests:
        for span in ranges.union(guest["ranges"]):
            add(interfaces[guest["segment"]], span, (guest["class"], "", 0))
    return sources, elements


def _anchors(segment: Segment, sources: Mapping[Source, int]) -> Iterator[tuple[int, ranges.Range, int]]:
    by_class = _by_class(segment.members), _by_class((*segment.members, *segment.guests))
    for (klass, exchange, speaker), number in sources.items():
        towards: dict[str, list[ranges.Range]] = {}
        for other, spans in by_class[bool(exchange)].items():
            low, high = sorted((klass, other))
            towards.setdefault(segment.body["anchors"][f"{low}.{high}"], []).extend(spans)
        for app in segment.body.get("apps", ()) if exchange else ():
            if app["source_nat"]:
                towards.setdefault(app["home"], []).append(ranges.parse(app["source_nat"]))
        for node, found in sorted(towards.items()):
            for span in ranges.joined(found):
                yield number, span, _go_to(segment, node) | speaker << 16


def _by_class(members: Iterable[Mapping[str, Any]]) -> dict[int, ranges.Ranges]:
    texts: dict[int, list[str]] = {}
    for member in members:
        texts.setdefault(member["class"], []).extend(member["ranges"])
    return {klass: ranges.union(found) for klass, found in texts.items()}


def _exits_by_source(segment: Segment, sources: Mapping[Source, int]) -> list[str]:
    exits = segment.body.get("exits", {})
    return [
        f"{number:#x} : {_go_to(segment, exits[exchange]['home']) | speaker << 16:#x}"
        for (_, exchange, speaker), number in sources.items()
        if exchange in exits
    ]


def _go_to(segment: Segment, node: str) -> int:
    return marks.DECIDE if node == segment.node else marks.ANCHOR | int(segment.nodes[node]["index"])


def _to_app(table: Table) -> Sequence[str]:
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
        lines.append(f"ip daddr {{ {', '.join(hidden)} }} meta mark set {marks.APP:#x} notrack accept")
    if open_:
        answers = f"ip saddr . meta l4proto . th sport {{ {', '.join(sorted(open_))} }}"
        lines.append(f"{answers} ip daddr != @inside meta mark set {marks.APP:#x} notrack accept")
    return lines


def _police(circuit: Circuit) -> Iterable[str]:
    """Towards the exchange a connector's size is policed; what leaves to it is shaped by the queue on the link."""
    rate = circuit.rate // 8
    burst = max(rate // 10, 131072)
    yield f'iifname "{circuit.wire}" limit rate over {rate} bytes/second burst {burst} bytes drop'
