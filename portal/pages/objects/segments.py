"""Segments: VRFs across all exchanges."""

from __future__ import annotations

from portal.pages.objects.fields import DESCRIPTION, NAME, Choice, Swatch, Texts
from portal.pages.objects.kind import Column, Kind

STANCES = (
    ("closed", "Closed: nothing passes unless a policy allows"),
    ("open", "Open: members reach each other unless a policy denies"),
)

KIND = Kind(
    key="segments",
    word="segment",
    plural="Segments",
    icon="route-2",
    teaches="A VRF across all exchanges, apart from every other one: two segments may use the same addresses.",
    columns=(
        Column("Stance", lambda body: body["stance"]),
        Column("Prefixes", lambda body: body["prefixes"], cell="mono"),
        Column("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        Choice("stance", "Stance", options=STANCES),
        Texts(
            "prefixes", "Prefixes", example="10.0.0.0/8, 2001:db8::/32", lines=2, hint="What the segment is made of."
        ),
        Swatch("color", "Colour"),
        DESCRIPTION,
    ),
)
