"""An internet exit: a namespace of its own between the segment and the circuit, where addresses are translated.

Its connection table is its own too, so that in the segment a flow has one entry and one pair of addresses, however
often a service chain makes it cross the node. What comes in for an internet application passes as it is: the segment
decides about it by its public address, and render_app.py translates it.
"""

from __future__ import annotations

from provisioning.agent import marks, ranges
from provisioning.agent.render_links import INSIDE, beyond, wire_neighbours
from provisioning.agent.view import Circuit, Segment
from provisioning.agent.wanted import Link, Namespace, Route, Rules

CLAMP = ("type filter hook forward priority mangle; policy accept;",
         ("tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",))  # fmt: skip


def namespaces(segment: Segment) -> list[Namespace]:
    return [_namespace(segment, circuit) for circuit in segment.exits]


def _namespace(segment: Segment, circuit: Circuit) -> Namespace:
    outside = circuit.interface
    public = circuit.link.get("nat") or circuit.local.partition("/")[0]
    members = {member["id"]: member["connector"] for member in segment.members}
    apps = [app for app in segment.apps if members.get(app["exit"]) == circuit.connector]
    served = {app["public"] for app in apps} | ({public} if circuit.link.get("nat") else set())
    routes = {Route(prefix, marks.NEAR, INSIDE) for prefix in ranges.prefixes(ranges.IP4.of(segment.own))}
    routes |= {Route(f"{address}/32", marks.NEAR, INSIDE) for address in served}
    routes.add(Route("0.0.0.0/0", circuit.peer, outside))
    return Namespace(
        name=beyond(segment, circuit),
        sections=segment.sections,
        links=(
            Link(
                INSIDE, "veth", mac=marks.wire_mac(marks.FAR), mtu=circuit.mtu, peer=(segment.namespace, circuit.wire)
            ),
            Link(outside, "circuit", mtu=circuit.mtu, rate=circuit.rate),
        ),
        addresses=frozenset({(outside, circuit.local)}),
        neighbours=frozenset(wire_neighbours(INSIDE, marks.NEAR, (ranges.IP4,))),
        routes=frozenset(routes),
        rules=Rules(
            sets={"apps": "set { type ipv4_addr . inet_proto . inet_service; }"},
            elements={"apps": tuple(sorted(f"{app['public']} . {app['protocol']} . {app['port']}" for app in apps))},
            chains={
                "leave": (
                    "type filter hook forward priority filter; policy drop;",
                    (
                        f'iifname "{INSIDE}" oifname "{outside}" accept',
                        f'iifname "{outside}" ct state established,related accept',
                        f'iifname "{outside}" ip daddr . meta l4proto . th dport @apps accept',
                    ),
                ),
                "clamp": CLAMP,
                "input": (
                    "type filter hook input priority filter; policy drop;",
                    ('iifname "lo" accept', "ct state established,related accept", "icmp type echo-request accept"),
                ),
                "translate": (
                    "type nat hook postrouting priority srcnat; policy accept;",
                    (f'oifname "{outside}" snat ip to {public}',),
                ),
            },
        ),
    )
