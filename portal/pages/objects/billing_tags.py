"""Billing tags: whose money a connector, a service or an application spends."""

from __future__ import annotations

from portal.pages.objects.fields import DESCRIPTION, NAME, Swatch
from portal.pages.objects.kind import Column, Kind

KIND = Kind(
    key="billing-tags",
    word="billing tag",
    plural="Billing tags",
    icon="tag",
    teaches="A cost centre, a project or a customer. Connectors, services and applications carry tags, and usage is "
    "shown by them.",
    columns=(
        Column("Colour", lambda body: body, cell="swatch"),
        Column("Description", lambda body: body["description"]),
    ),
    form=lambda body: (NAME, Swatch("color", "Colour"), DESCRIPTION),
)
