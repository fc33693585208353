"""Short names for the fields of shapes. A shape describes what is answered; bodies of intent are read by the core."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers


def object_schema(name: str, /, **fields: Any) -> Any:
    """An object; ``from_`` stands for ``from``.

    Fields are copied: one that is part of a shape already cannot be part of a second one, and copies keep the order.
    """
    return inline_serializer(name, {field.rstrip("_"): deepcopy(inner) for field, inner in fields.items()})


def text(help_text: str = "", **more: Any) -> Any:
    return serializers.CharField(help_text=help_text, **more)


def optional_text(help_text: str = "") -> Any:
    return serializers.CharField(help_text=help_text, allow_null=True, required=False)


def number(help_text: str = "", **more: Any) -> Any:
    return serializers.IntegerField(help_text=help_text, **more)


def boolean(help_text: str = "", **more: Any) -> Any:
    return serializers.BooleanField(help_text=help_text, **more)


def uid(help_text: str = "") -> Any:
    return serializers.UUIDField(help_text=help_text, read_only=True)


def timestamp(help_text: str = "", **more: Any) -> Any:
    return serializers.DateTimeField(help_text=help_text, **more)


def decimal_text(help_text: str = "decimal text") -> Any:
    return serializers.CharField(help_text=help_text)


def choice(options: Sequence[str], help_text: str = "", **more: Any) -> Any:
    return serializers.ChoiceField(list(options), help_text=help_text, **more)


def nullable_choice(options: Sequence[str], help_text: str = "") -> Any:
    return serializers.ChoiceField(list(options), help_text=help_text, allow_null=True, required=False)


def text_list(help_text: str = "", **more: Any) -> Any:
    return serializers.ListField(child=serializers.CharField(), help_text=help_text, **more)


def list_of(inner: Any, help_text: str = "", **more: Any) -> Any:
    return serializers.ListField(child=deepcopy(inner), help_text=help_text, **more)


def any_json(help_text: str = "", **more: Any) -> Any:
    return serializers.JSONField(help_text=help_text, **more)


def mapping(help_text: str = "", **more: Any) -> Any:
    return serializers.DictField(help_text=help_text, **more)


def nullable(inner: Any) -> Any:
    """The shape, or null where there is nothing."""
    return type(inner)(allow_null=True, required=False, help_text="null: there is none")
