"""Policies: who may reach whom inside segments."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.form_fields import FieldGroup, FormField
from portal.pages.objects.kind_page import Body, KindPage, ListColumn

FIELDS = fields_of("policies")
RULE = FIELDS.nested("rules")

ENDPOINTS = tuple(map(FIELDS, ("name", "segments", "from", "to")))
RULES = FIELDS(
    "rules",
    ordered=True,
    hint="",
    fields=(
        RULE("name", half=True, hint=""),
        RULE("action", half=True),
        RULE("protocol"),
        RULE("ports"),
        RULE("source_ports"),
        RULE("icmp_types"),
        RULE("dscp"),
        RULE("services", when=("action", ("inspect",))),
        RULE("reject", when=("action", ("deny",))),
        RULE("mode", half=True),
        RULE("description", half=True),
        RULE("until", half=True, hint=""),
        FieldGroup("", "Addresses", folded=True, fields=(RULE("source"), RULE("destination"))),
    ),
)


def policy_form(body: Body) -> tuple[FormField, ...]:
    """Rules are what is changed most in a policy, so they come first; a new one says who it is for."""
    return (
        *((RULES, *ENDPOINTS) if "name" in body else (*ENDPOINTS, RULES)),
        FIELDS("tier", half=True),
        FIELDS("position", half=True, hint="Lower is tried first; empty: last."),
        FIELDS("apply_to", half=True),
        FIELDS("via"),
        FIELDS("enabled"),
        FIELDS("description"),
    )


KIND_PAGE = KindPage(
    key="policies",
    icon="arrows-exchange",
    columns=(
        ListColumn("Tier", lambda body: body["tier"]),
        ListColumn("Position", lambda body: body["position"], cell="number", order="position"),
        ListColumn("Segments", lambda body: body["segments"], cell="segment"),
        ListColumn("From", lambda body: body["from"]),
        ListColumn("To", lambda body: body["to"]),
        ListColumn("Rules", lambda body: [rule["action"] for rule in body["rules"]], cell="action"),
        ListColumn("State", lambda body: "" if body["enabled"] else "disabled", cell="state", wide=True),
    ),
    form=policy_form,
    blank={
        "tier": "standard",
        "rules": [{"name": "main", "action": "allow", "protocol": "tcp"}],
        "enabled": True,
    },
    order="position",
)
