"""Exchanges: where the network has its routing nodes."""

from __future__ import annotations

from portal.pages.number_formats import rate
from portal.pages.objects.form_fields import DESCRIPTION, NAME, SelectField
from portal.pages.objects.object_kind import ListColumn, ObjectKind
from provisioning import catalog

LOCATIONS = {
    one.key: f"{one.name}, {one.provider.upper()} {one.region}" for one in catalog.catalog().locations.values()
}
SIZES = tuple((key, f"{key}, {rate(bits)}") for key, bits in catalog.SIZES.items())

KIND = ObjectKind(
    key="exchanges",
    word="exchange",
    plural="Exchanges",
    icon="topology-star-3",
    empty_text="A pair of routing nodes near your clouds and sites. Connectors attach to one, and "
    "exchanges form a mesh.",
    columns=(
        ListColumn("Location", lambda body: LOCATIONS.get(body["location"], body["location"])),
        ListColumn("Size", lambda body: body["size"]),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        SelectField("location", "Location", options=tuple(LOCATIONS.items())),
        SelectField("size", "Size", options=SIZES, hint="The rate its nodes shape to."),
        DESCRIPTION,
    ),
    blank={"size": "small"},
)
