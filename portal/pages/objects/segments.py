"""Segments: VRFs across all exchanges."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import KindPage, ListColumn

FIELDS = fields_of("segments")

KIND_PAGE = KindPage(
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
