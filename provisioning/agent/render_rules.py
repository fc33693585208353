"""A segment's nftables table: what arrives, where it is decided, what leaves, and what is counted.

The chains in the order a packet meets them: arrive (spoof filter, search for the anchor), decide and steer (on the
anchor only), clamp, leave (forward), sent (counters).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioning.agent import marks, ranges
from provisioning.agent.memory import Memory
from provisioning.agent.render_decision import Decision
from provisioning.agent.view import Circuit, Segment, short
from provisioning.agent.wanted import Rules

VERB = f"meta mark and {marks.VERB:#x}"


def rules(segment: Segment, decision: Decision, memory: Memory) -> Rules:
    """The table for ``memory``, which must know the decision's chains and instances."""
    table = _Table(segment, decision)
    table.sets.update(dict.fromkeys(decision.sets, "set { type ipv4_addr; flags interval; }"))
    table.elements.update(decision.sets)
    table.arrive()
    table.decide(memory)
    table.leave()
    table.sent()
    table.chains.update(decision.chains(memory))
    return Rules(table.sets, table.elements, table.chains, {**table.counters, **decision.counters})


class _Table:
    def __init__(self, segment: Segment, decision: Decision) -> None:
        self.segment, self.decision = segment, decision
        self.sets: dict[str, str] = {}
        self.elements: dict[str, tuple[str, ...]] = {}
        self.chains: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.counters: dict[str, tuple[str, str]] = {}

    def named(self, name: str, declaration: str, elements: Iterable[str]) -> None:
        self.sets[name], self.elements[name] = declaration, tuple(elements)

    def counter(self, key: str, what: str = "bytes,packets") -> str:
        name = short("n", key)
        self.counters[name] = (f"{self.segment.tenant}|{key}", what)
        return name

    def counter_map(self, name: str, key_type: str, counters: Mapping[str, str]) -> None:
        self.named(name, f"map {{ type {key_type} : counter; }}", (f'{k} : "{c}"' for k, c in counters.items()))

    # -- in --------------------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """Gives every packet its mark; only what is decided here is tracked."""
        segment, name = self.segment, self.segment.name
        sources, ingress = _sources(segment)
        self.named("ingress", "map { type ifname . ipv4_addr : mark; flags interval; }", ingress)
        self.named("anchor", "map { type mark . ipv4_addr : mark; flags interval; }", _anchors(segment, sources))
        self.named("internet", "map { type mark : mark; }", _exits_by_source(segment, sources))
        self.named("exits", "set { type ifname; }", (f'"{c.wire}"' for c in segment.exits))
        own = {str(c.link["local"]).partition("/")[0] for c in segment.attached}
        self.named("own", "set { type ipv4_addr; }", sorted(own))
        returning = {marks.mesh_mac(i["index"]): marks.BACK | i["index"] for _, i in segment.instances}
        self.named(
            "returning", "map { type ether_addr : mark; }", (f"{mac} : {mark:#x}" for mac, mark in returning.items())
        )
        received = {f'"{c.wire}"': self.counter(f"connector/{c.connector}|{name}|in") for c in segment.circuits}
        self.counter_map("received", "ifname", received)
        spoofed = {f'"{c.wire}"': self.counter(f"spoof/{c.connector}|{name}", "packets") for c in segment.attached}
        self.counter_map("spoofed", "ifname", spoofed)
        unrouted = self.counter(f"no-route/{name}", "packets")
        self.chains["arrive"] = (
            "type filter hook prerouting priority -310; policy drop;",
            (
                f'iifname "{marks.MESH}" goto arrive_mesh',
                'iifname "lo" accept',
                "meta nfproto != ipv4 drop",
                "iifname @exits goto arrive_exit",
                "ip daddr @own icmp type echo-request notrack accept",
                "meta mark set 0x0",
                "meta mark set iifname . ip saddr map @ingress",
                "meta mark 0x0 counter name iifname map @spoofed",
                "meta mark 0x0 drop",
                *(policer for c in segment.attached if c.rate for policer in _police(c)),
                "counter name iifname map @received",
                "meta mark set meta mark . ip daddr map @anchor",
                f"{VERB} {marks.ANCHOR:#x} notrack accept",
                f"{VERB} {marks.DECIDE:#x} accept",
                "meta mark set meta mark map @internet",
                f"{VERB} {marks.ANCHOR:#x} notrack accept",
                f"{VERB} {marks.DECIDE:#x} accept",
                f"counter name {unrouted} reject with icmp net-unreachable",
            ),
        )
        self.chains["arrive_mesh"] = (
            "",
            (
                f"{VERB} {marks.ANCHOR:#x} meta mark set {marks.DECIDE:#x} accept",
                f"meta mark {marks.STANDBY:#x} notrack accept",
                f"meta mark set {marks.DELIVER:#x}",
                "meta mark set ether saddr map @returning",
                f"meta mark {marks.DELIVER:#x} notrack",
                "accept",
            ),
        )
        self.chains["arrive_exit"] = (
            "",
            (
                f"ip saddr @{self.decision.any} drop",
                "counter name iifname map @received",
                f"meta mark set {marks.DECIDE:#x} accept",
            ),
        )

    # -- decide ----------------------------------------------------------------------------------------------------

    def decide(self, memory: Memory) -> None:
        current = f"ct mark and {marks.GENERATION:#x} {memory.generation << 24:#x}"
        back = f"{VERB} {marks.BACK:#x}"
        self.chains["decide"] = (
            "type filter hook prerouting priority mangle; policy accept;",
            (
                f"{VERB} != {{ {marks.DECIDE:#x}, {marks.BACK:#x} }} accept",
                "ct state related goto deliver",
                "ct state invalid drop",
                f"{current} goto steer",
                f"{back} ct mark 0x0 drop",
                # The middle of a connection begun elsewhere is taken up only from the side that began it, told by its
                # ephemeral port (32768 and up); the other side's packet waits to be sent again.
                "ct mark 0x0 meta l4proto tcp tcp flags & (syn | rst) == 0x0 th sport < 32768 th dport >= 32768 drop",
                "goto rules",
            ),
        )
        segment = self.segment
        exits = {c.connector: marks.EXIT | number for number, c in enumerate(segment.exits, start=1)}
        self.named(
            "leaving",
            "map { type ipv4_addr : mark; flags interval; }",
            (
                f"{ranges.text(span)} : {exits[connector]:#x}"
                for connector, spans in _spans_by_local_exit(segment).items()
                if connector in exits
                for span in spans
            ),
        )
        self.chains["deliver"] = (
            "",
            (
                f"ip daddr @{self.decision.any} meta mark set {marks.DELIVER:#x} accept",
                "meta mark set ip saddr map @leaving",
                f"{VERB} {marks.EXIT:#x} accept",
                "goto refuse",
            ),
        )
        self.chains["refuse"] = ("", (f"meta mark set {marks.REFUSED:#x}",))

    # -- out -------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        segment = self.segment
        clamps = tuple(
            f'iifname "{c.wire}" tcp flags & (syn | rst) == syn '
            f"tcp option maxseg size > {c.mtu - 40} tcp option maxseg size set {c.mtu - 40}"
            for c in segment.circuits
            if c.mtu < 1500
        )
        self.chains["clamp"] = (
            "type filter hook forward priority mangle; policy accept;",
            (*clamps, "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"),
        )
        self.chains["leave"] = (
            "type filter hook forward priority filter; policy drop;",
            (
                f'{VERB} {{ {marks.ANCHOR:#x}, {marks.INSTANCE:#x} }} oifname "{marks.MESH}" accept',
                f"meta mark {marks.DELIVER:#x} oifname != @exits accept",
                f'meta mark {marks.STANDBY:#x} oifname != "{marks.MESH}" oifname != @exits accept',
                f"{VERB} {marks.EXIT:#x} oifname @exits accept",
                f"meta mark {marks.REFUSED:#x} meta l4proto tcp reject with tcp reset",
            ),
        )
        self.chains["input"] = (
            "type filter hook input priority filter; policy drop;",
            ('iifname "lo" accept', "icmp type echo-request accept"),
        )
        self.chains["output"] = (
            "type route hook output priority mangle; policy accept;",
            (
                f"ip daddr @{self.decision.any} meta mark set {marks.DELIVER:#x} accept",
                "meta mark set ip saddr map @leaving",
            ),
        )

    def sent(self) -> None:
        segment, name = self.segment, self.segment.name
        here = ranges.union(r for m in segment.members if m["home"] == segment.node for r in m["ranges"])
        home = self.decision.span_set(here)
        self.named(home, "set { type ipv4_addr; flags interval; }", self.decision.sets[home])
        sent = {f'"{c.wire}"': self.counter(f"connector/{c.connector}|{name}|out") for c in segment.circuits}
        self.counter_map("departed", "ifname", sent)
        mine = segment.exchange_of(segment.node)
        mesh: dict[str, str] = {}
        inspected: dict[str, str] = {}
        for node, peer in segment.nodes.items():
            if segment.exchange_of(node) != mine:
                key = f"mesh/{segment.exchange_of(node)}|{name}|out"
                mesh[marks.mesh_address(peer["index"])] = self.counter(key)
        for service, instance in segment.instances:
            address = marks.mesh_address(instance["index"])
            inspected[address] = self.counter(f"service/{service}|{name}")
            if segment.exchange_of(instance["host"]) != mine:
                mesh[address] = self.counter(f"mesh/{segment.exchange_of(instance['host'])}|{name}|out")
        self.counter_map("meshed", "ipv4_addr", mesh)
        self.counter_map("inspected", "ipv4_addr", inspected)
        self.chains["sent"] = (
            "type filter hook postrouting priority filter; policy accept;",
            (
                f'oifname != "{marks.MESH}" counter name oifname map @departed',
                f'oifname != "{marks.MESH}" accept',
                f"meta mark {marks.DELIVER:#x} ip daddr @{home} meta mark set {marks.STANDBY:#x}",
                "counter name rt ip nexthop map @meshed",
                "counter name rt ip nexthop map @inspected",
            ),
        )


def _sources(segment: Segment) -> tuple[dict[tuple[int, str], int], list[str]]:
    """A small number for each (class, exchange) that packets here come from, and the spoof filter that finds it."""
    sources: dict[tuple[int, str], int] = {}
    elements: list[str] = []
    for circuit in segment.attached:
        for member in segment.members_of(circuit.connector):
            number = sources.setdefault((member["class"], member["exchange"]), len(sources) + 1)
            elements += [
                f'"{circuit.interface}" . {ranges.text(span)} : {number:#x}' for span in ranges.union(member["ranges"])
            ]
    return sources, elements


def _anchors(segment: Segment, sources: Mapping[tuple[int, str], int]) -> list[str]:
    elements = []
    for (klass, _), number in sources.items():
        towards: dict[str, list[str]] = {}
        for member in segment.members:
            if member["ranges"]:
                low, high = sorted((klass, member["class"]))
                towards.setdefault(segment.body["anchors"][f"{low}.{high}"], []).extend(member["ranges"])
        elements += [
            f"{number:#x} . {ranges.text(span)} : {_go_to(segment, node):#x}"
            for node, texts in sorted(towards.items())
            for span in ranges.union(texts)
        ]
    return elements


def _exits_by_source(segment: Segment, sources: Mapping[tuple[int, str], int]) -> list[str]:
    exits = segment.body.get("exits", {})
    return [
        f"{number:#x} : {_go_to(segment, exits[exchange]['home']):#x}"
        for (_, exchange), number in sources.items()
        if exchange in exits
    ]


def _go_to(segment: Segment, node: str) -> int:
    return marks.DECIDE if node == segment.node else marks.ANCHOR | int(segment.nodes[node]["index"])


def _spans_by_local_exit(segment: Segment) -> dict[str, tuple[ranges.Range, ...]]:
    """connector of an exit homed here → the addresses whose flows to the internet leave through it."""
    names = {member["id"]: member["connector"] for member in segment.members}
    texts: dict[str, list[str]] = {}
    for exchange, chosen in segment.body.get("exits", {}).items():
        if chosen["home"] == segment.node:
            spans = [r for m in segment.members if m["exchange"] == exchange for r in m["ranges"]]
            texts.setdefault(names[chosen["member"]], []).extend(spans)
    return {connector: ranges.union(spans) for connector, spans in texts.items()}


def _police(circuit: Circuit) -> Iterable[str]:
    """Towards the exchange a connector's size is policed; what leaves to it is shaped by the queue on the link."""
    rate = circuit.rate // 8
    burst = max(rate // 10, 131072)
    yield f'iifname "{circuit.interface}" limit rate over {rate} bytes/second burst {burst} bytes drop'
