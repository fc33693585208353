"""Internet applications of a segment on their exits' home node: one namespace that translates their connections.

The segment decides about a connection by what it is before (client, public address, public port) and sends it through
services like that. Then it goes through here and comes back as what the target sees, to be delivered. Replies come by
here first: the target's exchange sends them to the exit's home node, like any flow to the internet. A client inside
never keeps its address here: the target would answer it past this node.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV4, nft_interval
from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace, NftTable
from provisioning.agent.parsed_segment import ParsedSegment, hidden_sources
from provisioning.agent.render_internet_exit import MSS_CLAMP
from provisioning.agent.render_namespace import APPLICATIONS_VETH, SEGMENT_VETH, applications_namespace, veth_neighbours
from provisioning.core.node_document import AppEntry


def namespaces(segment: ParsedSegment) -> list[NetworkNamespace]:
    if not segment.apps:
        return []
    numbered = list(enumerate(sorted(segment.apps, key=lambda app: app["id"]), start=1))
    hidden = sorted({address for app in segment.apps for address in hidden_sources(app)})
    inside = tuple(map(nft_interval, IPV4.select(segment.internal_ranges)))
    return [
        NetworkNamespace(
            name=applications_namespace(segment),
            sections=segment.sections,
            links=(
                KernelLink(
                    SEGMENT_VETH,
                    "veth",
                    mac=fwmarks.veth_mac(fwmarks.FAR_GATEWAY),
                    peer=(segment.namespace, APPLICATIONS_VETH),
                ),
            ),
            neighbours=frozenset(veth_neighbours(SEGMENT_VETH, fwmarks.NEAR_GATEWAY, (IPV4,))),
            routes=frozenset({KernelRoute("0.0.0.0/0", fwmarks.NEAR_GATEWAY, SEGMENT_VETH)}),
            rules=NftTable(
                sets={"hidden": "set { type ipv4_addr; }", "inside": "set { type ipv4_addr; flags interval; }"},
                elements={"hidden": tuple(hidden), "inside": inside},
                chains={
                    "to": (
                        "type nat hook prerouting priority dstnat; policy accept;",
                        tuple(line for number, app in numbered for line in _dnat_rules(number, app)),
                    ),
                    "from": (
                        "type nat hook postrouting priority srcnat; policy accept;",
                        tuple(line for number, app in numbered for line in _snat_rules(number, app)),
                    ),
                    # What a target sends to the internet by itself comes by too where clients keep their addresses.
                    "leave": (
                        "type filter hook forward priority filter; policy accept;",
                        ("ct status dnat accept", "ip daddr @hidden drop"),
                    ),
                    "clamp": MSS_CLAMP,
                    "input": ("type filter hook input priority filter; policy drop;", ()),
                },
            ),
        )
    ]


def _snat_rules(number: int, app: AppEntry) -> Iterator[str]:
    if app["source_nat"]:
        yield f"ct mark {number} snat ip to {app['source_nat']}"
    elif source := app.get("hairpin_source"):
        yield f"ct mark {number} ip saddr @inside snat ip to {source}"


def _dnat_rules(number: int, app: AppEntry) -> Iterator[str]:
    """Yield the translation to a target, picked by the client: it keeps its target while the targets stay the same."""
    match = f"ip daddr {app['public']} meta l4proto {app['protocol']} th dport {app['port']} ct mark set {number}"
    targets = app["targets"]
    if len(targets) > 1:
        table = ", ".join(f"{index} : {target}" for index, target in enumerate(targets))
        by_client = f"jhash ip saddr mod {len(targets)} map {{ {table} }}"
        yield f"{match} dnat ip to {by_client} : {app['target_port']}"
    else:
        yield f"{match} dnat ip to {targets[0]}:{app['target_port']}"
