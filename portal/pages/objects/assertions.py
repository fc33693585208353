"""Assertions: what must stay true, tested on every plan."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import KindPage, ListColumn
from portal.pages.rule_text import rule_match_text

FIELDS = fields_of("assertions")

KIND_PAGE = KindPage(
    key="assertions",
    icon="shield-check",
    columns=(
        ListColumn("From", lambda body: body["from"]),
        ListColumn("To", lambda body: body["to"]),
        ListColumn("Flows", rule_match_text, cell="mono"),
        ListColumn("Expect", lambda body: body["expect"]),
        ListColumn("Segment", lambda body: body["segment"] or "each", cell="segment", wide=True),
    ),
    form=lambda body: tuple(
        map(
            FIELDS,
            (
                *("name", "from", "to", "expect", "protocol", "ports", "source_ports", "icmp_types", "dscp"),
                *("segment", "except", "description"),
            ),
        )
    ),
)
