"""Prefix lists: addresses with a name, for rules and route policies."""

from __future__ import annotations

from portal.pages.objects.form_fields import DESCRIPTION, NAME, NumberField, RowsField, TextField
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind


def entry_text(entry: Body) -> str:
    """`10.0.0.0/8 ≥ 16 ≤ 24`."""
    bounds = "".join(f" {sign} {entry[key]}" for key, sign in (("ge", "≥"), ("le", "≤")) if entry.get(key) is not None)
    return f"{entry['prefix']}{bounds}"


KIND = ObjectKind(
    key="prefix-lists",
    word="prefix list",
    plural="Prefix lists",
    icon="list-numbers",
    empty_text="Addresses with a name. A rule that names the list follows when the list changes, so an "
    "address is kept in "
    "one place.",
    columns=(
        ListColumn("Entries", lambda body: [entry_text(entry) for entry in body["entries"]], cell="mono"),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        RowsField(
            "entries",
            "Entries",
            word="entry",
            hint="Lengths matter to route policies only: how long routes inside the prefix are.",
            fields=(
                TextField("prefix", "Prefix", mono=True, example="10.20.0.0/16"),
                NumberField("ge", "At least", least=0, most=128, half=True, example="/"),
                NumberField("le", "At most", least=0, most=128, half=True, example="/"),
            ),
        ),
        DESCRIPTION,
    ),
    blank={"entries": [{}]},
    imports=True,
)
