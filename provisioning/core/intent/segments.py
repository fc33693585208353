"""Segments: a VRF across all exchanges, with a stance for what no policy decides."""

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
    stance: str
    prefixes: tuple[str, ...]
    color: str | None


def read(body: FieldReader) -> dict[str, Any]:
    return {
        **read_name_and_description(body),
        "stance": body.choice("stance", ("open", "closed"), "open"),
        "prefixes": body.prefixes("prefixes", limit=LITERAL_PREFIXES),
        "color": read_color(body),
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> Segment:
    return Segment(*identity, stance=body["stance"], prefixes=tuple(body["prefixes"]), color=body["color"])


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    return iter(())
