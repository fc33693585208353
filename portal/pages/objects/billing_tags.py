"""Billing tags: whose money a connector, a service or an application spends."""

from __future__ import annotations

from portal.pages.objects.object_kind import ListColumn, ObjectKind

KIND = ObjectKind(
    key="billing-tags",
    icon="tag",
    columns=(
        ListColumn("Colour", lambda body: body, cell="swatch"),
        ListColumn("Description", lambda body: body["description"]),
    ),
)
