"""Billing tags: what usage and cost are told apart by."""

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


@dataclass(frozen=True, slots=True)
class BillingTag(IntentObject):
    color: str | None


def read(body: FieldReader) -> dict[str, Any]:
    return {**read_name_and_description(body), "color": read_color(body)}


def build(identity: IdentityFields, body: dict[str, Any]) -> BillingTag:
    return BillingTag(*identity, color=body["color"])


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    return iter(())
