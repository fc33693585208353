"""Prefix lists: addresses with a name, for rules and route policies."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import Body, KindPage, ListColumn

FIELDS = fields_of("prefix-lists")
ENTRY = FIELDS.nested("entries")


def entry_text(entry: Body) -> str:
    """`10.0.0.0/8 ≥ 16 ≤ 24`."""
    bounds = "".join(f" {sign} {entry[key]}" for key, sign in (("ge", "≥"), ("le", "≤")) if entry.get(key) is not None)
    return f"{entry['prefix']}{bounds}"


KIND_PAGE = KindPage(
    key="prefix-lists",
    icon="list-numbers",
    columns=(
        ListColumn("Entries", lambda body: [entry_text(entry) for entry in body["entries"]], cell="mono"),
        ListColumn("Contains", lambda body: body["contains"]),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        FIELDS("name"),
        FIELDS(
            "entries",
            fields=(
                ENTRY("prefix"),
                ENTRY("ge", half=True, example="/", hint=""),
                ENTRY("le", half=True, example="/", hint=""),
                ENTRY("description", hint=""),
            ),
        ),
        FIELDS("contains"),
        FIELDS("description"),
    ),
    blank={"entries": [{}]},
)
