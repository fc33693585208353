"""Segments: a VRF across all exchanges, with a stance for what no policy decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import Identity, Item, Reference, read_color, read_name
from provisioning.core.intent.limits import ATTACHED
from provisioning.core.intent.reading import Reader


@dataclass(frozen=True, slots=True)
class Segment(Item):
    stance: str
    prefixes: tuple[str, ...]
    color: str | None


def read(body: Reader) -> dict[str, Any]:
    return {
        **read_name(body),
        "stance": body.choice("stance", ("open", "closed"), "open"),
        "prefixes": body.prefixes("prefixes", limit=ATTACHED),
        "color": read_color(body),
    }


def build(identity: Identity, body: dict[str, Any]) -> Segment:
    return Segment(*identity, stance=body["stance"], prefixes=tuple(body["prefixes"]), color=body["color"])


def references(body: dict[str, Any]) -> Iterator[Reference]:
    return iter(())
