"""Segments: a VRF across all exchanges, with a stance for what no policy decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import Identity, Item, Reference, read_name
from provisioning.core.intent.reading import Reader


@dataclass(frozen=True, slots=True)
class Segment(Item):
    stance: str
    prefixes: tuple[str, ...]
    color: str | None


def read(body: Reader) -> dict[str, Any]:
    color = body.text("color", None)
    if color is not None and not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        body.problem("not_one_of", "color", f"“{color}” is not a color. Write it like #2f6fed.")
    return {
        **read_name(body),
        "stance": body.choice("stance", ("open", "closed"), "open"),
        "prefixes": body.prefixes("prefixes"),
        "color": color,
    }


def build(identity: Identity, body: dict[str, Any]) -> Segment:
    return Segment(*identity, stance=body["stance"], prefixes=tuple(body["prefixes"]), color=body["color"])


def references(body: dict[str, Any]) -> Iterator[Reference]:
    return iter(())
