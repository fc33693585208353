"""Whether a path passes what was asked about: services, exchanges, nodes and connectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisioning.core.intent import InvalidIntent
from provisioning.core.reach.trace.hops import Hop
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

_HOP_KINDS = {"services": "service", "connectors": "connector"}


@dataclass(frozen=True, slots=True)
class Waypoint:
    """kind: service, connector, exchange or node. hop: the name that its hops have; for an exchange, its key."""

    kind: str
    name: str
    hop: str


@dataclass(frozen=True, slots=True)
class PassedWaypoint:
    """passed: whether the path, as far as it gets, has it."""

    kind: str
    name: str
    passed: bool


def find_waypoint(network: Network, field: str, wanted: str) -> Waypoint:
    """Return the waypoint that a text means. Raise InvalidIntent when there is none."""
    for kind, hop_kind in _HOP_KINDS.items():
        if item := network.find(kind, wanted):
            return Waypoint(hop_kind, item.name, item.name)
    if exchange := network.find("exchanges", wanted):
        return Waypoint("exchange", exchange.name, exchange.key)
    if wanted in network.nodes_by_id:
        return Waypoint("node", wanted, wanted)
    message = f"There is no service, exchange, node or connector “{wanted}”."
    raise InvalidIntent([Problem("unknown_reference", field, message)])


def pass_waypoint(hops: Sequence[Hop], waypoint: Waypoint) -> PassedWaypoint:
    if waypoint.kind == "exchange":
        passed = any(hop.kind == "node" and hop.name.rpartition("/")[0] == waypoint.hop for hop in hops)
    else:
        passed = any((hop.kind, hop.name) == (waypoint.kind, waypoint.hop) for hop in hops)
    return PassedWaypoint(waypoint.kind, waypoint.name, passed)
