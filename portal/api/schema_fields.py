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


def text(told: str = "", **more: Any) -> Any:
    return serializers.CharField(help_text=told, **more)


def optional_text(told: str = "") -> Any:
    return serializers.CharField(help_text=told, allow_null=True, required=False)


def number(told: str = "", **more: Any) -> Any:
    return serializers.IntegerField(help_text=told, **more)


def boolean(told: str = "", **more: Any) -> Any:
    return serializers.BooleanField(help_text=told, **more)


def uid(told: str = "") -> Any:
    return serializers.UUIDField(help_text=told, read_only=True)


def timestamp(told: str = "", **more: Any) -> Any:
    return serializers.DateTimeField(help_text=told, **more)


def decimal_text(told: str = "decimal text") -> Any:
    return serializers.CharField(help_text=told)


def choice(options: Sequence[str], told: str = "", **more: Any) -> Any:
    return serializers.ChoiceField(list(options), help_text=told, **more)


def text_list(told: str = "", **more: Any) -> Any:
    return serializers.ListField(child=serializers.CharField(), help_text=told, **more)


def list_of(inner: Any, told: str = "", **more: Any) -> Any:
    return serializers.ListField(child=deepcopy(inner), help_text=told, **more)


def any_json(told: str = "", **more: Any) -> Any:
    return serializers.JSONField(help_text=told, **more)


def mapping(told: str = "", **more: Any) -> Any:
    return serializers.DictField(help_text=told, **more)


def nullable(inner: Any) -> Any:
    """The shape, or null where there is nothing."""
    return type(inner)(allow_null=True, required=False, help_text="null: there is none")
