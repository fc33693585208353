"""Exchanges: where the network has its routing nodes."""

from __future__ import annotations

from portal.pages.objects.declared_fields import LOCATIONS
from portal.pages.objects.kind_page import KindPage, ListColumn

KIND_PAGE = KindPage(
    key="exchanges",
    icon="topology-star-3",
    columns=(
        ListColumn("Location", lambda body: LOCATIONS.get(body["location"], body["location"])),
        ListColumn("Size", lambda body: body["size"]),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    blank={"size": "small"},
)
