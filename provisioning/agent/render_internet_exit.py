"""An internet exit: a namespace of its own between the segment and the circuit, where addresses are translated.

It has a connection table of its own too, so that in the segment a flow has one entry and one pair of addresses, however
often a service chain makes it cross the node. What comes in for an internet application passes as it is: the segment
decides about it by its public address, and render_applications.py translates it.
"""

from __future__ import annotations

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV4, route_prefixes
from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace, NftTable
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment
from provisioning.agent.render_namespace import SEGMENT_VETH, circuit_namespace, veth_neighbours
from provisioning.core.values.addresses import parse_ranges

MSS_CLAMP = ("type filter hook forward priority mangle; policy accept;",
         ("tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",))  # fmt: skip


def namespaces(segment: ParsedSegment) -> list[NetworkNamespace]:
    return [_namespace(segment, circuit) for circuit in segment.exits]


def _namespace(segment: ParsedSegment, circuit: ParsedCircuit) -> NetworkNamespace:
    outside = circuit.interface
    public = circuit.link["nat"] or circuit.local.partition("/")[0]
    connectors = {member["id"]: member["connector"] for member in segment.members}
    apps = [app for app in segment.apps if connectors.get(app["exit"]) == circuit.connector]
    served = {app["public"] for app in apps} | ({public} if circuit.link["nat"] else set())
    routes = {
        KernelRoute(prefix, fwmarks.NEAR_GATEWAY, SEGMENT_VETH)
        for member in segment.leaving_members
        for prefix in route_prefixes(IPV4.select(parse_ranges(member["ranges"])))
    }
    routes |= {KernelRoute(f"{address}/32", fwmarks.NEAR_GATEWAY, SEGMENT_VETH) for address in served}
    routes.add(KernelRoute("0.0.0.0/0", circuit.peer, outside))
    return NetworkNamespace(
        name=circuit_namespace(segment, circuit),
        sections=segment.sections,
        links=(
            KernelLink(
                SEGMENT_VETH,
                "veth",
                mac=fwmarks.veth_mac(fwmarks.FAR_GATEWAY),
                mtu=circuit.mtu,
                peer=(segment.namespace, circuit.segment_interface),
            ),
            KernelLink(outside, "circuit", mtu=circuit.mtu, rate=circuit.rate),
        ),
        addresses=frozenset({(outside, circuit.local)}),
        neighbours=frozenset(veth_neighbours(SEGMENT_VETH, fwmarks.NEAR_GATEWAY, (IPV4,))),
        routes=frozenset(routes),
        rules=NftTable(
            sets={"apps": "set { type ipv4_addr . inet_proto . inet_service; }"},
            elements={"apps": tuple(sorted(f"{app['public']} . {app['protocol']} . {app['port']}" for app in apps))},
            chains={
                "leave": (
                    "type filter hook forward priority filter; policy drop;",
                    (
                        f'iifname "{SEGMENT_VETH}" oifname "{outside}" accept',
                        f'iifname "{outside}" ct state established,related accept',
                        f'iifname "{outside}" ip daddr . meta l4proto . th dport @apps accept',
                    ),
                ),
                "clamp": MSS_CLAMP,
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
