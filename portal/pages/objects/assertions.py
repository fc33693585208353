"""Assertions: what must stay true, tested on every plan."""

from __future__ import annotations

from portal.pages.objects.fields import ANYWHERE, DESCRIPTION, NAME, Choice, Pick, ports, protocol
from portal.pages.objects.kind import Column, Kind
from portal.pages.rules import flow_words

EXPECTATIONS = (
    ("blocked", "Blocked: no flow passes"),
    ("reachable", "Reachable: every flow passes"),
    ("inspected", "Inspected: every flow passes a service"),
)

KIND = Kind(
    key="assertions",
    word="assertion",
    plural="Assertions",
    icon="shield-check",
    teaches="What must stay true, such as “dev never reaches prod”. Every plan is tested against it, and one that "
    "fails cannot be provisioned.",
    columns=(
        Column("From", lambda body: body["from"]),
        Column("To", lambda body: body["to"]),
        Column("Flows", flow_words, cell="mono"),
        Column("Expect", lambda body: body["expect"]),
        Column("Segment", lambda body: body["segment"] or "each", cell="segment", wide=True),
    ),
    form=lambda body: (
        NAME,
        Pick("from", "From", kinds=("groups", "connectors"), literals=ANYWHERE),
        Pick("to", "To", kinds=("groups", "connectors"), literals=ANYWHERE),
        Choice("expect", "Expect", options=EXPECTATIONS),
        protocol(),
        ports(),
        Pick("segment", "Segment", kinds=("segments",), hint="Empty: each segment."),
        DESCRIPTION,
    ),
)
