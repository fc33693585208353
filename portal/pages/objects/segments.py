"""Segments: VRFs across all exchanges."""

from __future__ import annotations

from portal.pages.objects.form_fields import DESCRIPTION, NAME, ColorField, SelectField, TextListField
from portal.pages.objects.object_kind import ListColumn, ObjectKind

STANCES = (
    ("closed", "Closed: nothing passes unless a policy allows"),
    ("open", "Open: members reach each other unless a policy denies"),
)

KIND = ObjectKind(
    key="segments",
    word="segment",
    plural="Segments",
    icon="route-2",
    empty_text="A VRF across all exchanges, apart from every other one: two segments may use the same addresses.",
    columns=(
        ListColumn("Stance", lambda body: body["stance"]),
        ListColumn("Prefixes", lambda body: body["prefixes"], cell="mono"),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        SelectField("stance", "Stance", options=STANCES),
        TextListField(
            "prefixes", "Prefixes", example="10.0.0.0/8, 2001:db8::/32", lines=2, hint="What the segment is made of."
        ),
        ColorField("color", "Colour"),
        DESCRIPTION,
    ),
)
