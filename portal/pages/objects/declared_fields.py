"""Fields of forms made from the declarations of the kinds: labels, hints, options, examples and limits stand there.

What a form adds is its layout: which fields, in which order, two on a line, folded, shown for some values only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from portal.pages.number_formats import rate
from portal.pages.objects.form_fields import (
    ADDRESS_LITERALS,
    ENDPOINT_LITERALS,
    PROTOCOLS,
    CheckboxField,
    ColorField,
    FieldGroup,
    FormField,
    LabelsField,
    NumberField,
    ReferenceField,
    RowsField,
    SelectField,
    SelectorField,
    TextField,
    TextListField,
)
from provisioning import catalog
from provisioning.core.intent import capitalise, kind_of
from provisioning.core.intent.declaration import Declaration, DeclaredField
from provisioning.core.intent.fields import (
    Boolean,
    CatalogueKey,
    Choice,
    Color,
    Date,
    Field,
    Integer,
    IpProtocol,
    IpProtocols,
    Object,
    Objects,
    Prefix,
    Reference,
    Text,
)
from provisioning.core.intent.label_fields import FlowEnd, Labels, Selector
from provisioning.core.intent.match_fields import AddressMatch, Dscp, IcmpTypes, Match, Ports, RulePorts
from provisioning.core.values.icmp_types import ICMP_TYPE_NAMES
from provisioning.core.values.protocols import PORT_PROTOCOLS

_BOTH = "tcp, udp"
_WITH_PORTS = (*PORT_PROTOCOLS, _BOTH)
SIZES = tuple((key, f"{key}, {rate(bits)}") for key, bits in catalog.SIZES.items())
LOCATIONS = {
    location.key: f"{location.name}, {catalog.PROVIDER_NAMES[location.provider]} {location.region}"
    for location in catalog.catalog().locations.values()
}
CATALOGUE_OPTIONS = {
    "sizes": SIZES,
    "locations": tuple(LOCATIONS.items()),
    "products": tuple((product.key, product.name) for product in catalog.PRODUCTS if product.available),
}


@dataclass(frozen=True)
class DeclaredFields:
    """``fields("match.source", half=True)``: the form's field for a declared one, with what the layout adds."""

    declaration: Declaration

    def __call__(self, path: str, **layout: Any) -> FormField:
        field = self._find(path)
        if "fields" not in layout and field.nested is not None:
            layout["fields"] = DeclaredFields(field.nested).all()
        return _form_field(field.spec, path, layout.pop("label", field.label), layout)

    def nested(self, path: str) -> DeclaredFields:
        """Return the fields of the objects inside a field."""
        nested = self._find(path).nested
        assert nested is not None, f"{path} holds no objects"
        return DeclaredFields(nested)

    def at(self, path: Sequence[str]) -> FormField:
        """Return the field at a path in bodies, where ``*`` stands for each of a list."""
        first, *rest = [name for name in path if name != "*"]
        return self.nested(first).at(rest) if rest else self(first)

    def all(self) -> tuple[FormField, ...]:
        """Return every field: the name first, the description last, the others as they are declared."""
        names = [field.name for field in self.declaration.fields]
        last = ["description"] if "description" in names else []
        return tuple(self(name) for name in (*(name for name in names if name not in last), *last))

    def _find(self, path: str) -> DeclaredField:
        name, _, rest = path.partition(".")
        field = self.declaration.by_name[name]
        return self.nested(name)._find(rest) if rest else field


def fields_of(kind: str) -> DeclaredFields:
    return DeclaredFields(kind_of(kind).declaration)


def _hint(spec: Field, layout: dict[str, Any]) -> dict[str, Any]:
    return {"hint": f"{capitalise(spec.help)}." if spec.help else "", **layout}


@singledispatch
def _form_field(spec: Field, path: str, label: str, layout: dict[str, Any]) -> FormField:
    """Return a field for texts in a list, which most lists are."""
    return TextListField(path, label, **{"example": spec.example, "required": spec.required, **_hint(spec, layout)})


@_form_field.register
def _(spec: Text, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {"example": spec.example, "required": spec.required, "optional": spec.nullable}
    return TextField(path, label, **{**declared, **_hint(spec, layout)})


@_form_field.register
def _(spec: Labels, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return LabelsField(path, label, **{"example": spec.example, **_hint(spec, layout)})


@_form_field.register
def _(spec: Selector, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return SelectorField(path, label, **{"example": spec.example, **_hint(spec, layout)})


@_form_field.register
def _(spec: Prefix, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return TextField(path, label, **{"example": spec.example, "mono": True, **_hint(spec, layout)})


@_form_field.register
def _(spec: Color, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return ColorField(path, label, **layout)


@_form_field.register
def _(spec: CatalogueKey, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return SelectField(path, label, **{"options": CATALOGUE_OPTIONS[spec.offers], **_hint(spec, layout)})


@_form_field.register
def _(spec: Choice, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return SelectField(path, label, **{"options": tuple(spec.options.items()), **layout})


@_form_field.register
def _(spec: Integer, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {"least": spec.low, "most": spec.high, "example": spec.example, "default": spec.default or 0}
    if spec.required:
        declared["default"] = 0
    return NumberField(path, label, **{**declared, **_hint(spec, layout)})


@_form_field.register
def _(spec: Boolean, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return CheckboxField(path, label, **{"default": spec.default, **_hint(spec, layout)})


@_form_field.register
def _(spec: Reference, path: str, label: str, layout: dict[str, Any]) -> FormField:
    literals = {literal: ENDPOINT_LITERALS[literal] for literal in spec.literals}
    declared = {"kinds": spec.kinds, "literals": literals, "many": spec.is_list, "ordered": spec.ordered}
    return ReferenceField(path, label, **{**declared, **_hint(spec, layout)})


@_form_field.register
def _(spec: FlowEnd, path: str, label: str, layout: dict[str, Any]) -> FormField:
    literals = {literal: ENDPOINT_LITERALS[literal] for literal in spec.literals}
    declared = {"kinds": spec.kinds, "literals": literals, "free": True, "labels": True}
    return ReferenceField(path, label, **{**declared, "example": "a name, a prefix, env=prod", **layout})


@_form_field.register
def _(spec: Date, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {"example": "2027-01-31", "mono": True, "required": spec.required, "optional": spec.nullable}
    return TextField(path, label, **{**declared, **_hint(spec, layout)})


@_form_field.register
def _(spec: Match, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return TextListField(path, label, **{"example": spec.example, "optional": True, **_hint(spec, layout)})


@_form_field.register
def _(spec: AddressMatch, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {"kinds": spec.kinds, "literals": ADDRESS_LITERALS, "many": True, "free": True, "ordered": True}
    example = spec.example or "any, 10.0.0.0/8, 10.1.0.5-10.1.0.9, a list, or !… to leave out"
    return ReferenceField(path, label, **{**declared, "example": example, **layout})


@_form_field.register
def _(spec: IpProtocol, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return SelectField(path, label, **{"options": PROTOCOLS, "half": True, **layout})


@_form_field.register
def _(spec: IpProtocols, path: str, label: str, layout: dict[str, Any]) -> FormField:
    options = (*PROTOCOLS[:3], (_BOTH, "tcp and udp"), *PROTOCOLS[3:])
    return SelectField(path, label, **{"options": options, "half": True, **layout})


@_form_field.register
def _(spec: RulePorts, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {
        "kinds": spec.kinds,
        "literals": {"any": "any port"},
        "catalogue": "port-lists",
        "example": spec.example,
        # A port list says of which protocol its ports are, so any protocol is fine.
        "when": (spec.beside, ("any", *_WITH_PORTS)),
    }
    shape = {"many": True, "free": True, "ordered": True, "half": True}
    return ReferenceField(path, label, **{**declared, **shape, **_hint(spec, layout)})


@_form_field.register
def _(spec: Ports, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {"example": spec.example, "optional": True, "when": (spec.beside, _WITH_PORTS)}
    return TextListField(path, label, **{**declared, "half": True, **layout})


@_form_field.register
def _(spec: IcmpTypes, path: str, label: str, layout: dict[str, Any]) -> FormField:
    declared = {"example": spec.example, "optional": True, "when": (spec.beside, tuple(ICMP_TYPE_NAMES))}
    return TextListField(path, label, **{**declared, "half": True, **layout})


@_form_field.register
def _(spec: Dscp, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return TextField(path, label, **{"example": spec.example, "optional": True, "half": True, **layout})


@_form_field.register
def _(spec: Object, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return FieldGroup(path, label, **{"nullable": spec.nullable, **layout})


@_form_field.register
def _(spec: Objects, path: str, label: str, layout: dict[str, Any]) -> FormField:
    return RowsField(path, label, **{"word": spec.word, **_hint(spec, layout)})
