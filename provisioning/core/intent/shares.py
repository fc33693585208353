"""Shares: let named groups or prefixes of two segments reach each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
)
from provisioning.core.intent.limits import LITERAL_PREFIXES

DIRECTIONS = ("both", "a-to-b", "b-to-a")


@dataclass(frozen=True, slots=True)
class ShareSide:
    """What of a segment is shared: the members in ``groups``, and of all members the addresses in ``prefixes``."""

    segment: str
    groups: tuple[str, ...]
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share(IntentObject):
    """``direction`` says which side may initiate; ``route_limit`` counts the prefixes either side sees."""

    a: ShareSide
    b: ShareSide
    direction: str
    services: tuple[str, ...]
    route_limit: int

    @property
    def sides(self) -> tuple[tuple[str, ShareSide], tuple[str, ShareSide]]:
        return ("a", self.a), ("b", self.b)


def _read_side(body: FieldReader, field: str) -> dict[str, Any] | None:
    inner = body.object(field)
    if inner is None:
        return None
    side = {
        "segment": inner.reference("segment", "segments"),
        "groups": inner.references("groups", "groups", default=()),
        "prefixes": inner.prefixes("prefixes", limit=LITERAL_PREFIXES),
    }
    if not inner.body.get("groups") and not inner.body.get("prefixes"):
        body.problem("required", field, f"Side {field} shares nothing. Name groups or prefixes of its segment.")
    inner.reject_unknown_fields()
    return side


def read(body: FieldReader) -> dict[str, Any]:
    return {
        **read_name_and_description(body),
        "a": _read_side(body, "a"),
        "b": _read_side(body, "b"),
        "direction": body.choice("direction", DIRECTIONS, "both"),
        "services": body.references("services", "services", default=()),
        "route_limit": body.integer("route_limit", 1, 100_000, 100),
    }


def _build_side(body: dict[str, Any]) -> ShareSide:
    return ShareSide(body["segment"], tuple(body["groups"]), tuple(body["prefixes"]))


def build(identity: IdentityFields, body: dict[str, Any]) -> Share:
    return Share(
        *identity,
        a=_build_side(body["a"]),
        b=_build_side(body["b"]),
        direction=body["direction"],
        services=tuple(body["services"]),
        route_limit=body["route_limit"],
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    for side in (body["a"], body["b"]):
        yield "segments", side["segment"]
        yield from reference_pairs(side["groups"], "groups")
    yield from reference_pairs(body["services"], "services")
