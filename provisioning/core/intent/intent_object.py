"""What every intent object has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import FieldReader

ObjectReference = tuple[str, str]
"""(kind, uid)."""

ANY, INTERNET = "any", "internet"


@dataclass(frozen=True, slots=True)
class IntentObject:
    """uid: UUID text, the API's ``id``; number: never reused; key: slug of the first name, part of every address."""

    uid: str
    number: int
    key: str
    name: str
    description: str


IdentityFields = tuple[str, int, str, str, str]
"""uid, number, key, name, description: the fields of Item in their order."""


def read_name_and_description(body: FieldReader) -> dict[str, Any]:
    return {"name": body.text("name", most=100), "description": body.text("description", "", most=2000)}


def read_color(body: FieldReader) -> str | None:
    color: str | None = body.text("color", None)
    if color is not None and not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        body.problem("not_one_of", "color", f"“{color}” is not a color. Write it like #2f6fed.")
    return color


def reject_reserved_name(body: FieldReader) -> None:
    """Names that policies give a meaning of their own cannot be names of what policies name."""
    if str(body.body.get("name")).strip().lower() in (ANY, INTERNET):
        body.problem("reserved_name", "name", f"“{body.body['name']}” has a meaning of its own. Choose another name.")


def reference_pairs(values: list[str], *kinds: str) -> Iterator[ObjectReference]:
    """References of a list that may hold literals too; a uid is counted for each kind it may be of."""
    return ((kind, uid) for uid in values if uid not in (ANY, INTERNET) for kind in kinds)


def slug(text: str) -> str:
    """Lower-case letters, digits and dashes; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
