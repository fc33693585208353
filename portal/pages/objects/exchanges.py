"""Exchanges: where the network has its routing nodes."""

from __future__ import annotations

from portal.pages.objects.fields import DESCRIPTION, NAME, Choice
from portal.pages.objects.kind import Column, Kind
from portal.templatetags.causeway import rate
from provisioning import catalog

LOCATIONS = {
    one.key: f"{one.name}, {one.provider.upper()} {one.region}" for one in catalog.catalog().locations.values()
}
SIZES = tuple((key, f"{key}, {rate(bits)}") for key, bits in catalog.SIZES.items())

KIND = Kind(
    key="exchanges",
    word="exchange",
    plural="Exchanges",
    icon="topology-star-3",
    teaches="A pair of routing nodes near your clouds and sites. Connectors attach to one, and exchanges form a mesh.",
    columns=(
        Column("Location", lambda body: LOCATIONS.get(body["location"], body["location"])),
        Column("Size", lambda body: body["size"]),
        Column("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        Choice("location", "Location", options=tuple(LOCATIONS.items())),
        Choice("size", "Size", options=SIZES, hint="The rate its nodes shape to."),
        DESCRIPTION,
    ),
    blank={"size": "small"},
)
