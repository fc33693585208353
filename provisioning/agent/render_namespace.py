"""A segment's namespace on one node: links, addresses, neighbours, routes. No choices are left to the applying side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV4, IPV6, AddressFamily, family_of, route_prefixes
from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace, NftTable
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment, peer_segment_interface
from provisioning.core.values.addresses import parse_ranges

MAIN_TABLE = 254
INSIDE_VETH = "inside"
"""The end of a wire in a namespace where addresses are translated."""

APPLICATIONS_VETH = "xapps"


def segment_namespace(segment: ParsedSegment, rules: NftTable) -> NetworkNamespace:
    """All of it, the nft rules given."""
    return NetworkNamespace(
        name=segment.namespace,
        sections=segment.sections,
        links=tuple(_links(segment)),
        addresses=frozenset(_addresses(segment)),
        neighbours=frozenset(_neighbours(segment)),
        forwarding=frozenset(_fdb_entries(segment)),
        routes=frozenset(_routes(segment)),
        fwmark_rules=frozenset(_fwmark_rules(segment)),
        rules=rules,
    )


def instance_port(index: int) -> str:
    """The bridge port of a service instance that this node hosts."""
    return f"arm{index}"


def circuit_namespace(segment: ParsedSegment, circuit: ParsedCircuit) -> str:
    """The namespace of an exit or of an edge, where addresses are translated."""
    return f"{segment.namespace}.{circuit.interface}"


def applications_namespace(segment: ParsedSegment) -> str:
    """Where the connections of internet applications are translated."""
    return f"{segment.namespace}.apps"


def in_family(address: str, family: AddressFamily) -> str:
    """A link-local address of ours in the family of the routes it is for."""
    return address if family is IPV4 else fwmarks.ipv6_counterpart(address)


def circuit_addresses(circuit: ParsedCircuit, families: Sequence[AddressFamily]) -> list[tuple[str, str]]:
    """Our end's, in the namespace where the circuit ends."""
    found = [(circuit.interface, in_family(circuit.local, family)) for family in families]
    return found + [
        (circuit.interface, fwmarks.ipv6_link_local(circuit.local)) for family in families if family is IPV6
    ]


def veth_neighbours(interface: str, towards: str, families: Iterable[AddressFamily]) -> list[tuple[str, str, str]]:
    return [(interface, in_family(towards, family), fwmarks.veth_mac(towards)) for family in families]


def _links(segment: ParsedSegment) -> list[KernelLink]:
    index = segment.index
    links = [
        KernelLink(fwmarks.MESH_BRIDGE, "bridge", mac=fwmarks.mesh_mac(index)),
        KernelLink(
            "vx",
            "vxlan",
            master=fwmarks.MESH_BRIDGE,
            vni=int(segment.body["vni"]),
            underlay=str(segment.nodes[segment.node]["underlay"]),
        ),
    ]
    for _, instance in _hosted_instances(segment):
        links.append(KernelLink(instance_port(instance["index"]), "veth", master=fwmarks.MESH_BRIDGE))
    for circuit in segment.circuits:
        if circuit.segment_interface == circuit.interface:
            links.append(KernelLink(circuit.interface, "circuit", mtu=circuit.mtu, rate=circuit.rate))
        else:
            # As narrow as the circuit, so that what does not fit is told of here, where errors find their way.
            links.append(
                _veth(
                    circuit.segment_interface,
                    fwmarks.NEAR_GATEWAY,
                    circuit_namespace(segment, circuit),
                    INSIDE_VETH,
                    circuit.mtu,
                )
            )
    for interface, other in segment.peer_segment_interfaces.items():
        there = segment.namespace_of(other)
        links.append(_veth(interface, _own_gateway(segment, other), there, peer_segment_interface(segment.number)))
    if segment.apps:
        links.append(_veth(APPLICATIONS_VETH, fwmarks.NEAR_GATEWAY, applications_namespace(segment), INSIDE_VETH))
    return links


def _veth(interface: str, side: str, there: str, peer: str, mtu: int = 1500) -> KernelLink:
    return KernelLink(interface, "veth", mac=fwmarks.veth_mac(side), mtu=mtu, peer=(there, peer))


def _own_gateway(segment: ParsedSegment, other: str) -> str:
    """Which end of the wire to another segment is ours: the one that decides is near."""
    return (
        fwmarks.NEAR_GATEWAY
        if any(guest["segment"] == other for guest in segment.imported_members)
        else fwmarks.FAR_GATEWAY
    )


def _peer_gateway(segment: ParsedSegment, other: str) -> str:
    return fwmarks.FAR_GATEWAY if _own_gateway(segment, other) == fwmarks.NEAR_GATEWAY else fwmarks.NEAR_GATEWAY


def _hosted_instances(segment: ParsedSegment) -> list[tuple[str, dict[str, int]]]:
    return [(s, i) for s, i in segment.instances if i["host"] == segment.node]  # type: ignore[misc]


def _addresses(segment: ParsedSegment) -> list[tuple[str, str]]:
    found = [(fwmarks.MESH_BRIDGE, in_family(f"{fwmarks.mesh_address(segment.index)}/17", f)) for f in segment.families]
    direct = [circuit for circuit in segment.site_circuits if not circuit.has_edge]
    return found + [address for circuit in direct for address in circuit_addresses(circuit, segment.families)]


def _neighbours(segment: ParsedSegment) -> list[tuple[str, str, str]]:
    """Everybody on the mesh and on wires, so that nothing has to be asked for or learned."""
    others = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    others += [instance["index"] for _, instance in segment.instances]
    found = [
        (fwmarks.MESH_BRIDGE, in_family(fwmarks.mesh_address(i), f), fwmarks.mesh_mac(i))
        for i in others
        for f in segment.families
    ]
    for circuit in segment.circuits:
        if circuit.segment_interface != circuit.interface:
            found += veth_neighbours(circuit.segment_interface, fwmarks.FAR_GATEWAY, segment.families)
    for interface, other in segment.peer_segment_interfaces.items():
        found += veth_neighbours(interface, _peer_gateway(segment, other), segment.families)
    if segment.apps:
        found += veth_neighbours(APPLICATIONS_VETH, fwmarks.FAR_GATEWAY, segment.families)
    return found


def _fdb_entries(segment: ParsedSegment) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for node, peer in segment.nodes.items():
        if node != segment.node:
            found += _vxlan_fdb_entries(peer["index"], peer["underlay"])
    for _, instance in segment.instances:
        if instance["host"] == segment.node:
            found.append((instance_port(instance["index"]), fwmarks.mesh_mac(instance["index"]), ""))
        else:
            underlay = segment.nodes[instance["host"]]["underlay"]
            found += _vxlan_fdb_entries(instance["index"], underlay)
    return found


def _vxlan_fdb_entries(index: int, underlay: str) -> list[tuple[str, str, str]]:
    return [("vx", fwmarks.mesh_mac(index), ""), ("vx", fwmarks.mesh_mac(index), underlay)]


def _routes(segment: ParsedSegment) -> list[KernelRoute]:
    routes = [*_member_routes(segment), *_peer_segment_routes(segment)]
    for family in segment.families:
        routes.append(KernelRoute(family.default_route, "", "", table=fwmarks.STANDBY, metric=1000))
        for table, address in _mesh_routing_tables(segment):
            routes.append(
                KernelRoute(family.default_route, in_family(address, family), fwmarks.MESH_BRIDGE, table=table)
            )
    for number, circuit in enumerate(segment.exits, start=1):
        routes.append(
            KernelRoute("0.0.0.0/0", fwmarks.FAR_GATEWAY, circuit.segment_interface, table=fwmarks.TO_EXIT | number)
        )
    if segment.apps:
        routes.append(KernelRoute("0.0.0.0/0", fwmarks.FAR_GATEWAY, APPLICATIONS_VETH, table=fwmarks.TO_APPLICATION))
    return routes


def _member_routes(segment: ParsedSegment) -> Iterator[KernelRoute]:
    """To the home node; there out of the active circuit, or to the node with the next one."""
    here = {circuit.connector: circuit for circuit in segment.site_circuits}
    for member in segment.members:
        connector, home = member["connector"], member["home"]
        circuit = here.get(connector)
        for prefix in route_prefixes(parse_ranges(member["ranges"])):
            family = family_of(prefix)
            if home != segment.node:
                index = segment.nodes[home]["index"]
                yield KernelRoute(prefix, in_family(fwmarks.mesh_address(index), family), fwmarks.MESH_BRIDGE)
            if circuit:
                table = MAIN_TABLE if home == segment.node else fwmarks.STANDBY
                through = fwmarks.FAR_GATEWAY if circuit.has_edge else circuit.peer
                yield KernelRoute(prefix, in_family(through, family), circuit.segment_interface, table=table)
                if index := segment.next_circuit_node_index(connector):
                    yield KernelRoute(
                        prefix,
                        in_family(fwmarks.mesh_address(index), family),
                        fwmarks.MESH_BRIDGE,
                        table=table,
                        metric=20,
                    )


def _peer_segment_routes(segment: ParsedSegment) -> Iterator[KernelRoute]:
    """Guests are reached through their own segment's namespace on their home node, and hosts on every node."""
    interfaces = {other: interface for interface, other in segment.peer_segment_interfaces.items()}
    for guest in segment.imported_members:
        for prefix in route_prefixes(parse_ranges(guest["ranges"])):
            family = family_of(prefix)
            if guest["home"] == segment.node:
                yield KernelRoute(prefix, in_family(fwmarks.FAR_GATEWAY, family), interfaces[guest["segment"]])
            else:
                index = segment.nodes[guest["home"]]["index"]
                yield KernelRoute(prefix, in_family(fwmarks.mesh_address(index), family), fwmarks.MESH_BRIDGE)
    for host in segment.deciding_peers:
        for prefix in route_prefixes(parse_ranges(host["ranges"])):
            family = family_of(prefix)
            yield KernelRoute(prefix, in_family(fwmarks.NEAR_GATEWAY, family), interfaces[host["segment"]])


def _mesh_routing_tables(segment: ParsedSegment) -> list[tuple[int, str]]:
    anchors = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    found = [(fwmarks.TO_ANCHOR | index, fwmarks.mesh_address(index)) for index in anchors]
    instances = [instance["index"] for _, instance in segment.instances]
    return found + [(fwmarks.TO_INSTANCE | index, fwmarks.mesh_address(index)) for index in instances]


def _fwmark_rules(segment: ParsedSegment) -> list[tuple[int, int]]:
    tables = [table for table, _ in _mesh_routing_tables(segment)]
    tables += [fwmarks.TO_EXIT | number for number, _ in enumerate(segment.exits, start=1)]
    tables += [fwmarks.TO_APPLICATION] if segment.apps else []
    return [(table, table) for table in (fwmarks.STANDBY, *tables)]
