"""A description joined with an object: what the templates of fields draw, to be edited or only read. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as fresh
from typing import Any

from portal.pages.objects.fields import Choice, Field, Flag, Number, Part, Pick, Rows
from portal.pages.objects.kind import Body, at
from portal.templatetags.causeway import segment_hue

COLORS = ("#3f67a8", "#a8527f", "#8a7340", "#4d7d74", "#7563a6", "#a1604a", "#5f7a3f", "#5a6b7d")
"""The eight muted hues, in their order; each is nearest to its own."""
Label = Callable[[str], "Named"]


@dataclass(frozen=True, slots=True)
class Named:
    """Something a reference leads to. ``kind`` is "" for literals, prefixes, and for what is gone."""

    ref: str
    name: str
    kind: str = ""


@dataclass(slots=True)
class Bound:
    """A field with its value: ``name`` is the path of the input, the words a problem's path uses too."""

    field: Field
    name: str
    id: str
    value: Any
    shown: bool = True
    when: str = ""
    chosen: list[Named] = fresh(default_factory=list)
    inner: list[Bound] = fresh(default_factory=list)
    rows: list[Row] = fresh(default_factory=list)
    blank: Row | None = None

    @property
    def template(self) -> str:
        return f"pages/objects/fields/{self.field.widget}.html"

    @property
    def foreign(self) -> bool:
        """A value that is none of the options: it is kept until somebody chooses another."""
        known = isinstance(self.field, Choice) and any(self.value == value for value, _ in self.field.options)
        return not known and self.value not in (None, "")

    @property
    def hues(self) -> list[tuple[str, int]]:
        """The colors a swatch offers with their hues; one of its own that was set elsewhere stays to choose from."""
        own = [(self.value, segment_hue("", self.value))] if self.value and self.value not in COLORS else []
        return [*((color, number) for number, color in enumerate(COLORS, 1)), *own]

    @property
    def where(self) -> str:
        return json.dumps(dict(self.field.where)) if isinstance(self.field, Pick) and self.field.where else ""

    @property
    def words(self) -> str:
        return json.dumps(dict(self.field.literals)) if isinstance(self.field, Pick) and self.field.literals else ""

    @property
    def told(self) -> str:
        """The value in words, for who only reads."""
        value, kind = self.value, self.field
        if isinstance(kind, Choice):
            words = dict(kind.options)
            return words.get(str(value), "" if value is None else str(value)) or kind.optional
        if isinstance(kind, Flag):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return "" if value is None else str(value)

    @property
    def filled(self) -> bool:
        """Whether there is anything in it that a person put there."""
        if self.inner:
            return any(one.filled for one in self.inner)
        if isinstance(self.field, Pick) and "any" in self.field.literals:
            return self.value not in (None, [], ["any"])
        usual = self.field.default if isinstance(self.field, Number) else None
        return bool(self.rows) or self.value not in (None, "", [], 0, False, usual)


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    fields: list[Bound]


def bind(fields: Iterable[Field], body: Body, label: Label, prefix: str = "edit", base: str = "") -> list[Bound]:
    """``base``: the path of the object the fields belong to; ``prefix`` keeps ids of two forms on a page apart."""
    fields = tuple(fields)
    first = {one.path: one.options[0][0] for one in fields if isinstance(one, Choice) and one.options}
    return [_bound(one, body, label, prefix, base, first) for one in fields]


def _bound(one: Field, body: Body, label: Label, prefix: str, base: str, first: Mapping[str, str]) -> Bound:
    name = ".".join(filter(None, (base, one.path)))
    value = at(body, one.path)
    bound = Bound(one, name, f"{prefix}-{name or one.label}".replace(" ", "-"), value)
    if isinstance(one, Flag) and value is None:
        bound.value = one.default
    if one.when:
        beside, values = one.when
        bound.when = ".".join(filter(None, (base, beside)))
        # A choice that was not made yet stands at its first option.
        bound.shown = (at(body, beside) or first.get(beside)) in values
    if isinstance(one, Pick):
        refs = value if isinstance(value, list) else [value] if value else []
        bound.chosen = [Named(ref, one.literals[ref]) if ref in one.literals else label(ref) for ref in refs]
    elif isinstance(one, Part):
        bound.inner = bind(one.fields, value if isinstance(value, Mapping) else {}, label, prefix, name)
    elif isinstance(one, Rows):
        found = value if isinstance(value, Sequence) else ()
        bound.rows = [_row(one, place, row, label, prefix, name) for place, row in enumerate(found)]
        bound.blank = _row(one, 0, {}, label, prefix, name)
    return bound


def _row(rows: Rows, place: int, body: Body, label: Label, prefix: str, name: str) -> Row:
    return Row(place, bind(rows.fields, body, label, prefix, f"{name}[{place}]"))


def references(value: Any) -> set[str]:
    """Every text of a body that reads like an id, at any depth."""
    if isinstance(value, str):
        return {value} if len(value) == 36 and value.count("-") == 4 else set()
    if isinstance(value, Mapping):
        return set().union(*map(references, value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*map(references, value)) if value else set()
    return set()
