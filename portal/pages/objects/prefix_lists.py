"""Prefix lists: addresses with a name, for rules and route policies."""

from __future__ import annotations

from portal.pages.objects.fields import DESCRIPTION, NAME, Number, Rows, Text
from portal.pages.objects.kind import Body, Column, Kind


def told(entry: Body) -> str:
    """`10.0.0.0/8 ≥ 16 ≤ 24`."""
    bounds = "".join(f" {sign} {entry[key]}" for key, sign in (("ge", "≥"), ("le", "≤")) if entry.get(key) is not None)
    return f"{entry['prefix']}{bounds}"


KIND = Kind(
    key="prefix-lists",
    word="prefix list",
    plural="Prefix lists",
    icon="list-numbers",
    teaches="Addresses with a name. A rule that names the list follows when the list changes, so an address is kept in "
    "one place.",
    columns=(
        Column("Entries", lambda body: [told(entry) for entry in body["entries"]], cell="mono"),
        Column("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        NAME,
        Rows(
            "entries",
            "Entries",
            word="entry",
            hint="Lengths matter to route policies only: how long routes inside the prefix are.",
            fields=(
                Text("prefix", "Prefix", mono=True, example="10.20.0.0/16"),
                Number("ge", "At least", least=0, most=128, half=True, example="/"),
                Number("le", "At most", least=0, most=128, half=True, example="/"),
            ),
        ),
        DESCRIPTION,
    ),
    blank={"entries": [{}]},
    imports=True,
)
