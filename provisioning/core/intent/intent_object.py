"""What every intent object has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from provisioning.core.intent.fields import Name, Text


@dataclass(frozen=True, slots=True)
class IntentObject:
    """uid: UUID text, the API's ``id``; number: never reused; key: slug of the first name, part of every address."""

    uid: str
    number: int
    key: str
    name: Annotated[str, Name()]
    description: Annotated[str, Text(2000, default="", label="Description", help="optional; shown to your team only")]


def slug(text: str) -> str:
    """Lower-case letters, digits and dashes; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
