"""Exchanges: a pair of routing nodes at a location of the catalogue."""

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
)


@dataclass(frozen=True, slots=True)
class Exchange(IntentObject):
    location: str
    size: str


def read(body: FieldReader) -> dict[str, Any]:
    return {**read_name_and_description(body), "location": body.text("location"), "size": body.text("size", "small")}


def build(identity: IdentityFields, body: dict[str, Any]) -> Exchange:
    return Exchange(*identity, location=body["location"], size=body["size"])


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    return iter(())
