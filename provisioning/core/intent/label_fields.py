"""Fields about labels: labels themselves, selectors over them, and ends of flows, which may be selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import Field, Nested, Reference, Text, named_uid
from provisioning.core.intent.limits import LABELS, Limit
from provisioning.core.values.labels import MAX_SELECTOR


@dataclass(frozen=True)
class Labels(Field):
    """Keys with values, which selectors ask for (values/labels.py)."""

    default: Any = field(default_factory=dict)
    label: str = "Labels"
    example: str = "env=prod, tier=web"
    limit: Limit | None = LABELS

    @property
    def is_added_to(self) -> bool:
        return True

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.labels(name, self.limit or LABELS)


@dataclass(frozen=True)
class Selector(Text):
    """A selector over labels, in its one spelling; null: nothing is selected."""

    default: Any = None
    max_length: int = MAX_SELECTOR

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        text = super().read(reader, name, before, nested)
        return reader.selector(name, text) if isinstance(text, str) and text else None


@dataclass(frozen=True)
class FlowEnd(Reference):
    """One end of flows: an object, one of the words, an address or a prefix, or a selector over labels."""

    def uid_in(self, name: str) -> str | None:
        return None if name in self.literals else named_uid(name)

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.flow_end(name, *self.kinds, literals=self.literals, default=self.default)
