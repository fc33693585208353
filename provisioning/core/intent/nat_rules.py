"""NAT rules: what addresses the two sides of a connector's edge see of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.address_match import build_address_match, prefix_list_references, read_address_match
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
)
from provisioning.core.intent.limits import LITERAL_PREFIXES


@dataclass(frozen=True, slots=True)
class NatMatch:
    """Empty ``source`` or ``destination`` means every address, empty ``ports`` every port."""

    source: tuple[str, ...]
    destination: tuple[str, ...]
    protocol: str | int
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Translation:
    """static: one to one with what is matched, place by place; pool: many behind few, with port translation."""

    type: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DestinationTranslation:
    """``port`` None keeps the port."""

    type: str
    prefixes: tuple[str, ...]
    port: int | None


@dataclass(frozen=True, slots=True)
class NatRule(IntentObject):
    """outbound: flows begun behind the connector; inbound: flows begun elsewhere."""

    segment: str
    connector: str
    position: int
    enabled: bool
    direction: str
    match: NatMatch
    source: Translation
    destination: DestinationTranslation


def _read_match(body: FieldReader) -> dict[str, Any]:
    inner = body.object("match", {})
    if inner is None:
        return {"source": [], "destination": [], "protocol": "any", "ports": []}
    protocol = inner.protocol()
    match = {
        "source": read_address_match(inner, "source"),
        "destination": read_address_match(inner, "destination"),
        "protocol": protocol,
        "ports": inner.ports(protocol),
    }
    inner.reject_unknown_fields()
    return match


def _read_translation(body: FieldReader, field: str, types: tuple[str, ...]) -> dict[str, Any]:
    inner = body.object(field, {})
    if inner is None:
        return {"type": "none", "prefixes": []}
    kind = inner.choice("type", types, "none")
    prefixes = inner.prefixes("prefixes", limit=LITERAL_PREFIXES)
    read: dict[str, Any] = {"type": kind, "prefixes": prefixes}
    if kind != "none" and not inner.body.get("prefixes"):
        inner.problem("required", "prefixes", f"Say which addresses the {field} is translated to.")
    if kind == "none" and prefixes:
        inner.problem("not_one_of", "prefixes", f"The {field} is not translated; leave its prefixes out.")
    if field == "destination":
        read["port"] = inner.integer("port", 1, 65535, None)
        if kind == "none" and read["port"] is not None:
            inner.problem("not_one_of", "port", "Only a translated destination can have another port.")
    inner.reject_unknown_fields()
    return read


def read(body: FieldReader) -> dict[str, Any]:
    match = _read_match(body)
    source = _read_translation(body, "source", ("none", "static", "pool"))
    destination = _read_translation(body, "destination", ("none", "static"))
    if source["type"] == "none" and destination["type"] == "none":
        body.problem("required", "source", "This rule translates neither the source nor the destination.")
    if destination.get("port") is not None and match["protocol"] not in ("tcp", "udp"):
        body.problem("bad_port", "destination.port", "Another port needs the protocol tcp or udp in match.protocol.")
    return {
        **read_name_and_description(body),
        "segment": body.reference("segment", "segments"),
        "connector": body.reference("connector", "connectors"),
        "position": body.integer("position", 0, 1_000_000),
        "enabled": body.boolean("enabled", True),
        "direction": body.choice("direction", ("outbound", "inbound")),
        "match": match,
        "source": source,
        "destination": destination,
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> NatRule:
    match, source, destination = body["match"], body["source"], body["destination"]
    return NatRule(
        *identity,
        segment=body["segment"],
        connector=body["connector"],
        position=body["position"],
        enabled=body["enabled"],
        direction=body["direction"],
        match=NatMatch(
            source=build_address_match(match["source"]),
            destination=build_address_match(match["destination"]),
            protocol=match["protocol"],
            ports=tuple(match["ports"]),
        ),
        source=Translation(source["type"], tuple(source["prefixes"])),
        destination=DestinationTranslation(destination["type"], tuple(destination["prefixes"]), destination["port"]),
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield "segments", body["segment"]
    yield "connectors", body["connector"]
    yield from prefix_list_references(body["match"]["source"], body["match"]["destination"])
