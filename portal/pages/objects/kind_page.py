"""The description of a kind: what it is for, what a list of it shows, and its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.form_fields import FormField
from provisioning.core.formats.csv_tables import CSV_TABLES
from provisioning.core.intent import capitalise, kind_of

Body = Mapping[str, Any]
ColumnValue = Callable[[Body], Any]
CellStyle = Literal["words", "mono", "action", "kind", "segment", "swatch", "number", "state"]


@dataclass(frozen=True, slots=True)
class ListColumn:
    """``show`` gives a text, or uids and texts in a list; ``cell`` says how they look. ``wide``: not on a phone.
    ``order``: the API's name of ordering by it."""

    word: str
    show: ColumnValue
    cell: CellStyle = "words"
    wide: bool = False
    order: str = ""


@dataclass(frozen=True, slots=True)
class KindPage:
    """key: as the API calls it. blank: what a new one begins with. form: its fields, which may hang on the body, by
    default all that are declared; wizard: a page that adds one better than a form does; presets: pages of a draft that
    write some at once, as (URL name, words); order: of a list, until another is chosen. Its words stand in the
    declaration of the kind."""

    key: str
    icon: str = "box"
    columns: Sequence[ListColumn] = (ListColumn("Description", lambda body: body["description"]),)
    form: Callable[[Body], Sequence[FormField]] | None = None
    blank: Body = field(default_factory=dict)
    wizard: str = ""
    presets: Sequence[tuple[str, str]] = ()
    order: str = "name"

    @property
    def is_imported(self) -> bool:
        """Return whether its objects can be read from a table."""
        return self.key in CSV_TABLES

    @property
    def word(self) -> str:
        return kind_of(self.key).word

    @property
    def plural(self) -> str:
        return capitalise(kind_of(self.key).plural)

    @property
    def empty_text(self) -> str:
        return kind_of(self.key).about

    def fields(self, body: Body) -> Sequence[FormField]:
        """Return the fields of the form for a body."""
        return fields_of(self.key).all() if self.form is None else self.form(body)


def value_at(body: Any, path: str) -> Any:
    """The value at a path of names; None where there is none. "" is the body itself."""
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body
