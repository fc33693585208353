"""Segments: VRFs across all exchanges."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.object_kind import ListColumn, ObjectKind

FIELDS = fields_of("segments")

KIND = ObjectKind(
    key="segments",
    icon="route-2",
    columns=(
        ListColumn("Default action", lambda body: body["default_action"]),
        ListColumn("Prefixes", lambda body: body["prefixes"], cell="mono"),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        FIELDS("name"),
        FIELDS("default_action", hint=""),
        FIELDS("prefixes", lines=2),
        FIELDS("color"),
        FIELDS("description"),
    ),
)
