"""What a field of an intent object can be. A field is declared once, in the annotation of its dataclass::

    size: Annotated[str, CatalogueKey("sizes", default="small", help="throughput per node", filter=True)]

Reading, building, references, the API's schema, forms, filters, tables and the reference page follow from it.
A field whose name is a word of Python ends in ``_`` (``from_``); bodies have it without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any, ClassVar, Protocol

from provisioning.core.intent.field_reader import REQUIRED, FieldReader
from provisioning.core.intent.limits import LIST_ITEMS, LITERAL_PREFIXES, REFERENCES, Limit
from provisioning.core.intent.old_names import RenamedFrom
from provisioning.core.values.address_forms import canonical_addresses, is_addresses
from provisioning.core.values.addresses import prefix_order
from provisioning.core.values.labels import is_selector

ANY, INTERNET = "any", "internet"

Converter = Callable[[Any, int, Mapping[str, Any]], Any]
"""(stored value, number of the whole object, stored body it is in) → the value of the typed object."""

Build = Callable[..., Any]
"""(stored body, number of the whole object, values before the declared fields …) → the typed object."""


SortKey = Callable[[Any], Any]
"""A value of a list → what it is sorted by."""


class Nested(Protocol):
    """What reads and builds the objects inside a field."""

    def read(self, reader: FieldReader) -> dict[str, Any]: ...

    @property
    def build(self) -> Build: ...


@dataclass(frozen=True)
class Field:
    """``label``: its name on pages, by default the name with spaces; ``help``: a sentence without its end.

    ``filter``: lists are filtered by it, under its own name or another one. ``order``: lists are ordered by it.
    ``kinds``: of the objects that it names; ``literals``: words that may stand there instead. ``limit``: of a list.
    ``ordered``: the order of its values means something; else they are a set.
    ``in_bulk``: it can be changed for many objects at once.
    """

    _: KW_ONLY
    default: Any = REQUIRED
    label: str = ""
    help: str = ""
    example: str = ""
    filter: bool | str = False
    order: bool = False
    in_bulk: bool = False
    renamed_from: RenamedFrom | None = None

    kinds: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    limit: Limit | None = None
    ordered: bool = False

    is_list = False
    sorted_by: ClassVar[SortKey | None] = None
    """Of a list that is a set: the order it is stored in."""

    def uid_in(self, name: str) -> str | None:
        """Return the uid of the object that a stored name means; None where it means itself."""
        return None if name in self.literals else name

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def is_set(self) -> bool:
        return self.sorted_by is not None and not self.ordered

    @property
    def is_added_to(self) -> bool:
        """Whether values are put into it and taken out of it for many objects at once."""
        return self.is_set

    @property
    def nullable(self) -> bool:
        return self.default is None

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        """Return the stored form; problems go to the reader.

        ``before``: the fields of the same object that were read; ``nested``: what reads an object inside.
        """
        raise NotImplementedError

    def is_declared_in(self, body: Mapping[str, Any]) -> bool:
        """Whether the object inside, in this stored body around it, is one of the annotated dataclass."""
        return True

    def converter(self, nested: Nested | None) -> Converter | None:
        """Return what makes the typed value of the stored one; None: it is the same."""
        return as_tuple if self.is_list else None


def as_tuple(value: Any, number: int, body: Mapping[str, Any]) -> Any:
    return tuple(value)


@dataclass(frozen=True)
class Text(Field):
    """``pattern``: what all of it has to match; ``pattern_help`` ends “… is not”, by default the example is shown.

    ``may_be_empty``: an empty text says “none”, whatever the pattern. ``lines``: it may have several lines.
    """

    max_length: int = 200
    pattern: str = ""
    pattern_help: str = ""
    may_be_empty: bool = True
    lines: bool = False

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        value = reader.text(name, self.default, most=self.max_length, lines=self.lines)
        is_checked = isinstance(value, str) and self.pattern and (value or not self.may_be_empty)
        if is_checked and not re.fullmatch(self.pattern, value):
            wrong = (
                f"is not {self.pattern_help}"
                if self.pattern_help
                else f"does not fit “{name}”; write it like {self.example}"
            )
            reader.problem("not_one_of", name, f"“{value}” {wrong}.")
        return value


@dataclass(frozen=True)
class Name(Text):
    """The name of an object. ``reserved``: rules name such objects, so what means something there is no name."""

    max_length: int = 100
    label: str = "Name"
    reserved: bool = False

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        raw = reader.body.get(name)
        if self.reserved and str(raw).strip().lower() in (ANY, INTERNET):
            reader.problem("reserved_name", name, f"“{raw}” has a meaning of its own. Choose another name.")
        return super().read(reader, name, before, nested)


@dataclass(frozen=True)
class Color(Text):
    default: Any = None
    label: str = "Colour"
    help: str = "like #2f6fed"
    pattern: str = r"#[0-9a-fA-F]{6}"
    pattern_help: str = "a color. Write it like #2f6fed"
    may_be_empty: bool = False


@dataclass(frozen=True)
class Choice(Field):
    """``options``: each value → its words on pages."""

    options: Mapping[str, str]

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.choice(name, self.options, self.default)


@dataclass(frozen=True)
class ChoiceOrTexts(Choice):
    """One of the options, or a set of short texts instead."""

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        if isinstance(reader.body.get(name), list):
            return sorted(set(reader.texts(name)))
        return super().read(reader, name, before, nested)


@dataclass(frozen=True)
class CatalogueKey(Text):
    """A key of what the operator offers: ``locations``, ``sizes`` or ``products`` of the catalogue."""

    offers: str = ""


@dataclass(frozen=True)
class Integer(Field):
    low: int
    high: int

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.integer(name, self.low, self.high, self.default)


@dataclass(frozen=True)
class Position(Integer):
    """The place among its like, unique among objects that are equal in the fields ``among``.

    ``within``: a ``Choice`` beside it whose options come one after the other; the position counts inside each.
    """

    low: int = 0
    high: int = 1_000_000
    among: tuple[str, ...] = ()
    within: str | None = None
    order: bool = True
    label: str = "Position"


@dataclass(frozen=True)
class Boolean(Field):
    default: Any = True

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.boolean(name, self.default)


@dataclass(frozen=True)
class Reference(Field):
    """One object of one of the kinds, or one of the words in ``literals``."""

    kinds: tuple[str, ...] = ()

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.reference(name, *self.kinds, literals=self.literals, default=self.default)


@dataclass(frozen=True)
class Date(Field):
    """A day, ``2027-01-31``."""

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        value = reader.text(name, self.default)
        try:
            return date.fromisoformat(value).isoformat() if isinstance(value, str) else value
        except ValueError:
            reader.problem("bad_date", name, f"“{value}” is not a day. Write it like 2027-01-31.")
            return None

    def converter(self, nested: Nested | None) -> Converter:
        return lambda value, number, body: None if value is None else date.fromisoformat(value)


@dataclass(frozen=True)
class References(Reference):
    """Objects, each once. Where it is required at least one."""

    is_list = True
    sorted_by: ClassVar[SortKey | None] = str
    limit: Limit | None = REFERENCES

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.references(name, *self.kinds, literals=self.literals, default=self.default)


@dataclass(frozen=True)
class Texts(Field):
    """Short texts."""

    default: Any = ()
    is_list = True
    limit: Limit | None = LIST_ITEMS

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.texts(name, self.default)


@dataclass(frozen=True)
class Prefix(Field):
    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.prefix(name)


@dataclass(frozen=True)
class Addresses(Prefix):
    """A prefix or a range, with ``!`` before it where it is left out."""

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        value = reader.text(name)
        return reader.address(name, value, canonical_addresses) if isinstance(value, str) else None


@dataclass(frozen=True)
class Prefixes(Field):
    """Prefixes in their one spelling; prefix lists cannot be named here."""

    default: Any = ()
    label: str = "Prefixes"
    limit: Limit | None = LITERAL_PREFIXES
    is_list = True
    sorted_by: ClassVar[SortKey | None] = staticmethod(prefix_order)

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.prefixes(name, self.default, limit=self.limit or LITERAL_PREFIXES)


@dataclass(frozen=True)
class IpProtocol(Field):
    default: Any = ANY
    label: str = "Protocol"
    help: str = "any, tcp, udp, icmp, icmpv6 or a number"

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.protocol(name, self.default)


@dataclass(frozen=True)
class IpProtocols(IpProtocol):
    """One protocol or a list of them; a list of one is stored as that one."""

    help: str = "any, tcp, udp, icmp, icmpv6, a number, or a list of them"

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return reader.protocols(name)

    def converter(self, nested: Nested | None) -> Converter:
        return _as_protocols


def _as_protocols(value: Any, number: int, body: Mapping[str, Any]) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


@dataclass(frozen=True)
class Object(Field):
    """A nested object of the annotated dataclass; with the default ``{}`` its own defaults hold where it is left out.

    ``stored_as``: a dataclass that only declares the fields, while typed objects keep the stored mapping.
    """

    stored_as: type | None = None

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        inner = reader.object(name, self.default)
        return None if inner is None or nested is None else nested.read(inner)

    def converter(self, nested: Nested | None) -> Converter | None:
        if nested is None or self.stored_as is not None:
            return None
        build = nested.build
        return lambda value, number, body: None if value is None else build(value, number)


@dataclass(frozen=True)
class Objects(Field):
    """A list of nested objects of the annotated dataclass; ``word``: what one of them is called."""

    default: Any = ()
    limit: Limit | None = LIST_ITEMS
    least: int = 0
    word: str = "row"
    is_list = True

    @property
    def required(self) -> bool:
        return self.default is REQUIRED or self.least > 0

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        assert nested is not None, "a list of objects is annotated with their dataclass"
        return reader.objects(name, nested.read, self.default, least=self.least, limit=self.limit or LIST_ITEMS)

    def converter(self, nested: Nested | None) -> Converter | None:
        assert nested is not None, "a list of objects is annotated with their dataclass"
        build = nested.build
        return lambda value, number, body: tuple([build(item, number) for item in value])


def named_uid(name: str) -> str | None:
    """Return the uid that a stored name means, without the ``!`` of a list left out; None for addresses and selectors
    over labels."""
    plain = name.removeprefix("!")
    return None if is_addresses(plain) or is_selector(plain) else plain
