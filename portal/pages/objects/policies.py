"""Policies: who may reach whom inside segments."""

from __future__ import annotations

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    ENDPOINT_LITERALS,
    NAME,
    CheckboxField,
    FieldGroup,
    NumberField,
    ReferenceField,
    RowsField,
    SelectField,
    TextField,
    addresses_field,
    ports_field,
    protocol_field,
)
from portal.pages.objects.object_kind import ListColumn, ObjectKind
from provisioning.core.intent.policies import ACTIONS

ENDS = ("groups", "connectors", "internet-apps")

WHO = (
    NAME,
    ReferenceField("segments", "Segments", kinds=("segments",), many=True),
    ReferenceField("from", "From", kinds=ENDS, literals=ENDPOINT_LITERALS, many=True),
    ReferenceField("to", "To", kinds=ENDS, literals=ENDPOINT_LITERALS, many=True),
)
RULES = RowsField(
    "rules",
    "Rules",
    word="rule",
    ordered=True,
    fields=(
        TextField("name", "Name of the rule", half=True),
        SelectField("action", "Action", options=tuple((action, action) for action in ACTIONS), half=True),
        protocol_field(),
        ports_field(),
        ReferenceField("services", "Through", kinds=("services",), many=True, when=("action", ("inspect",))),
        FieldGroup(
            "",
            "Addresses",
            folded=True,
            fields=(addresses_field("source", "Source"), addresses_field("destination", "Destination")),
        ),
    ),
)
"""What is changed most in a policy, so they come first; a new one says who it is for."""

KIND = ObjectKind(
    key="policies",
    word="policy",
    plural="Policies",
    icon="arrows-exchange",
    empty_text="From some groups to others, with ordered rules. Policies are tried by position; in each, "
    "the first rule "
    "that matches decides. What none matches follows the segment's default action.",
    columns=(
        ListColumn("Position", lambda body: body["position"], cell="number", order="position"),
        ListColumn("Segments", lambda body: body["segments"], cell="segment"),
        ListColumn("From", lambda body: body["from"]),
        ListColumn("To", lambda body: body["to"]),
        ListColumn("Rules", lambda body: [rule["action"] for rule in body["rules"]], cell="action"),
        ListColumn("State", lambda body: "" if body["enabled"] else "disabled", cell="state", wide=True),
    ),
    form=lambda body: (
        *((RULES, *WHO) if "name" in body else (*WHO, RULES)),
        NumberField("position", "Position", least=0, half=True, hint="Lower is tried first; empty: last."),
        SelectField("apply_to", "Applies to", options=(("all", "all flows"), ("new", "new flows only")), half=True),
        CheckboxField("enabled", "Enabled", default=True),
        DESCRIPTION,
    ),
    blank={"rules": [{"name": "main", "action": "allow", "protocol": "tcp"}], "enabled": True},
    order="position",
)
