"""Billing tags: what usage and cost are told apart by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.item import Identity, Item, Reference, read_color, read_name
from provisioning.core.intent.reading import Reader


@dataclass(frozen=True, slots=True)
class BillingTag(Item):
    color: str | None


def read(body: Reader) -> dict[str, Any]:
    return {**read_name(body), "color": read_color(body)}


def build(identity: Identity, body: dict[str, Any]) -> BillingTag:
    return BillingTag(*identity, color=body["color"])


def references(body: dict[str, Any]) -> Iterator[Reference]:
    return iter(())
