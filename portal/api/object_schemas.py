"""The shape of every kind of intent object, for the schema; made from its declaration in provisioning.core.intent.

References are ids; on input a unique name is accepted too.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache, singledispatch
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from portal.api.schema_fields import (
    any_json,
    boolean,
    choice,
    list_of,
    mapping,
    number,
    object_schema,
    text,
    text_list,
    uid,
)
from provisioning.core.intent import all_kinds, kind_of
from provisioning.core.intent.connectors import CONNECTOR_KINDS, ConnectorSettings
from provisioning.core.intent.declaration import Declaration, DeclaredField
from provisioning.core.intent.field_help import help_text, type_text
from provisioning.core.intent.fields import (
    Boolean,
    Choice,
    ChoiceOrTexts,
    Date,
    Field,
    Integer,
    IpProtocol,
    Object,
    Objects,
    Prefix,
    Text,
)
from provisioning.core.intent.label_fields import Labels


def object_schema_of(kind: str) -> Any:
    """Return the shape of a kind's objects."""
    declaration = kind_of(kind).declaration
    return _object_schema(declaration)


@cache
def _object_schema(declaration: Declaration) -> Any:
    return object_schema(
        declaration.type.__name__,
        id=uid("stays the same through renames and revisions"),
        key=text("slug of its first name; part of every address", read_only=True),
        **_fields(declaration),
    )


@cache
def _nested_schema(declaration: Declaration) -> Any:
    return object_schema(declaration.type.__name__, **_fields(declaration))


def _fields(declaration: Declaration) -> dict[str, Any]:
    return {field.attribute: _field_schema(field) for field in declaration.fields}


def _field_schema(field: DeclaredField) -> Any:
    spec = field.spec
    if field.nested is not None and isinstance(spec, Objects):
        return list_of(_nested_schema(field.nested), help_text(spec), **_presence(spec), **_length(spec))
    if field.nested is not None and isinstance(spec, Object) and type(spec) is Object:
        return type(_nested_schema(field.nested))(help_text=help_text(spec), **_presence(spec))
    if spec.is_list:
        return text_list(help_text(spec), **_presence(spec), **_length(spec))
    return _value_schema(spec)


@singledispatch
def _value_schema(spec: Field) -> Any:
    """Return the shape of one value. What holds settings of many shapes is any object."""
    return text(help_text(spec), **_presence(spec)) if spec.kinds else mapping(help_text(spec), required=False)


@_value_schema.register
def _(spec: Text) -> Any:
    return text(help_text(spec), max_length=spec.max_length, **_presence(spec))


@_value_schema.register
def _(spec: Labels) -> Any:
    return serializers.DictField(child=serializers.CharField(), help_text=help_text(spec), required=False)


@_value_schema.register
def _(spec: Date) -> Any:
    return serializers.DateField(help_text=help_text(spec), **_presence(spec))


@_value_schema.register
def _(spec: Prefix) -> Any:
    return text(help_text(spec), **_presence(spec))


@_value_schema.register
def _(spec: Choice) -> Any:
    return choice(tuple(spec.options), help_text(spec), **_presence(spec))


@_value_schema.register
def _(spec: ChoiceOrTexts) -> Any:
    return any_json(f"{type_text(spec)}; {spec.help}".removesuffix("; "), required=False)


@_value_schema.register
def _(spec: Integer) -> Any:
    return number(help_text(spec), min_value=spec.low, max_value=spec.high, **_presence(spec))


@_value_schema.register
def _(spec: Boolean) -> Any:
    return boolean(help_text(spec), **_presence(spec))


@_value_schema.register
def _(spec: IpProtocol) -> Any:
    return any_json(help_text(spec), required=False)


class _SettingsSchema(serializers.DictField):
    """An object with the fields of one kind of connector."""


class _SettingsExtension(OpenApiSerializerFieldExtension):
    """Describes the settings of connectors as any of the shapes that the kinds declare; {} is one of them."""

    target_class = _SettingsSchema

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        declarations = [known.settings_declaration for known in CONNECTOR_KINDS.values()]
        shapes = [_nested_schema(declaration) for declaration in declarations if declaration.fields]
        return {"anyOf": [auto_schema.resolve_serializer(shape, direction).ref for shape in shapes]}


@_value_schema.register
def _(spec: ConnectorSettings) -> Any:
    return _SettingsSchema(help_text=help_text(spec), required=False)


def _presence(spec: Field) -> dict[str, Any]:
    """Return whether it has to be given, and whether it may be null."""
    return {**({} if spec.required else {"required": False}), **({"allow_null": True} if spec.nullable else {})}


def _length(spec: Field) -> dict[str, Any]:
    return {"max_length": spec.limit.most} if spec.limit else {}


def object_schemas() -> dict[str, Any]:
    """Return the shapes of all kinds, in their order."""
    return {kind.key: deepcopy(object_schema_of(kind.key)) for kind in all_kinds()}
