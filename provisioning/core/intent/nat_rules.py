"""NAT rules: what addresses the two sides of a connector's edge see of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Boolean, Choice, Integer, IpProtocol, Object, Position, Prefixes, Reference
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.match_fields import AddressMatch, Ports
from provisioning.core.values.protocols import PORT_PROTOCOLS

DIRECTIONS = {
    "outbound": "Outbound: connections begun behind the connector",
    "inbound": "Inbound: connections begun elsewhere",
}
_UNCHANGED = {"none": "Stays as it is"}
_STATIC = {"static": "One to one: each address has its own"}
_POOL = {"pool": "Pool: many share few, ports are translated"}


@dataclass(frozen=True, slots=True)
class NatMatch:
    """Empty ``source`` or ``destination`` means every address, empty ``ports`` every port.

    Static translation takes matched and translated prefixes place by place, so their order is kept.
    """

    source: Annotated[tuple[str, ...], AddressMatch(ranges=False, ordered=True, label="Source")]
    destination: Annotated[tuple[str, ...], AddressMatch(ranges=False, ordered=True, label="Destination")]
    protocol: Annotated[str | int, IpProtocol()]
    ports: Annotated[tuple[str, ...], Ports()]


@dataclass(frozen=True, slots=True)
class Translation:
    """static: one to one with what is matched, place by place; pool: many behind few, with port translation."""

    type: Annotated[str, Choice(_UNCHANGED | _STATIC | _POOL, default="none", label="Source")]
    prefixes: Annotated[tuple[str, ...], Prefixes(ordered=True, label="Seen as", example="100.64.1.0/24")]


@dataclass(frozen=True, slots=True)
class DestinationTranslation:
    """``port`` None keeps the port."""

    type: Annotated[str, Choice(_UNCHANGED | _STATIC, default="none", label="Destination")]
    prefixes: Annotated[tuple[str, ...], Prefixes(ordered=True, label="Inside", example="10.22.0.0/24")]
    port: Annotated[int | None, Integer(1, 65535, default=None, label="Other port", help="empty: the same")]


@dataclass(frozen=True, slots=True)
class NatRule(IntentObject):
    """outbound: flows begun behind the connector; inbound: flows begun elsewhere."""

    segment: Annotated[str, Reference(("segments",), filter=True)]
    connector: Annotated[str, Reference(("connectors",), help="NAT belongs to its edge", filter=True)]
    position: Annotated[
        int,
        Position(
            among=("connector", "segment"),
            help="unique for a connector in a segment; lower is tried first; last where left out",
        ),
    ]
    enabled: Annotated[bool, Boolean(filter=True, in_bulk=True)]
    direction: Annotated[str, Choice(DIRECTIONS, filter=True)]
    match: Annotated[NatMatch, Object(default={}, label="Match")]
    source: Annotated[Translation, Object(default={}, label="Source becomes")]
    destination: Annotated[DestinationTranslation, Object(default={}, label="Destination becomes")]

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        for field in ("source", "destination"):
            _check_translation(reader, field, body[field])
        if body["source"]["type"] == "none" and body["destination"]["type"] == "none":
            reader.problem("required", "source", "This rule translates neither the source nor the destination.")
        if body["destination"]["port"] is not None and body["match"]["protocol"] not in PORT_PROTOCOLS:
            wrong = "Another port needs the protocol tcp or udp in match.protocol."
            reader.problem("bad_port", "destination.port", wrong)


def _check_translation(reader: FieldReader, field: str, translation: Mapping[str, Any]) -> None:
    given = reader.body.get(field)
    is_empty = not (given.get("prefixes") if isinstance(given, Mapping) else None)
    if translation["type"] != "none" and is_empty:
        reader.problem("required", f"{field}.prefixes", f"Say which addresses the {field} is translated to.")
    if translation["type"] == "none" and translation["prefixes"]:
        wrong = f"The {field} is not translated; leave its prefixes out."
        reader.problem("not_one_of", f"{field}.prefixes", wrong)
    if translation["type"] == "none" and translation.get("port") is not None:
        wrong = "Only a translated destination can have another port."
        reader.problem("not_one_of", f"{field}.port", wrong)


KIND = Kind(
    "nat-rules",
    NatRule,
    "NAT rule",
    "NAT rules",
    "Sites that use the same addresses can join one segment when one of them is seen by other addresses. Rules, "
    "policies and traces speak of the presented addresses; a trace shows both.",
    {
        "name": "hide-branch",
        "segment": "corp",
        "connector": "site-1",
        "position": 10,
        "direction": "outbound",
        "match": {"source": ["192.168.0.0/24"], "destination": ["any"], "protocol": "any"},
        "source": {"type": "pool", "prefixes": ["10.200.0.0/30"]},
    },
    affects_connectors=True,
)
