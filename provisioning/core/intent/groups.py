"""Groups: a named set of connectors, what policies talk about."""

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
    reject_reserved_name,
)


@dataclass(frozen=True, slots=True)
class Group(IntentObject):
    pass


def read(body: FieldReader) -> dict[str, Any]:
    reject_reserved_name(body)
    return read_name_and_description(body)


def build(identity: IdentityFields, body: dict[str, Any]) -> Group:
    return Group(*identity)


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    return iter(())
