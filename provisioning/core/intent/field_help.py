"""What a field takes, in words: for the API's schema, the reference page and people."""

from __future__ import annotations

from functools import singledispatch

from provisioning.core.intent.fields import (
    Boolean,
    CatalogueKey,
    Choice,
    ChoiceOrTexts,
    Color,
    Date,
    Field,
    Integer,
    IpProtocol,
    Object,
    Objects,
    Prefix,
    Prefixes,
    Reference,
    References,
    Text,
    Texts,
)
from provisioning.core.intent.kind_words import kind_plural, kind_word, with_article
from provisioning.core.intent.label_fields import FlowEnd, Labels, Selector
from provisioning.core.intent.match_fields import AddressMatch, IcmpTypes, Ports

_CATALOGUE_PATHS = {"locations": "/catalog/exchanges/", "sizes": "/catalog/sizes/", "products": "/catalog/products/"}


def help_text(spec: Field) -> str:
    """Return what the field names, where it does, and its help."""
    names = names_text(spec)
    return f"{names}; {spec.help}" if names and spec.help else names or spec.help


def names_text(spec: Field) -> str:
    """Return what may be named: ``a group, a connector, “any” or “internet”``."""
    if isinstance(spec, AddressMatch):
        return _alternatives(["prefixes", "prefix lists", "“any”"])
    if isinstance(spec, CatalogueKey):
        return f"a key of {_CATALOGUE_PATHS[spec.offers]}"
    words = [kind_plural(kind) if spec.is_list else with_article(kind_word(kind)) for kind in spec.kinds]
    if isinstance(spec, FlowEnd):
        words += ["an address or prefix", "labels like env=prod"]
    return _alternatives([*words, *(f"“{literal}”" for literal in spec.literals)])


def _alternatives(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


@singledispatch
def type_text(spec: Field) -> str:
    """Return the type and limits of a field: ``whole number from 1 to 4094``."""
    return "object"


@type_text.register
def _(spec: Text) -> str:
    shape = f" like `{spec.example}`" if spec.pattern and spec.example else ""
    return f"text{shape}, at most {spec.max_length:,} characters"


@type_text.register
def _(spec: Selector) -> str:
    return f"selector over labels like `{spec.example}`, at most {spec.max_length:,} characters"


@type_text.register
def _(spec: Labels) -> str:
    return f"object of labels, key → value{_at_most(spec)}"


@type_text.register
def _(spec: CatalogueKey) -> str:
    return "key of the catalogue"


@type_text.register
def _(spec: Color) -> str:
    return "colour, like #2f6fed"


@type_text.register
def _(spec: Choice) -> str:
    return f"one of {_options(spec)}"


@type_text.register
def _(spec: ChoiceOrTexts) -> str:
    return f"{_options(spec)} or a list of texts"


def _options(spec: Choice) -> str:
    return ", ".join(f"`{value}`" for value in spec.options)


@type_text.register
def _(spec: Integer) -> str:
    return f"whole number from {spec.low:,} to {spec.high:,}"


@type_text.register
def _(spec: Boolean) -> str:
    return "true or false"


@type_text.register
def _(spec: Reference) -> str:
    return "reference"


@type_text.register
def _(spec: FlowEnd) -> str:
    return "reference, prefix or selector"


@type_text.register
def _(spec: Date) -> str:
    return "day, like `2027-01-31`"


@type_text.register
def _(spec: References) -> str:
    return f"list of references{_at_most(spec)}"


@type_text.register
def _(spec: Texts) -> str:
    return f"list of texts{_at_most(spec)}"


@type_text.register
def _(spec: Prefix) -> str:
    return "prefix"


@type_text.register(Prefixes)
@type_text.register(AddressMatch)
def _(spec: Field) -> str:
    return f"list of prefixes{_at_most(spec)}"


@type_text.register
def _(spec: IpProtocol) -> str:
    return "protocol"


@type_text.register
def _(spec: Ports) -> str:
    return f"list of ports and port ranges{_at_most(spec)}"


@type_text.register
def _(spec: IcmpTypes) -> str:
    return f"list of ICMP types{_at_most(spec)}"


@type_text.register
def _(spec: Object) -> str:
    return "object"


@type_text.register
def _(spec: Objects) -> str:
    return f"list of objects{_at_most(spec)}"


def _at_most(spec: Field) -> str:
    return f", at most {spec.limit.most:,}" if spec.limit else ""


def default_text(spec: Field) -> str:
    """Return what holds where the field is left out; empty where it has to be given."""
    if spec.required:
        return ""
    if spec.default is None:
        return "null"
    if isinstance(spec.default, bool):
        return "true" if spec.default else "false"
    if isinstance(spec.default, tuple | list):
        return ", ".join(map(str, spec.default)) or "empty"
    return "its fields' defaults" if isinstance(spec.default, dict) else str(spec.default) or "empty"
