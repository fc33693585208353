"""Billing tags: whose money a connector, a service or an application spends."""

from __future__ import annotations

from portal.pages.objects.form_fields import DESCRIPTION, NAME, ColorField
from portal.pages.objects.object_kind import ListColumn, ObjectKind

KIND = ObjectKind(
    key="billing-tags",
    word="billing tag",
    plural="Billing tags",
    icon="tag",
    empty_text="A cost centre, a project or a customer. Connectors, services and applications carry tags, and usage is "
    "shown by them.",
    columns=(
        ListColumn("Colour", lambda body: body, cell="swatch"),
        ListColumn("Description", lambda body: body["description"]),
    ),
    form=lambda body: (NAME, ColorField("color", "Colour"), DESCRIPTION),
)
