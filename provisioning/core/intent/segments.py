"""Segments: a VRF across all exchanges, with a default action for what no policy decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_color,
    read_name_and_description,
)
from provisioning.core.intent.limits import LITERAL_PREFIXES


@dataclass(frozen=True, slots=True)
class Segment(IntentObject):
    default_action: str
    prefixes: tuple[str, ...]
    color: str | None


def read(body: FieldReader) -> dict[str, Any]:
    return {
        **read_name_and_description(body),
        "default_action": body.choice("default_action", ("allow", "deny"), "allow"),
        "prefixes": body.prefixes("prefixes", limit=LITERAL_PREFIXES),
        "color": read_color(body),
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> Segment:
    return Segment(
        *identity, default_action=body["default_action"], prefixes=tuple(body["prefixes"]), color=body["color"]
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    return iter(())
