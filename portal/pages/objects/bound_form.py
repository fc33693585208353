"""A description joined with an object: what the templates of fields draw, to be edited or only read. Pure."""

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
)
from portal.pages.objects.object_kind import Body, value_at
from portal.pages.segment_hues import segment_hue

COLORS = ("#3f67a8", "#a8527f", "#8a7340", "#4d7d74", "#7563a6", "#a1604a", "#5f7a3f", "#5a6b7d")
"""The eight muted hues, in their order; each is nearest to its own."""
LabelLookup = Callable[[str], "ReferenceLabel"]


@dataclass(frozen=True, slots=True)
class ReferenceLabel:
    """Something a reference leads to. ``kind`` is "" for literals, prefixes, and for what is gone."""

    ref: str
    name: str
    kind: str = ""


@dataclass(slots=True)
class BoundField:
    """A field with its value: ``name`` is the path of the input, the words a problem's path uses too."""

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
        """A value that is none of the options: it is kept until somebody chooses another."""
        known = isinstance(self.field, SelectField) and any(self.value == value for value, _ in self.field.options)
        return not known and self.value not in (None, "")

    @property
    def color_options(self) -> list[tuple[str, int]]:
        """The colors a swatch offers with their hues; one of its own that was set elsewhere stays to choose from."""
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
        """The value in words, for who only reads."""
        value, kind = self.value, self.field
        if isinstance(kind, SelectField):
            words = dict(kind.options)
            return words.get(str(value), "" if value is None else str(value)) or kind.optional
        if isinstance(kind, CheckboxField):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return "" if value is None else str(value)

    @property
    def has_value(self) -> bool:
        """Whether there is anything in it that a person put there."""
        if self.inner:
            return any(one.has_value for one in self.inner)
        if isinstance(self.field, ReferenceField) and "any" in self.field.literals:
            return self.value not in (None, [], ["any"])
        usual = self.field.default if isinstance(self.field, NumberField) else None
        return bool(self.rows) or self.value not in (None, "", [], 0, False, usual)


@dataclass(frozen=True, slots=True)
class BoundRow:
    number: int
    fields: list[BoundField]


def bind_fields(
    fields: Iterable[FormField], body: Body, label: LabelLookup, prefix: str = "edit", base: str = ""
) -> list[BoundField]:
    """``base``: the path of the object the fields belong to; ``prefix`` keeps ids of two forms on a page apart."""
    fields = tuple(fields)
    first = {one.path: one.options[0][0] for one in fields if isinstance(one, SelectField) and one.options}
    return [_bind_field(one, body, label, prefix, base, first) for one in fields]


def _bind_field(
    one: FormField, body: Body, label: LabelLookup, prefix: str, base: str, first: Mapping[str, str]
) -> BoundField:
    name = ".".join(filter(None, (base, one.path)))
    value = value_at(body, one.path)
    bound = BoundField(one, name, f"{prefix}-{name or one.label}".replace(" ", "-"), value)
    if isinstance(one, CheckboxField) and value is None:
        bound.value = one.default
    if one.when:
        beside, values = one.when
        bound.when = ".".join(filter(None, (base, beside)))
        # A choice that was not made yet stands at its first option.
        bound.shown = (value_at(body, beside) or first.get(beside)) in values
    if isinstance(one, ReferenceField):
        refs = value if isinstance(value, list) else [value] if value else []
        bound.chosen = [ReferenceLabel(ref, one.literals[ref]) if ref in one.literals else label(ref) for ref in refs]
    elif isinstance(one, FieldGroup):
        bound.inner = bind_fields(one.fields, value if isinstance(value, Mapping) else {}, label, prefix, name)
    elif isinstance(one, RowsField):
        found = value if isinstance(value, Sequence) else ()
        bound.rows = [_bind_row(one, place, row, label, prefix, name) for place, row in enumerate(found)]
        bound.blank = _bind_row(one, 0, {}, label, prefix, name)
    return bound


def _bind_row(rows: RowsField, place: int, body: Body, label: LabelLookup, prefix: str, name: str) -> BoundRow:
    return BoundRow(place, bind_fields(rows.fields, body, label, prefix, f"{name}[{place}]"))


def find_references(value: Any) -> set[str]:
    """Every text of a body that reads like an id, at any depth."""
    if isinstance(value, str):
        return {value} if len(value) == 36 and value.count("-") == 4 else set()
    if isinstance(value, Mapping):
        return set().union(*map(find_references, value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*map(find_references, value)) if value else set()
    return set()
