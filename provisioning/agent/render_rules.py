"""A segment's nftables table: what arrives, where it is decided, what leaves, and what is counted.

The chains in the order a packet meets them: arrive (render_arrive.py), decide and steer (on the anchor only), clamp,
leave (forward), sent (counters).
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.agent import marks, ranges
from provisioning.agent.memory import Memory
from provisioning.agent.render_arrive import arrive
from provisioning.agent.render_decision import Decision
from provisioning.agent.render_links import APPS, gateway
from provisioning.agent.table import Table
from provisioning.agent.view import Segment
from provisioning.agent.wanted import Rules

VERB = f"meta mark and {marks.VERB:#x}"


def rules(segment: Segment, decision: Decision, memory: Memory) -> Rules:
    """The table for ``memory``, which must know the decision's chains, instances and speakers."""
    table = Table(segment, decision)
    arrive(table, memory)
    _decide(table, memory)
    _leave(table)
    _sent(table)
    return table.rules(decision.chains(memory))


# -- decide ------------------------------------------------------------------------------------------------------------


def _decide(table: Table, memory: Memory) -> None:
    segment = table.segment
    current = f"ct mark and {marks.GENERATION:#x} {memory.generation << 24:#x}"
    back = f"{VERB} {marks.BACK:#x}"
    speaking = [
        f"ct direction original meta mark and {marks.SPEAKER:#x} {memory.speakers[name] << 16:#x} "
        f"ct label set {memory.speakers[name]}"
        for name in sorted(segment.speakers)
    ]
    table.chains["decide"] = (
        "type filter hook prerouting priority mangle; policy accept;",
        (
            f"{VERB} != {{ {marks.DECIDE:#x}, {marks.BACK:#x} }} accept",
            "ct state related goto deliver",
            "ct state invalid drop",
            *speaking,
            f"{current} goto steer",
            f"{back} ct mark 0x0 drop",
            # The middle of a connection begun elsewhere is taken up only from the side that began it, told by its
            # ephemeral port (32768 and up); the other side's packet waits to be sent again.
            "ct mark 0x0 meta l4proto tcp tcp flags & (syn | rst) == 0x0 th sport < 32768 th dport >= 32768 drop",
            "goto rules",
        ),
    )
    exits = {circuit.connector: marks.EXIT | number for number, circuit in enumerate(segment.exits, start=1)}
    chosen = _local_exits(segment)
    connectors = {member["id"]: member["connector"] for member in segment.members}
    leaving = {
        ranges.text(span): exits[connector]
        for connector, spans in _spans_by_exit(segment, chosen).items()
        if connector in exits
        for span in spans
    }
    answering = {app["public"]: exits[name] for app in segment.apps if (name := connectors[app["exit"]]) in exits}
    table.named(
        "leaving",
        "map { type ipv4_addr : mark; flags interval; }",
        (f"{text} : {mark:#x}" for text, mark in {**leaving, **answering}.items()),
    )
    by_speaker = [
        f"ct direction original ct label {memory.speakers[name]} meta mark set {exits[chosen[exchange]]:#x} accept"
        for name, exchange in _speakers_exchanges(segment).items()
        if chosen.get(exchange) in exits
    ]
    to_apps = [f"ip daddr {public} meta mark set {marks.APP:#x} accept" for public in sorted(answering)]
    table.chains["deliver"] = (
        "",
        (
            *table.each(f"{{ip}} daddr @inside{{suffix}} meta mark set {marks.DELIVER:#x} accept"),
            *to_apps,
            *by_speaker,
            "meta mark set ip saddr map @leaving",
            f"{VERB} {marks.EXIT:#x} accept",
            "drop",
        ),
    )
    table.chains["refuse"] = ("", (f"meta mark set {marks.REFUSED:#x}",))


def _local_exits(segment: Segment) -> dict[str, str]:
    """Exchange → the connector of the exit that its members leave through, for exits homed here."""
    names = {member["id"]: member["connector"] for member in segment.members}
    return {
        exchange: names[chosen["member"]]
        for exchange, chosen in segment.body.get("exits", {}).items()
        if chosen["home"] == segment.node
    }


def _spans_by_exit(segment: Segment, chosen: Mapping[str, str]) -> dict[str, ranges.Ranges]:
    texts: dict[str, list[str]] = {}
    for member in segment.members:
        if member["exchange"] in chosen:
            texts.setdefault(chosen[member["exchange"]], []).extend(member["ranges"])
    return {connector: ranges.IP4.of(ranges.union(found)) for connector, found in texts.items()}


def _speakers_exchanges(segment: Segment) -> dict[str, str]:
    exchanges = {}
    for member in segment.members:
        if (name := segment.speaker(member)) in segment.speakers:
            exchanges[name] = member["exchange"]
    return exchanges


# -- out ---------------------------------------------------------------------------------------------------------------


def _leave(table: Table) -> None:
    segment = table.segment
    clamps = tuple(
        f'iifname "{c.wire}" tcp flags & (syn | rst) == syn '
        f"tcp option maxseg size > {room} tcp option maxseg size set {room}"
        for c in segment.circuits
        if c.mtu < 1500
        for room in (c.mtu - 40,)
    )
    narrower = tuple(
        f'meta nfproto ipv6 iifname "{c.wire}" tcp flags & (syn | rst) == syn '
        f"tcp option maxseg size > {c.mtu - 60} tcp option maxseg size set {c.mtu - 60}"
        for c in segment.attached
        if c.mtu < 1500 and ranges.IP6 in segment.families
    )
    table.chains["clamp"] = (
        "type filter hook forward priority mangle; policy accept;",
        (*clamps, *narrower, "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"),
    )
    table.chains["leave"] = (
        "type filter hook forward priority filter; policy drop;",
        (
            f'{VERB} {{ {marks.ANCHOR:#x}, {marks.INSTANCE:#x} }} oifname "{marks.MESH}" accept',
            *table.blind("oifname . {ip} saddr @blind{suffix} drop"),
            f"meta mark {{ {marks.DELIVER:#x}, {marks.STANDBY:#x} }} oifname != @exits accept",
            f"{VERB} {marks.EXIT:#x} oifname @exits accept",
            *((f'meta mark {marks.APP:#x} oifname "{APPS}" accept',) if segment.apps else ()),
            f"meta mark {marks.REFUSED:#x} meta l4proto tcp reject with tcp reset",
        ),
    )
    echo = tuple(f"{family.icmp} type echo-request accept" for family in segment.families)
    asking = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
    table.chains["input"] = (
        "type filter hook input priority filter; policy drop;",
        ('iifname "lo" accept', *echo, *((asking,) if ranges.IP6 in segment.families else ())),
    )
    table.chains["output"] = (
        "type route hook output priority mangle; policy accept;",
        (
            *table.each(f"{{ip}} daddr @inside{{suffix}} meta mark set {marks.DELIVER:#x} accept"),
            "meta mark set ip saddr map @leaving",
        ),
    )


def _sent(table: Table) -> None:
    segment, name = table.segment, table.segment.name
    here = ranges.union(r for m in segment.members if m["home"] == segment.node for r in m["ranges"])
    table.span_sets("home", here)
    sent = {f'"{c.wire}"': table.counter(f"connector/{c.connector}|{name}|out") for c in segment.circuits}
    table.counter_map("departed", "ifname", sent)
    mine = segment.exchange_of(segment.node)
    mesh: dict[int, str] = {}
    inspected: dict[int, str] = {}
    for node, peer in segment.nodes.items():
        if segment.exchange_of(node) != mine:
            mesh[peer["index"]] = table.counter(f"mesh/{segment.exchange_of(node)}|{name}|out")
    for service, instance in segment.instances:
        inspected[instance["index"]] = table.counter(f"service/{service}|{name}")
        if segment.exchange_of(instance["host"]) != mine:
            mesh[instance["index"]] = table.counter(f"mesh/{segment.exchange_of(instance['host'])}|{name}|out")
    for family in segment.families:
        for kind, counters in (("meshed", mesh), ("inspected", inspected)):
            by_address = {gateway(marks.mesh_address(index), family): one for index, one in counters.items()}
            table.counter_map(f"{kind}{family.suffix}", family.address, by_address)
    # What circuits ask each other is nobody's traffic.
    asking = ("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",)
    table.chains["sent"] = (
        "type filter hook postrouting priority filter; policy accept;",
        (
            *(asking if ranges.IP6 in segment.families else ()),
            f'oifname != "{marks.MESH}" counter name oifname map @departed',
            f'oifname != "{marks.MESH}" accept',
            *table.each(f"meta mark {marks.DELIVER:#x} {{ip}} daddr @home{{suffix}} meta mark set {marks.STANDBY:#x}"),
            # The anchor's number was for the way there; what it has to know is who speaks.
            f"{VERB} {marks.ANCHOR:#x} meta mark set meta mark >> 16 or {marks.ANCHOR:#x}",
            *table.each("counter name rt {ip} nexthop map @meshed{suffix}"),
            *table.each("counter name rt {ip} nexthop map @inspected{suffix}"),
        ),
    )
