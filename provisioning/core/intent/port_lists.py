"""Port lists: protocols and ports that rules name together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import IpProtocol, Name, Objects, References, Text
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.limits import ENTRIES
from provisioning.core.intent.match_fields import Ports
from provisioning.core.values.l4 import is_port_range
from provisioning.core.values.well_known_ports import WELL_KNOWN_PORTS


@dataclass(frozen=True, slots=True)
class PortEntry:
    """A protocol with its ports; without any every port of it."""

    protocol: Annotated[str | int, IpProtocol(default="tcp", help="tcp, udp, icmp, icmpv6 or a number")]
    ports: Annotated[tuple[str, ...], Ports()]
    description: Annotated[str, Text(200, default="", label="Reason", help="a ticket, an owner: why it is there")] = ""

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        if body["protocol"] == "any":
            reader.problem("bad_protocol", "protocol", "An entry names one protocol. Name tcp, udp or another one.")


@dataclass(frozen=True, slots=True)
class PortList(IntentObject):
    name: Annotated[str, Name(reserved=True)]
    entries: Annotated[tuple[PortEntry, ...], Objects(limit=ENTRIES, word="entry")]
    contains: Annotated[
        tuple[str, ...],
        References(
            ("port-lists",),
            default=(),
            label="Contains lists",
            help="lists whose ports are in this one too",
            filter=True,
        ),
    ]

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        name = body["name"]
        if isinstance(name, str) and (name.lower() in WELL_KNOWN_PORTS or is_port_range(name)):
            meaning = "are well-known ports already" if name.lower() in WELL_KNOWN_PORTS else "reads like ports"
            reader.problem("reserved_name", "name", f"“{name}” {meaning}. Choose another name.")


KIND = Kind(
    "port-lists",
    PortList,
    "port list",
    "port lists",
    "Protocols and ports with a name. A rule that names the list follows when the list changes. Well-known ones, such "
    "as https, need no list.",
    {"name": "web", "entries": [{"protocol": "tcp", "ports": ["80", "443"]}, {"protocol": "udp", "ports": ["443"]}]},
    affects_connectors=True,
)
