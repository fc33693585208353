"""One change of a field for many objects at once: a value is set, or put into a set or labels, or taken out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import FieldReader, InvalidIntent, ResolveReference
from provisioning.core.intent.kinds import kind_of
from provisioning.core.values.resource import Problem

SET, ADD, DISCARD = "set", "add", "discard"


@dataclass(frozen=True, slots=True)
class BulkChange:
    """``path``: where bodies hold the field; ``value``: in its stored form; ``label``: the field's name on pages."""

    action: str
    path: tuple[str, ...]
    value: Any
    label: str

    def applied_to(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field of the body that the change is in, changed."""
        return {self.path[0]: self._changed(body[self.path[0]], self.path[1:])}

    def _changed(self, value: Any, path: Sequence[str]) -> Any:
        if path and path[0] == "*":
            return [self._changed(inner, path[1:]) for inner in value]
        if path:
            return {**value, path[0]: self._changed(value[path[0]], path[1:])}
        if isinstance(value, Mapping) and self.action != SET:
            return {**value, **self.value} if self.action == ADD else self._without_labels(value)
        if self.action == ADD:
            return [*value, *(inner for inner in self.value if inner not in value)]
        return [inner for inner in value if inner not in self.value] if self.action == DISCARD else self.value

    def _without_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the labels but for those of the change; a key without a value is taken out whatever its value."""
        return {key: value for key, value in labels.items() if self.value.get(key) not in ("", value)}


def read_bulk_change(kind: str, action: str, field: str, value: Any, resolve: ResolveReference) -> BulkChange:
    """Return the change; raise InvalidIntent with the problems of ``field`` and ``value``.

    What is put into a set or taken out of it is a list, labels are an object.
    """
    known = kind_of(kind).bulk_fields
    if field not in known:
        choices = f"Choose one of {', '.join(known)}." if known else "Change its objects one by one."
        wrong = f"“{field}” of {kind_of(kind).plural} cannot be changed for many at once. {choices}"
        raise InvalidIntent([Problem("not_one_of", "field", wrong)])
    path, declared = known[field]
    if action != SET and not declared.spec.is_added_to:
        raise InvalidIntent([Problem("not_one_of", "action", f"“{field}” holds one value. Set it.")])
    reader = FieldReader({"value": value}, resolve)
    stored = declared.spec.read(reader, "value", {}, declared.nested)
    if action != SET and not stored and not reader.problems:
        reader.problem("required", "value", "“value” is empty. Name at least one.")
    if reader.problems:
        raise InvalidIntent(reader.problems)
    return BulkChange(action, path, stored, declared.label)
