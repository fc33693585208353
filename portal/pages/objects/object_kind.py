"""The description of a kind: what it is for, what a list of it shows, and its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from portal.pages.objects.form_fields import FormField

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
class ObjectKind:
    """key: as the API calls it. teaches: one or two sentences for who has none yet. blank: what a new one begins with.
    form: its fields, which may hang on the body; wizard: a page that adds one better than a form does; order: of a
    list, until another is chosen."""

    key: str
    word: str
    plural: str
    icon: str
    empty_text: str
    columns: Sequence[ListColumn]
    form: Callable[[Body], Sequence[FormField]]
    blank: Body = field(default_factory=dict)
    wizard: str = ""
    imports: bool = False
    order: str = "name"


def value_at(body: Any, path: str) -> Any:
    """The value at a path of names; None where there is none. "" is the body itself."""
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body
