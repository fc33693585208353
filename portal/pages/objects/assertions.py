"""Assertions: what must stay true, tested on every plan."""

from __future__ import annotations

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    ENDPOINT_LITERALS,
    NAME,
    ReferenceField,
    SelectField,
    ports_field,
    protocol_field,
)
from portal.pages.objects.object_kind import ListColumn, ObjectKind
from portal.pages.rule_text import rule_match_text

EXPECTATIONS = (
    ("blocked", "Blocked: no flow passes"),
    ("reachable", "Reachable: every flow passes"),
    ("inspected", "Inspected: every flow passes a service"),
)

KIND = ObjectKind(
    key="assertions",
    word="assertion",
    plural="Assertions",
    icon="shield-check",
    empty_text="What must stay true, such as “dev never reaches prod”. Every plan is tested against it, and one that "
    "fails cannot be provisioned.",
    columns=(
        ListColumn("From", lambda body: body["from"]),
        ListColumn("To", lambda body: body["to"]),
        ListColumn("Flows", rule_match_text, cell="mono"),
        ListColumn("Expect", lambda body: body["expect"]),
        ListColumn("Segment", lambda body: body["segment"] or "each", cell="segment", wide=True),
    ),
    form=lambda body: (
        NAME,
        ReferenceField("from", "From", kinds=("groups", "connectors"), literals=ENDPOINT_LITERALS),
        ReferenceField("to", "To", kinds=("groups", "connectors"), literals=ENDPOINT_LITERALS),
        SelectField("expect", "Expect", options=EXPECTATIONS),
        protocol_field(),
        ports_field(),
        ReferenceField("segment", "Segment", kinds=("segments",), hint="Empty: each segment."),
        DESCRIPTION,
    ),
)
