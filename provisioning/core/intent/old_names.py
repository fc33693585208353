"""Names that fields had once. They are still read, never written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RenamedFrom:
    """The name a field had once, and its old words.

    ``listed``: the field held one value then, and is a list today.
    """

    name: str
    words: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False

    def translate(self, name: str, body: dict[str, Any]) -> None:
        """Put what stands under the old name under today's. What cannot be translated stays, and is refused there."""
        if self.name not in body:
            return
        value = body[self.name]
        if value is None:
            # Null asks for the default; today's name says more, where it is given.
            del body[self.name]
            body.setdefault(name, None)
        elif self.listed:
            values = value if isinstance(value, list) else [value]
            if body.get(name) in (None, [], values):
                del body[self.name]
                body[name] = values
        elif isinstance(value, str) and (word := self.words.get(value)) and body.get(name) in (None, word):
            del body[self.name]
            body[name] = word
