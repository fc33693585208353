"""A form joined with an object: what the templates of fields draw, to be edited or only read. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from portal.pages.objects.form_fields import (
    CheckboxField,
    FieldGroup,
    FormField,
    NumberField,
    ReferenceField,
    RowsField,
    SelectField,
    TextListField,
)
from portal.pages.objects.kind_page import Body, value_at
from portal.pages.segment_hues import segment_hue
from provisioning.core.intent import ANY
from provisioning.core.values.labels import format_labels

COLORS = ("#3f67a8", "#a8527f", "#8a7340", "#4d7d74", "#7563a6", "#a1604a", "#5f7a3f", "#5a6b7d")
"""The colours of the eight muted hues, in their order."""
LabelLookup = Callable[[str], "ReferenceLabel"]


@dataclass(frozen=True, slots=True)
class ReferenceLabel:
    """What a reference names. ``kind`` is "" for literals, prefixes, and objects that do not exist any more."""

    ref: str
    name: str
    kind: str = ""


@dataclass(slots=True)
class BoundField:
    """A field with its value. ``name``: the path of the input, spelled like the path of a problem."""

    field: FormField
    name: str
    id: str
    value: Any
    shown: bool = True
    when: str = ""
    chosen: list[ReferenceLabel] = fresh(default_factory=list)
    inner: list[BoundField] = fresh(default_factory=list)
    rows: list[BoundRow] = fresh(default_factory=list)
    blank: BoundRow | None = None

    @property
    def template(self) -> str:
        return f"pages/objects/fields/{self.field.widget}.html"

    @property
    def is_unknown_option(self) -> bool:
        """Whether the value is none of the options; it is kept until another is chosen."""
        known = isinstance(self.field, SelectField) and any(self.value == value for value, _ in self.field.options)
        return not known and self.value not in (None, "")

    @property
    def color_options(self) -> list[tuple[str, int]]:
        """Return the colours that a swatch offers, each with its hue, and one that was set elsewhere."""
        own = [(self.value, segment_hue("", self.value))] if self.value and self.value not in COLORS else []
        return [*((color, number) for number, color in enumerate(COLORS, 1)), *own]

    @property
    def where(self) -> str:
        return json.dumps(dict(self.field.where)) if isinstance(self.field, ReferenceField) and self.field.where else ""

    @property
    def words(self) -> str:
        return (
            json.dumps(dict(self.field.literals))
            if isinstance(self.field, ReferenceField) and self.field.literals
            else ""
        )

    @property
    def display_value(self) -> str:
        """Return the value in words, for pages that are only read."""
        value, kind = self.value, self.field
        if isinstance(kind, SelectField):
            words = dict(kind.options)
            return words.get(str(value), "" if value is None else str(value)) or kind.optional
        if isinstance(kind, CheckboxField):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(map(str, value))
        if isinstance(value, Mapping):
            return format_labels(value)
        return "" if value is None else str(value)

    @property
    def has_value(self) -> bool:
        """Whether it holds a value that a person entered."""
        if self.inner:
            return any(inner.has_value for inner in self.inner)
        if isinstance(self.field, ReferenceField) and "any" in self.field.literals:
            return self.value not in (None, [], ["any"])
        usual = self.field.default if isinstance(self.field, NumberField) else None
        return bool(self.rows) or self.value not in (None, "", [], {}, 0, False, usual)


@dataclass(frozen=True, slots=True)
class BoundRow:
    number: int
    fields: list[BoundField]


def bind_fields(
    fields: Iterable[FormField], body: Body, label: LabelLookup, prefix: str = "edit", base: str = ""
) -> list[BoundField]:
    """Return the fields with their values.

    ``base``: the path of the object they belong to. ``prefix``: makes ids unique where a page has two forms.
    """
    fields = tuple(fields)
    selects = (field for field in fields if isinstance(field, SelectField) and field.options and not field.optional)
    first_options = {field.path: field.options[0][0] for field in selects}
    return [_bind_field(field, body, label, prefix, base, first_options) for field in fields]


def _bind_field(
    field: FormField, body: Body, label: LabelLookup, prefix: str, base: str, first_options: Mapping[str, str]
) -> BoundField:
    name = ".".join(filter(None, (base, field.path)))
    value = value_at(body, field.path)
    bound = BoundField(field, name, f"{prefix}-{name or field.label}".replace(" ", "-"), value)
    if isinstance(field, SelectField) and isinstance(value, list):
        bound.value = ", ".join(map(str, value))
    if isinstance(field, CheckboxField) and value is None:
        bound.value = field.default
    if isinstance(field, TextListField) and value == [ANY]:
        bound.value = []
    if field.when:
        beside, values = field.when
        bound.when = ".".join(filter(None, (base, beside)))
        # A select without a value shows its first option.
        bound.shown = (value_at(body, beside) or first_options.get(beside)) in values
    if isinstance(field, ReferenceField):
        refs = value if isinstance(value, list) else [value] if value else []
        bound.chosen = [
            ReferenceLabel(ref, field.literals[ref]) if ref in field.literals else _label_of(ref, label) for ref in refs
        ]
        if not field.ordered:
            bound.chosen.sort(key=lambda chosen: chosen.name)
    elif isinstance(field, FieldGroup):
        bound.inner = bind_fields(field.fields, value if isinstance(value, Mapping) else {}, label, prefix, name)
    elif isinstance(field, RowsField):
        rows = value if isinstance(value, Sequence) else ()
        bound.rows = [_bind_row(field, index, row, label, prefix, name) for index, row in enumerate(rows)]
        bound.blank = _bind_row(field, 0, {}, label, prefix, name)
    return bound


def _label_of(ref: str, label: LabelLookup) -> ReferenceLabel:
    """Return the label of a reference; ``!`` before it says that it is left out."""
    if not ref.startswith("!"):
        return label(ref)
    named = label(ref.removeprefix("!"))
    return ReferenceLabel(ref, f"!{named.name}", named.kind)


def _bind_row(rows: RowsField, index: int, body: Body, label: LabelLookup, prefix: str, name: str) -> BoundRow:
    return BoundRow(index, bind_fields(rows.fields, body, label, prefix, f"{name}[{index}]"))


def find_references(value: Any) -> set[str]:
    """Return every text of a body, at any depth, that has the form of a UUID, without a ``!`` before it."""
    if isinstance(value, str):
        plain = value.removeprefix("!")
        return {plain} if len(plain) == 36 and plain.count("-") == 4 else set()
    if isinstance(value, Mapping):
        return set().union(*map(find_references, value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*map(find_references, value)) if value else set()
    return set()
