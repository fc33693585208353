"""A segment's namespace on one node: links, addresses, neighbours, routes. No choices are left to the applying side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provisioning.agent import marks, ranges
from provisioning.agent.view import Circuit, Segment, wire
from provisioning.agent.wanted import Link, Namespace, Route, Rules

MAIN = 254
INSIDE = "inside"
"""The end of a wire in a namespace where addresses are translated."""

APPS = "xapps"


def namespace(segment: Segment, rules: Rules) -> Namespace:
    """All of it, the nft rules given."""
    return Namespace(
        name=segment.namespace,
        sections=segment.sections,
        links=tuple(_links(segment)),
        addresses=frozenset(_addresses(segment)),
        neighbours=frozenset(_neighbours(segment)),
        forwarding=frozenset(_forwarding(segment)),
        routes=frozenset(_routes(segment)),
        marks=frozenset(_marks(segment)),
        rules=rules,
    )


def arm(index: int) -> str:
    """The bridge port of a service instance that this node hosts."""
    return f"arm{index}"


def beyond(segment: Segment, circuit: Circuit) -> str:
    """The namespace of an exit or of an edge, where addresses are translated."""
    return f"{segment.namespace}.{circuit.interface}"


def app_namespace(segment: Segment) -> str:
    """Where the connections of internet applications are translated."""
    return f"{segment.namespace}.apps"


def gateway(address: str, family: ranges.Family) -> str:
    """A link-local address of ours in the family of the routes it is for."""
    return address if family is ranges.IP4 else marks.ipv6(address)


def circuit_addresses(circuit: Circuit, families: Sequence[ranges.Family]) -> list[tuple[str, str]]:
    """Our end's, in the namespace where the circuit ends."""
    found = [(circuit.interface, gateway(circuit.local, family)) for family in families]
    return found + [(circuit.interface, marks.link_local(circuit.local)) for family in families if family is ranges.IP6]


def wire_neighbours(interface: str, towards: str, families: Iterable[ranges.Family]) -> list[tuple[str, str, str]]:
    return [(interface, gateway(towards, family), marks.wire_mac(towards)) for family in families]


def _links(segment: Segment) -> list[Link]:
    index = segment.index
    links = [
        Link(marks.MESH, "bridge", mac=marks.mesh_mac(index)),
        Link(
            "vx",
            "vxlan",
            master=marks.MESH,
            vni=int(segment.body["vni"]),
            underlay=str(segment.nodes[segment.node]["underlay"]),
        ),
    ]
    for _, instance in _hosted(segment):
        links.append(Link(arm(instance["index"]), "veth", master=marks.MESH))
    for circuit in segment.circuits:
        if circuit.wire == circuit.interface:
            links.append(Link(circuit.interface, "circuit", mtu=circuit.mtu, rate=circuit.rate))
        else:
            # As narrow as the circuit, so that what does not fit is told of here, where errors find their way.
            links.append(_wire(circuit.wire, marks.NEAR, beyond(segment, circuit), INSIDE, circuit.mtu))
    for interface, other in segment.wires.items():
        there = segment.namespace_of(other)
        links.append(_wire(interface, _side(segment, other), there, wire(segment.number)))
    if segment.apps:
        links.append(_wire(APPS, marks.NEAR, app_namespace(segment), INSIDE))
    return links


def _wire(interface: str, side: str, there: str, peer: str, mtu: int = 1500) -> Link:
    return Link(interface, "veth", mac=marks.wire_mac(side), mtu=mtu, peer=(there, peer))


def _side(segment: Segment, other: str) -> str:
    """Which end of the wire to another segment is ours: the one that decides is near."""
    return marks.NEAR if any(guest["segment"] == other for guest in segment.guests) else marks.FAR


def _other_side(segment: Segment, other: str) -> str:
    return marks.FAR if _side(segment, other) == marks.NEAR else marks.NEAR


def _hosted(segment: Segment) -> list[tuple[str, dict[str, int]]]:
    return [(s, i) for s, i in segment.instances if i["host"] == segment.node]  # type: ignore[misc]


def _addresses(segment: Segment) -> list[tuple[str, str]]:
    found = [(marks.MESH, gateway(f"{marks.mesh_address(segment.index)}/17", f)) for f in segment.families]
    direct = [circuit for circuit in segment.attached if not circuit.is_edged]
    return found + [address for circuit in direct for address in circuit_addresses(circuit, segment.families)]


def _neighbours(segment: Segment) -> list[tuple[str, str, str]]:
    """Everybody on the mesh and on wires, so that nothing has to be asked for or learned."""
    others = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    others += [instance["index"] for _, instance in segment.instances]
    found = [
        (marks.MESH, gateway(marks.mesh_address(i), f), marks.mesh_mac(i)) for i in others for f in segment.families
    ]
    for circuit in segment.circuits:
        if circuit.wire != circuit.interface:
            found += wire_neighbours(circuit.wire, marks.FAR, segment.families)
    for interface, other in segment.wires.items():
        found += wire_neighbours(interface, _other_side(segment, other), segment.families)
    if segment.apps:
        found += wire_neighbours(APPS, marks.FAR, segment.families)
    return found


def _forwarding(segment: Segment) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for node, peer in segment.nodes.items():
        if node != segment.node:
            found += _behind_vxlan(peer["index"], peer["underlay"])
    for _, instance in segment.instances:
        if instance["host"] == segment.node:
            found.append((arm(instance["index"]), marks.mesh_mac(instance["index"]), ""))
        else:
            underlay = segment.nodes[instance["host"]]["underlay"]
            found += _behind_vxlan(instance["index"], underlay)
    return found


def _behind_vxlan(index: int, underlay: str) -> list[tuple[str, str, str]]:
    return [("vx", marks.mesh_mac(index), ""), ("vx", marks.mesh_mac(index), underlay)]


def _routes(segment: Segment) -> list[Route]:
    routes = [*_member_routes(segment), *_guest_routes(segment)]
    for family in segment.families:
        routes.append(Route(family.everything, "", "", table=marks.STANDBY, metric=1000))
        for table, address in _mesh_tables(segment):
            routes.append(Route(family.everything, gateway(address, family), marks.MESH, table=table))
    for number, circuit in enumerate(segment.exits, start=1):
        routes.append(Route("0.0.0.0/0", marks.FAR, circuit.wire, table=marks.EXIT | number))
    if segment.apps:
        routes.append(Route("0.0.0.0/0", marks.FAR, APPS, table=marks.APP))
    return routes


def _member_routes(segment: Segment) -> Iterator[Route]:
    """To the home node; there out of the active circuit, or to the node with the next one."""
    here = {circuit.connector: circuit for circuit in segment.attached}
    for member in segment.members:
        connector, home = member["connector"], member["home"]
        circuit = here.get(connector)
        for prefix in ranges.prefixes(ranges.union(member["ranges"])):
            family = ranges.family(prefix)
            if home != segment.node:
                index = segment.nodes[home]["index"]
                yield Route(prefix, gateway(marks.mesh_address(index), family), marks.MESH)
            if circuit:
                table = MAIN if home == segment.node else marks.STANDBY
                through = marks.FAR if circuit.is_edged else circuit.peer
                yield Route(prefix, gateway(through, family), circuit.wire, table=table)
                if index := segment.next_node(connector):
                    yield Route(prefix, gateway(marks.mesh_address(index), family), marks.MESH, table=table, metric=20)


def _guest_routes(segment: Segment) -> Iterator[Route]:
    """Guests are reached through their own segment's namespace on their home node, and hosts on every node."""
    interfaces = {other: interface for interface, other in segment.wires.items()}
    for guest in segment.guests:
        for prefix in ranges.prefixes(ranges.union(guest["ranges"])):
            family = ranges.family(prefix)
            if guest["home"] == segment.node:
                yield Route(prefix, gateway(marks.FAR, family), interfaces[guest["segment"]])
            else:
                index = segment.nodes[guest["home"]]["index"]
                yield Route(prefix, gateway(marks.mesh_address(index), family), marks.MESH)
    for host in segment.handover:
        for prefix in ranges.prefixes(ranges.union(host["ranges"])):
            family = ranges.family(prefix)
            yield Route(prefix, gateway(marks.NEAR, family), interfaces[host["segment"]])


def _mesh_tables(segment: Segment) -> list[tuple[int, str]]:
    anchors = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    found = [(marks.ANCHOR | index, marks.mesh_address(index)) for index in anchors]
    instances = [instance["index"] for _, instance in segment.instances]
    return found + [(marks.INSTANCE | index, marks.mesh_address(index)) for index in instances]


def _marks(segment: Segment) -> list[tuple[int, int]]:
    tables = [table for table, _ in _mesh_tables(segment)]
    tables += [marks.EXIT | number for number, _ in enumerate(segment.exits, start=1)]
    tables += [marks.APP] if segment.apps else []
    return [(table, table) for table in (marks.STANDBY, *tables)]
