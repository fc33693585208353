"""Circuits: A on node 1 and B on node 2, and the link addresses they get when nobody gives them any."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from provisioning.core.intent.field_reader import FieldReader


@dataclass(frozen=True, slots=True)
class Circuit:
    """``local`` is the exchange's end and ``peer`` the far end of the link, both with their prefix length."""

    name: str
    node: int
    role: str
    local: str
    peer: str
    vlan: int | None
    bgp: Mapping[str, Any] | None


# Of the link-local block links have the first quarter, tunnels to clouds the second, the mesh of the nodes the rest.
_LINK_BASE = int(ipaddress.IPv4Address("169.254.0.0"))
LINK_SLOTS = range(1, (1 << 12) - 1)


def link_slot(number: int, circuit: int) -> int:
    """The wanted place of a link among the /30s of 169.254.0.0/18; a connector's four (A to D) never share one.

    Half way round, C and D of one connector come where A and B of another one are on the other node.
    """
    return LINK_SLOTS[(2 * number + circuit % 2 + circuit // 2 * (len(LINK_SLOTS) // 2)) % len(LINK_SLOTS)]


@lru_cache(maxsize=len(LINK_SLOTS))
def link_addresses(slot: int) -> tuple[str, str]:
    """The exchange's and the far end of the link at a place."""
    base = _LINK_BASE + 4 * slot
    return f"{ipaddress.IPv4Address(base + 1)}/30", f"{ipaddress.IPv4Address(base + 2)}/30"


def _read_bgp(body: FieldReader) -> dict[str, Any] | None:
    inner = body.object("bgp", None)
    if inner is None:
        return None
    bgp = {"peer_asn": inner.integer("peer_asn", 1, 4_294_967_294), "bfd": inner.boolean("bfd", True)}
    inner.reject_unknown_fields()
    return bgp


def _read_interface_address(body: FieldReader, field: str) -> str | None:
    text = body.text(field, None)
    if text is None:
        return None
    try:
        return str(ipaddress.ip_interface(text))
    except ValueError:
        body.problem("bad_prefix", field, f"“{text}” is not an address with its length, like 169.254.1.1/30.")
        return None


def _read_circuit(body: FieldReader) -> dict[str, Any]:
    return {
        "name": body.choice("name", ("A", "B")),
        "node": body.integer("node", 1, 2, None),
        "role": body.choice("role", ("active", "standby"), None),
        "local": _read_interface_address(body, "local"),
        "peer": _read_interface_address(body, "peer"),
        "vlan": body.integer("vlan", 1, 4094, None),
        "bgp": _read_bgp(body),
    }


def read_circuits(body: FieldReader) -> list[dict[str, Any]]:
    """Both circuits, with what was given kept and the rest filled in; exactly one of them carries traffic."""
    listed = body.objects("circuits", _read_circuit)
    body.check_unique("circuits", [circuit["name"] for circuit in listed])
    given = {circuit["name"]: circuit for circuit in listed}
    b_active = given.get("B", {}).get("role") == "active"
    circuits = []
    for name, node, role in (("A", 1, "standby" if b_active else "active"), ("B", 2, "standby")):
        circuit = given.get(name, {"local": None, "peer": None, "vlan": None, "bgp": None})
        circuits.append(
            {**circuit, "name": name, "node": circuit.get("node") or node, "role": circuit.get("role") or role}
        )
    if sum(circuit["role"] == "active" for circuit in circuits) != 1:
        body.problem("not_one_of", "circuits", "Exactly one circuit is active; the other one is standby.")
    if circuits[0]["node"] == circuits[1]["node"]:
        body.problem("not_one_of", "circuits", "Circuit A and circuit B end on different nodes: one on 1, one on 2.")
    return circuits


def build_circuit(number: int, place: int, body: Mapping[str, Any]) -> Circuit:
    local, peer = link_addresses(link_slot(number, place))
    return Circuit(
        name=body["name"],
        node=body["node"],
        role=body["role"],
        local=body["local"] or local,
        peer=body["peer"] or peer,
        vlan=body["vlan"],
        bgp=body["bgp"],
    )
