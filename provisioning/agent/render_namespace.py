"""A segment's namespace on one node: links, addresses, neighbours, routes. The reconciler is left no choices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provisioning.agent import fwmarks
from provisioning.agent.address_families import IPV4, IPV6, AddressFamily, family_of, route_prefixes
from provisioning.agent.desired import KernelLink, KernelRoute, NetworkNamespace, NftTable
from provisioning.agent.parsed_segment import ParsedCircuit, ParsedSegment, other_segment_interface
from provisioning.core.node_document import ServiceInstanceEntry
from provisioning.core.values.addresses import parse_ranges

MAIN_TABLE = 254
SEGMENT_VETH = "inside"
"""The end of a veth pair, in a namespace where addresses are translated, that leads to the segment: the inside of an
exit, and the exchange's side of an edge (not the site's)."""

APPLICATIONS_VETH = "xapps"


def segment_namespace(segment: ParsedSegment, rules: NftTable) -> NetworkNamespace:
    """Return all of it, the nft table given."""
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
    """Return the bridge port of a service instance that this node hosts."""
    return f"arm{index}"


def circuit_namespace(segment: ParsedSegment, circuit: ParsedCircuit) -> str:
    """Return the namespace of an exit or of an edge, where addresses are translated."""
    return f"{segment.namespace}.{circuit.interface}"


def applications_namespace(segment: ParsedSegment) -> str:
    """Return the namespace where the connections of internet applications are translated."""
    return f"{segment.namespace}.apps"


def in_family(address: str, family: AddressFamily) -> str:
    """Return a link-local address of ours in the family of the routes it is for."""
    return address if family is IPV4 else fwmarks.ipv6_counterpart(address)


def circuit_addresses(circuit: ParsedCircuit, families: Sequence[AddressFamily]) -> list[tuple[str, str]]:
    """Return (interface, address) of our end, in the namespace where the circuit ends."""
    addresses = [(circuit.interface, in_family(circuit.local, family)) for family in families]
    if IPV6 in families:
        addresses.append((circuit.interface, fwmarks.ipv6_link_local(circuit.local)))
    return addresses


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
            vni=segment.body["vni"],
            underlay=segment.nodes[segment.node]["underlay"],
        ),
    ]
    for instance in _hosted_instances(segment):
        links.append(KernelLink(instance_port(instance["index"]), "veth", master=fwmarks.MESH_BRIDGE))
    for circuit in segment.circuits:
        if circuit.segment_interface == circuit.interface:
            links.append(KernelLink(circuit.interface, "circuit", mtu=circuit.mtu, rate=circuit.rate))
        else:
            # As narrow as the circuit: what does not fit is refused here, from where errors find their way back.
            links.append(
                _veth(
                    circuit.segment_interface,
                    fwmarks.NEAR_GATEWAY,
                    circuit_namespace(segment, circuit),
                    SEGMENT_VETH,
                    circuit.mtu,
                )
            )
    for interface, other in segment.other_segment_interfaces.items():
        peer_namespace, peer_interface = segment.namespace_of(other), other_segment_interface(segment.number)
        links.append(_veth(interface, _own_gateway(segment, other), peer_namespace, peer_interface))
    if segment.apps:
        links.append(_veth(APPLICATIONS_VETH, fwmarks.NEAR_GATEWAY, applications_namespace(segment), SEGMENT_VETH))
    return links


def _veth(interface: str, gateway: str, namespace: str, peer: str, mtu: int = 1500) -> KernelLink:
    """Return a veth whose other end is ``peer`` in ``namespace``; ``gateway`` says which end this one is."""
    return KernelLink(interface, "veth", mac=fwmarks.veth_mac(gateway), mtu=mtu, peer=(namespace, peer))


def _own_gateway(segment: ParsedSegment, other: str) -> str:
    """Return which end of the veth pair to another segment is ours: the segment that decides is near."""
    is_decider = any(member["segment"] == other for member in segment.imported_members)
    return fwmarks.NEAR_GATEWAY if is_decider else fwmarks.FAR_GATEWAY


def _other_gateway(segment: ParsedSegment, other: str) -> str:
    return fwmarks.FAR_GATEWAY if _own_gateway(segment, other) == fwmarks.NEAR_GATEWAY else fwmarks.NEAR_GATEWAY


def _hosted_instances(segment: ParsedSegment) -> list[ServiceInstanceEntry]:
    return [instance for _, instance in segment.instances if instance["host"] == segment.node]


def _addresses(segment: ParsedSegment) -> list[tuple[str, str]]:
    mesh_address = f"{fwmarks.mesh_address(segment.index)}/17"
    addresses = [(fwmarks.MESH_BRIDGE, in_family(mesh_address, family)) for family in segment.families]
    direct = [circuit for circuit in segment.site_circuits if not circuit.has_edge]
    return addresses + [address for circuit in direct for address in circuit_addresses(circuit, segment.families)]


def _neighbours(segment: ParsedSegment) -> list[tuple[str, str, str]]:
    """Return every address on the mesh and on veth pairs, so that none has to be asked for or learned."""
    indexes = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    indexes += [instance["index"] for _, instance in segment.instances]
    neighbours = [
        (fwmarks.MESH_BRIDGE, in_family(fwmarks.mesh_address(index), family), fwmarks.mesh_mac(index))
        for index in indexes
        for family in segment.families
    ]
    for circuit in segment.circuits:
        if circuit.segment_interface != circuit.interface:
            neighbours += veth_neighbours(circuit.segment_interface, fwmarks.FAR_GATEWAY, segment.families)
    for interface, other in segment.other_segment_interfaces.items():
        neighbours += veth_neighbours(interface, _other_gateway(segment, other), segment.families)
    if segment.apps:
        neighbours += veth_neighbours(APPLICATIONS_VETH, fwmarks.FAR_GATEWAY, segment.families)
    return neighbours


def _fdb_entries(segment: ParsedSegment) -> list[tuple[str, str, str]]:
    entries: list[tuple[str, str, str]] = []
    for node, peer in segment.nodes.items():
        if node != segment.node:
            entries += _vxlan_fdb_entries(peer["index"], peer["underlay"])
    for _, instance in segment.instances:
        if instance["host"] == segment.node:
            entries.append((instance_port(instance["index"]), fwmarks.mesh_mac(instance["index"]), ""))
        else:
            underlay = segment.nodes[instance["host"]]["underlay"]
            entries += _vxlan_fdb_entries(instance["index"], underlay)
    return entries


def _vxlan_fdb_entries(index: int, underlay: str) -> list[tuple[str, str, str]]:
    return [("vx", fwmarks.mesh_mac(index), ""), ("vx", fwmarks.mesh_mac(index), underlay)]


def _routes(segment: ParsedSegment) -> list[KernelRoute]:
    routes = [*_member_routes(segment), *_other_segment_routes(segment)]
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
    for mark, interface in egress_interfaces(segment).items():
        routes.append(KernelRoute("0.0.0.0/0", fwmarks.NEAR_GATEWAY, interface, table=mark))
    if segment.apps:
        routes.append(KernelRoute("0.0.0.0/0", fwmarks.FAR_GATEWAY, APPLICATIONS_VETH, table=fwmarks.TO_APPLICATION))
    return routes


def _member_routes(segment: ParsedSegment) -> Iterator[KernelRoute]:
    """Yield routes to the home node; there out of the active circuit, or to the node with the next one."""
    circuits = {circuit.connector: circuit for circuit in segment.site_circuits}
    for member in segment.members:
        connector, home = member["connector"], member["home"]
        circuit = circuits.get(connector)
        for prefix in route_prefixes(parse_ranges(member["ranges"])):
            family = family_of(prefix)
            if home != segment.node:
                index = segment.nodes[home]["index"]
                yield KernelRoute(prefix, in_family(fwmarks.mesh_address(index), family), fwmarks.MESH_BRIDGE)
            if circuit:
                table = MAIN_TABLE if home == segment.node else fwmarks.STANDBY
                gateway = fwmarks.FAR_GATEWAY if circuit.has_edge else circuit.peer
                yield KernelRoute(prefix, in_family(gateway, family), circuit.segment_interface, table=table)
                if index := segment.next_circuit_node_index(connector):
                    yield KernelRoute(
                        prefix,
                        in_family(fwmarks.mesh_address(index), family),
                        fwmarks.MESH_BRIDGE,
                        table=table,
                        metric=20,
                    )


def _other_segment_routes(segment: ParsedSegment) -> Iterator[KernelRoute]:
    """Yield routes to imported members, through their own segment's namespace on their home node, and to members of
    segments that decide, through their namespace on every node."""
    interfaces = {other: interface for interface, other in segment.other_segment_interfaces.items()}
    for member in segment.imported_members:
        for prefix in route_prefixes(parse_ranges(member["ranges"])):
            family = family_of(prefix)
            if member["home"] == segment.node:
                yield KernelRoute(prefix, in_family(fwmarks.FAR_GATEWAY, family), interfaces[member["segment"]])
            else:
                index = segment.nodes[member["home"]]["index"]
                yield KernelRoute(prefix, in_family(fwmarks.mesh_address(index), family), fwmarks.MESH_BRIDGE)
    for decider in segment.deciding_peers:
        for prefix in route_prefixes(parse_ranges(decider["ranges"])):
            family = family_of(prefix)
            yield KernelRoute(prefix, in_family(fwmarks.NEAR_GATEWAY, family), interfaces[decider["segment"]])


def egress_interfaces(segment: ParsedSegment) -> dict[int, str]:
    """Return mark → interface to each of the segments by whose exits some members leave, in their order; the numbers
    follow those of our own exits."""
    interfaces = {other: interface for interface, other in segment.other_segment_interfaces.items()}
    first = len(segment.exits) + 1
    return {
        fwmarks.TO_EXIT | number: interfaces[peer["segment"]]
        for number, peer in enumerate(segment.egress_peers, start=first)
    }


def _mesh_routing_tables(segment: ParsedSegment) -> list[tuple[int, str]]:
    """Return (routing table, address on the mesh) for each anchor and each service instance."""
    anchors = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    tables = [(fwmarks.TO_ANCHOR | index, fwmarks.mesh_address(index)) for index in anchors]
    instances = [instance["index"] for _, instance in segment.instances]
    return tables + [(fwmarks.TO_INSTANCE | index, fwmarks.mesh_address(index)) for index in instances]


def _fwmark_rules(segment: ParsedSegment) -> list[tuple[int, int]]:
    tables = [table for table, _ in _mesh_routing_tables(segment)]
    tables += [fwmarks.TO_EXIT | number for number, _ in enumerate(segment.exits, start=1)]
    tables += egress_interfaces(segment)
    tables += [fwmarks.TO_APPLICATION] if segment.apps else []
    return [(table, table) for table in (fwmarks.STANDBY, *tables)]
