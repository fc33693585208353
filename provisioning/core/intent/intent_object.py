"""What every intent object has."""

from __future__ import annotations

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
    description: Annotated[
        str, Text(2000, default="", lines=True, label="Description", help="optional; shown to your team only")
    ]
