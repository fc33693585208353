"""Assertions: saved intent tests, such as “dev never reaches prod on any port”."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    ANY,
    INTERNET,
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
)

EXPECTATIONS = ("blocked", "reachable", "inspected")


@dataclass(frozen=True, slots=True)
class Assertion(IntentObject):
    """``segment`` None asks about every segment. expect: no flow, every flow, or every flow through a service."""

    from_: str
    to: str
    segment: str | None
    protocol: str | int
    ports: tuple[str, ...]
    expect: str


def read(body: FieldReader) -> dict[str, Any]:
    protocol = body.protocol()
    return {
        **read_name_and_description(body),
        "from": body.reference("from", "groups", "connectors", literals=(ANY, INTERNET)),
        "to": body.reference("to", "groups", "connectors", literals=(ANY, INTERNET)),
        "segment": body.reference("segment", "segments", default=None),
        "protocol": protocol,
        "ports": body.ports(protocol),
        "expect": body.choice("expect", EXPECTATIONS),
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> Assertion:
    return Assertion(
        *identity,
        from_=body["from"],
        to=body["to"],
        segment=body["segment"],
        protocol=body["protocol"],
        ports=tuple(body["ports"]),
        expect=body["expect"],
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield from reference_pairs([body["from"], body["to"]], "groups", "connectors")
    if body["segment"]:
        yield "segments", body["segment"]
