"""Exchanges: a pair of routing nodes at a location of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import Identity, Item, Reference, read_name
from provisioning.core.intent.reading import Reader


@dataclass(frozen=True, slots=True)
class Exchange(Item):
    location: str
    size: str


def read(body: Reader) -> dict[str, Any]:
    return {**read_name(body), "location": body.text("location"), "size": body.text("size", "small")}


def build(identity: Identity, body: dict[str, Any]) -> Exchange:
    return Exchange(*identity, location=body["location"], size=body["size"])


def references(body: dict[str, Any]) -> Iterator[Reference]:
    return iter(())
