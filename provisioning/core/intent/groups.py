"""Groups: a named set of connectors, what policies talk about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import Identity, Item, Reference, read_name, reserve
from provisioning.core.intent.reading import Reader


@dataclass(frozen=True, slots=True)
class Group(Item):
    pass


def read(body: Reader) -> dict[str, Any]:
    reserve(body)
    return read_name(body)


def build(identity: Identity, body: dict[str, Any]) -> Group:
    return Group(*identity)


def references(body: dict[str, Any]) -> Iterator[Reference]:
    return iter(())
