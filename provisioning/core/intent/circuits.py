"""Circuits: A on node 1 and B on node 2, and the link addresses they get when nobody gives them any."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Boolean, Choice, Converter, Integer, Nested, Object, Objects, Text
from provisioning.core.values.address_forms import canonical_interface
from provisioning.core.values.exchange_numbers import LINK_PREFIX


@dataclass(frozen=True)
class InterfaceAddress(Text):
    """An address with the length of its network."""

    default: Any = None

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        text = reader.text(name, None)
        return None if text is None else reader.address(name, text, canonical_interface)


@dataclass(frozen=True, slots=True)
class BgpSession:
    """Only declares the fields; circuits keep the stored mapping."""

    peer_asn: Annotated[
        int,
        Integer(
            1,
            4_294_967_294,
            label="Peer ASN",
            help="the AS path that route policies see; no BGP session is opened yet",
        ),
    ]
    bfd: Annotated[bool, Boolean(label="BFD", help="not in effect yet")]


@dataclass(frozen=True, slots=True)
class Circuit:
    """``local`` is the exchange's end and ``peer`` the far end of the link, both with their prefix length."""

    name: Annotated[str, Choice({"A": "A", "B": "B"}, label="Circuit")]
    node: Annotated[int, Integer(1, 2, default=None)]
    role: Annotated[str, Choice({"active": "active", "standby": "standby"}, default=None)]
    local: Annotated[str, InterfaceAddress(label="Local address", help="the exchange's end", example="169.254.1.1/30")]
    peer: Annotated[str, InterfaceAddress(label="Peer address", example="169.254.1.2/30")]
    vlan: Annotated[int | None, Integer(1, 4094, default=None, label="VLAN")]
    bgp: Annotated[Mapping[str, Any] | None, Object(default=None, stored_as=BgpSession, label="BGP")]


@dataclass(frozen=True)
class Circuits(Objects):
    """Link addresses that were left out follow from the number of the connector."""

    def converter(self, nested: Nested | None) -> Converter | None:
        return lambda value, number, body: tuple(
            [build_circuit(number, index, circuit) for index, circuit in enumerate(value)]
        )


_LINK_BASE = int(ipaddress.IPv4Network(LINK_PREFIX).network_address)
LINK_SLOTS = range(1, (1 << 12) - 1)


def link_slot(number: int, circuit: int) -> int:
    """The wanted place of a link among the /30s of LINK_PREFIX; a connector's four (A to D) never share one.

    Half way round, C and D of one connector come where A and B of another one are on the other node.
    """
    return LINK_SLOTS[(2 * number + circuit % 2 + circuit // 2 * (len(LINK_SLOTS) // 2)) % len(LINK_SLOTS)]


@lru_cache(maxsize=len(LINK_SLOTS))
def link_addresses(slot: int) -> tuple[str, str]:
    """The exchange's and the far end of the link at a place."""
    base = _LINK_BASE + 4 * slot
    return f"{ipaddress.IPv4Address(base + 1)}/30", f"{ipaddress.IPv4Address(base + 2)}/30"


MAX_INTERFACE_NAME = 15
"""Characters of an interface's name in Linux (IFNAMSIZ, less the byte that ends it)."""


def circuit_interface(connector: int, circuit: str, segment: int) -> str:
    """Return the name of a circuit's interface on its node, by the numbers of connector and segment: ``c12a7``.

    It may be longer than MAX_INTERFACE_NAME; ``check`` refuses a network where one is.
    """
    return f"c{connector}{circuit.lower()}{segment}"


def complete_circuits(reader: FieldReader, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return both circuits, what was given kept and the rest filled in; exactly one of them carries traffic."""
    reader.check_unique("circuits", [circuit["name"] for circuit in listed])
    given = {circuit["name"]: circuit for circuit in listed}
    b_active = given.get("B", {}).get("role") == "active"
    circuits = []
    for name, node, role in (("A", 1, "standby" if b_active else "active"), ("B", 2, "standby")):
        circuit = given.get(name, {"local": None, "peer": None, "vlan": None, "bgp": None})
        circuits.append(
            {**circuit, "name": name, "node": circuit.get("node") or node, "role": circuit.get("role") or role}
        )
    if sum(circuit["role"] == "active" for circuit in circuits) != 1:
        reader.problem("not_one_of", "circuits", "Exactly one circuit is active; the other one is standby.")
    if circuits[0]["node"] == circuits[1]["node"]:
        reader.problem("not_one_of", "circuits", "Circuit A and circuit B end on different nodes: one on 1, one on 2.")
    return circuits


def build_circuit(number: int, index: int, body: Mapping[str, Any]) -> Circuit:
    local, peer = link_addresses(link_slot(number, index))
    return Circuit(
        name=body["name"],
        node=body["node"],
        role=body["role"],
        local=body["local"] or local,
        peer=body["peer"] or peer,
        vlan=body["vlan"],
        bgp=body["bgp"],
    )
