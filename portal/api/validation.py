"""Validating a request body with a serializer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


def validate_body(serializer_class: type[serializers.Serializer], body: Any) -> dict[str, Any]:
    """Return the validated fields of a body. Raise ValidationError for invalid and for unknown fields."""
    serializer = serializer_class(data=body)
    serializer.is_valid(raise_exception=True)
    unknown = _unknown_fields(serializer, body)
    if unknown:
        raise serializers.ValidationError(unknown, "unknown_field")
    return dict(serializer.validated_data)


def _unknown_fields(form: serializers.Serializer, body: Any) -> dict[str, Any]:
    unknown: dict[str, Any] = {}
    for name, value in body.items():
        inner = form.fields.get(name)
        if inner is None:
            unknown[name] = [f"There is no field “{name}” here."]
        elif isinstance(inner, serializers.Serializer) and value and (nested := _unknown_fields(inner, value)):
            unknown[name] = nested
    return unknown
