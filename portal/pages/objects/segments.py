"""Segments: VRFs across all exchanges."""

from __future__ import annotations

from portal.pages.objects.form_fields import DESCRIPTION, NAME, ColorField, SelectField, TextListField
from portal.pages.objects.object_kind import ListColumn, ObjectKind

DEFAULT_ACTIONS = (
    ("deny", "Deny: nothing passes unless a policy allows"),
    ("allow", "Allow: members reach each other unless a policy denies"),
)

KIND = ObjectKind(
    key="segments",
    word="segment",
    plural="Segments",
    icon="route-2",
    empty_text="A VRF across all exchanges, apart from every other one: two segments may use the same addresses.",
    columns=(
        ListColumn("Default action", lambda body: body["default_action"]),
        ListColumn("Prefixes", lambda body: body["prefixes"], cell="mono"),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        SelectField("default_action", "Default action", options=DEFAULT_ACTIONS),
        TextListField(
            "prefixes", "Prefixes", example="10.0.0.0/8, 2001:db8::/32", lines=2, hint="What the segment is made of."
        ),
        ColorField("color", "Colour"),
        DESCRIPTION,
    ),
)
