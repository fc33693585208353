"""Policies: who may reach whom inside segments."""

from __future__ import annotations

from portal.pages.objects.fields import (
    ANYWHERE,
    DESCRIPTION,
    NAME,
    Choice,
    Flag,
    Number,
    Part,
    Pick,
    Rows,
    Text,
    addresses,
    ports,
    protocol,
)
from portal.pages.objects.kind import Column, Kind
from provisioning.core.intent.policies import ACTIONS

ENDS = ("groups", "connectors", "internet-apps")

WHO = (
    NAME,
    Pick("segments", "Segments", kinds=("segments",), many=True),
    Pick("from", "From", kinds=ENDS, literals=ANYWHERE, many=True),
    Pick("to", "To", kinds=ENDS, literals=ANYWHERE, many=True),
)
RULES = Rows(
    "rules",
    "Rules",
    word="rule",
    ordered=True,
    fields=(
        Text("name", "Name of the rule", half=True),
        Choice("action", "Action", options=tuple((action, action) for action in ACTIONS), half=True),
        protocol(),
        ports(),
        Pick("services", "Through", kinds=("services",), many=True, when=("action", ("inspect",))),
        Part(
            "",
            "Addresses",
            folded=True,
            fields=(addresses("source", "Source"), addresses("destination", "Destination")),
        ),
    ),
)
"""What is changed most in a policy, so they come first; a new one says who it is for."""

KIND = Kind(
    key="policies",
    word="policy",
    plural="Policies",
    icon="arrows-exchange",
    teaches="From some groups to others, with ordered rules. Policies are tried by position; in each, the first rule "
    "that matches decides. What none matches follows the segment's stance.",
    columns=(
        Column("Position", lambda body: body["position"], cell="number", order="position"),
        Column("Segments", lambda body: body["segments"], cell="segment"),
        Column("From", lambda body: body["from"]),
        Column("To", lambda body: body["to"]),
        Column("Rules", lambda body: [rule["action"] for rule in body["rules"]], cell="action"),
        Column("State", lambda body: "" if body["enabled"] else "disabled", cell="state", wide=True),
    ),
    form=lambda body: (
        *((RULES, *WHO) if "name" in body else (*WHO, RULES)),
        Number("position", "Position", least=0, half=True, hint="Lower is tried first; empty: last."),
        Choice("apply_to", "Applies to", options=(("all", "all flows"), ("new", "new flows only")), half=True),
        Flag("enabled", "Enabled", default=True),
        DESCRIPTION,
    ),
    blank={"rules": [{"name": "main", "action": "allow", "protocol": "tcp"}], "enabled": True},
    order="position",
)
