"""What a form is made of. A field's path is where its value lies in the body: ``match.source``, inside rows ``ge``.

``when=("source.type", ("static",))``: shown only while the field at that path, in the same row or object, has one of
those values; hidden it is sent as null, which the core reads as left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

ShownWhen = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class FormField:
    """``half``: two of them share a line where there is room."""

    widget: ClassVar[str] = ""

    path: str
    label: str
    hint: str = field(default="", kw_only=True)
    required: bool = field(default=False, kw_only=True)
    half: bool = field(default=False, kw_only=True)
    when: ShownWhen | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class TextField(FormField):
    """One line. ``optional``: empty means null, not an empty text."""

    widget: ClassVar[str] = "text"

    example: str = field(default="", kw_only=True)
    mono: bool = field(default=False, kw_only=True)
    optional: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TextListField(FormField):
    """A list of short texts, such as prefixes or ports, parted by commas or spaces. ``optional``: empty means null."""

    widget: ClassVar[str] = "texts"

    example: str = field(default="", kw_only=True)
    optional: bool = field(default=False, kw_only=True)
    lines: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class LabelsField(FormField):
    """Keys with values: ``env=prod, tier=web``."""

    widget: ClassVar[str] = "labels"

    example: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class SelectorField(FormField):
    """A selector over labels, or null; under it stands whom it selects."""

    widget: ClassVar[str] = "selector"

    example: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class NumberField(FormField):
    widget: ClassVar[str] = "number"

    least: int | None = field(default=None, kw_only=True)
    most: int | None = field(default=None, kw_only=True)
    default: int = field(default=0, kw_only=True)
    example: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class CheckboxField(FormField):
    widget: ClassVar[str] = "flag"

    default: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class SelectField(FormField):
    """``options``: (value, word). With ``optional`` an empty value stands first and means null; ``word`` names it."""

    widget: ClassVar[str] = "choice"

    options: Sequence[tuple[str, str]] = field(default=(), kw_only=True)
    optional: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class ColorField(FormField):
    """One of the eight muted hues, kept as a color; null: the hue of its name."""

    widget: ClassVar[str] = "swatch"


@dataclass(frozen=True, slots=True)
class ReferenceField(FormField):
    """Objects found by typing their name.

    kinds: what may be picked; literals: words beside them; many: a list, else one or null; where: filters of the
    API's list, such as ``{"kind": "internet-exit"}``; free: prefixes may be typed too; labels: so may selectors
    over labels; ordered: in their order, not by name; catalogue: a list of the API's catalogue, offered by name too.
    """

    widget: ClassVar[str] = "pick"

    kinds: Sequence[str] = field(default=(), kw_only=True)
    literals: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    many: bool = field(default=False, kw_only=True)
    where: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    free: bool = field(default=False, kw_only=True)
    labels: bool = field(default=False, kw_only=True)
    ordered: bool = field(default=False, kw_only=True)
    catalogue: str = field(default="", kw_only=True)
    example: str = field(default="", kw_only=True)

    @property
    def sent_as(self) -> str:
        """Return how a form sends it (``static/src/forms/``): free lists may be left empty."""
        if not self.many:
            return "optional"
        return "optional-list" if self.free else "list"


@dataclass(frozen=True, slots=True)
class FieldGroup(FormField):
    """Fields of one nested object. ``folded``: open only where something differs from the blank. ``nullable``: the
    object is null while all of its fields are empty. A path of "" only groups fields of the same object."""

    widget: ClassVar[str] = "part"

    fields: Sequence[FormField] = field(default=(), kw_only=True)
    folded: bool = field(default=False, kw_only=True)
    nullable: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RowsField(FormField):
    """A list of objects, a row each. ``ordered``: their order means something, so they can be moved."""

    widget: ClassVar[str] = "rows"

    fields: Sequence[FormField] = field(default=(), kw_only=True)
    word: str = field(default="row", kw_only=True)
    ordered: bool = field(default=False, kw_only=True)
    most: int = field(default=0, kw_only=True)


ENDPOINT_LITERALS = {"any": "any connector", "internet": "internet"}
ADDRESS_LITERALS = {"any": "any address"}
PROTOCOLS = tuple((name, name) for name in ("any", "tcp", "udp", "icmp", "icmpv6"))
"""As menus list them; others are given by number."""
