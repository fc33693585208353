"""A segment's namespace on one node: links, addresses, neighbours, routes. No choices are left to the applying side."""

from __future__ import annotations

from provisioning.agent import marks, ranges
from provisioning.agent.view import Circuit, Segment
from provisioning.agent.wanted import Link, Namespace, Route, Rules

MAIN = 254


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


def exit_namespace(segment: Segment, circuit: Circuit) -> str:
    return f"{segment.namespace}.{circuit.interface}"


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
    for circuit in segment.attached:
        links.append(Link(circuit.interface, "circuit", mtu=circuit.mtu, rate=circuit.rate))
    for circuit in segment.exits:
        links.append(Link(circuit.wire, "veth", peer=(exit_namespace(segment, circuit), "inside")))
    return links


def _hosted(segment: Segment) -> list[tuple[str, dict[str, int]]]:
    return [(s, i) for s, i in segment.instances if i["host"] == segment.node]  # type: ignore[misc]


def _addresses(segment: Segment) -> list[tuple[str, str]]:
    found = [(marks.MESH, f"{marks.mesh_address(segment.index)}/17")]
    found += [(circuit.interface, str(circuit.link["local"])) for circuit in segment.attached]
    found += [(circuit.wire, f"{marks.EXIT_INSIDE}/32") for circuit in segment.exits]
    return found


def _neighbours(segment: Segment) -> list[tuple[str, str, str]]:
    """Everybody on the mesh, so that nothing has to be asked for or learned."""
    others = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    others += [instance["index"] for _, instance in segment.instances]
    return [(marks.MESH, marks.mesh_address(i), marks.mesh_mac(i)) for i in others]


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
    routes: list[Route] = []
    active = {c.connector: c for c in segment.attached if c.is_active}
    standby = {c.connector: c for c in segment.attached if not c.is_active}
    for member in segment.members:
        prefixes = ranges.prefixes(ranges.union(member["ranges"]))
        connector, home = member["connector"], member["home"]
        for prefix in prefixes:
            if home != segment.node:
                gateway = marks.mesh_address(segment.nodes[home]["index"])
                routes.append(Route(prefix, gateway, marks.MESH))
            elif connector in active:
                circuit = active[connector]
                routes.append(Route(prefix, _peer(circuit), circuit.interface))
                if other := segment.standby_node(connector):
                    routes.append(Route(prefix, marks.mesh_address(other), marks.MESH, metric=20))
            if connector in standby:
                circuit = standby[connector]
                routes.append(Route(prefix, _peer(circuit), circuit.interface, table=marks.STANDBY))
    routes.append(Route("0.0.0.0/0", "", "", table=marks.STANDBY, metric=1000))
    for table, gateway in _mesh_tables(segment):
        routes.append(Route("0.0.0.0/0", gateway, marks.MESH, table=table))
    for number, circuit in enumerate(segment.exits, start=1):
        routes.append(Route("0.0.0.0/0", marks.EXIT_OUTSIDE, circuit.wire, table=marks.EXIT | number))
    return routes


def _mesh_tables(segment: Segment) -> list[tuple[int, str]]:
    anchors = [peer["index"] for node, peer in segment.nodes.items() if node != segment.node]
    found = [(marks.ANCHOR | index, marks.mesh_address(index)) for index in anchors]
    instances = [instance["index"] for _, instance in segment.instances]
    return found + [(marks.INSTANCE | index, marks.mesh_address(index)) for index in instances]


def _marks(segment: Segment) -> list[tuple[int, int]]:
    tables = [table for table, _ in _mesh_tables(segment)]
    tables += [marks.EXIT | number for number, _ in enumerate(segment.exits, start=1)]
    return [(table, table) for table in (marks.STANDBY, *tables)]


def _peer(circuit: Circuit) -> str:
    return str(circuit.link["peer"]).partition("/")[0]
