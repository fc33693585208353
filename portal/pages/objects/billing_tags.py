"""Billing tags: whose money a connector, a service or an application spends."""

from __future__ import annotations

from portal.pages.objects.kind_page import KindPage, ListColumn

KIND_PAGE = KindPage(
    key="billing-tags",
    icon="tag",
    columns=(
        ListColumn("Colour", lambda body: body, cell="swatch"),
        ListColumn("Description", lambda body: body["description"]),
    ),
)
