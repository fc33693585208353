"""Port lists: protocols and ports with a name, for rules."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import KindPage, ListColumn
from portal.pages.rule_text import rule_match_text

FIELDS = fields_of("port-lists")
ENTRY = FIELDS.nested("entries")

KIND_PAGE = KindPage(
    key="port-lists",
    icon="list-details",
    columns=(
        ListColumn("Entries", lambda body: [rule_match_text(entry) for entry in body["entries"]], cell="mono"),
        ListColumn("Contains", lambda body: body["contains"]),
        ListColumn("Description", lambda body: body["description"], wide=True),
    ),
    form=lambda body: (
        FIELDS("name"),
        FIELDS("entries", fields=(ENTRY("protocol"), ENTRY("ports"), ENTRY("description", hint=""))),
        FIELDS("contains"),
        FIELDS("description"),
    ),
    blank={"entries": [{"protocol": "tcp"}]},
)
