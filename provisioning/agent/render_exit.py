"""An internet exit: a namespace of its own between the segment and the circuit, where addresses are translated.

Its connection table is its own too, so that in the segment a flow has one entry and one pair of addresses, however
often a service chain makes it cross the node.
"""

from __future__ import annotations

from provisioning.agent import marks, ranges
from provisioning.agent.render_links import exit_namespace
from provisioning.agent.view import Circuit, Segment
from provisioning.agent.wanted import Link, Namespace, Route, Rules

INSIDE = "inside"


def namespaces(segment: Segment) -> list[Namespace]:
    return [_namespace(segment, circuit) for circuit in segment.exits]


def _namespace(segment: Segment, circuit: Circuit) -> Namespace:
    outside = circuit.interface
    public = circuit.link.get("nat") or str(circuit.link["local"]).partition("/")[0]
    addresses = {(INSIDE, f"{marks.EXIT_OUTSIDE}/32"), (outside, str(circuit.link["local"]))}
    if circuit.link.get("nat"):
        addresses.add(("lo", f"{public}/32"))
    members = ranges.prefixes(ranges.union(r for m in segment.members for r in m["ranges"]))
    routes = {Route(prefix, marks.EXIT_INSIDE, INSIDE) for prefix in members}
    routes.add(Route("0.0.0.0/0", str(circuit.link["peer"]).partition("/")[0], outside))
    return Namespace(
        name=exit_namespace(segment, circuit),
        sections=segment.sections,
        links=(
            Link(INSIDE, "veth", peer=(segment.namespace, circuit.wire)),
            Link(outside, "circuit", mtu=circuit.mtu, rate=circuit.rate),
        ),
        addresses=frozenset(addresses),
        routes=frozenset(routes),
        rules=Rules(
            chains={
                "leave": (
                    "type filter hook forward priority filter; policy drop;",
                    (
                        f'iifname "{INSIDE}" oifname "{outside}" accept',
                        f'iifname "{outside}" ct state established,related accept',
                    ),
                ),
                "clamp": (
                    "type filter hook forward priority mangle; policy accept;",
                    ("tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",),
                ),
                "input": (
                    "type filter hook input priority filter; policy drop;",
                    ('iifname "lo" accept', "ct state established,related accept", "icmp type echo-request accept"),
                ),
                "translate": (
                    "type nat hook postrouting priority srcnat; policy accept;",
                    (f'oifname "{outside}" snat ip to {public}',),
                ),
            }
        ),
    )
