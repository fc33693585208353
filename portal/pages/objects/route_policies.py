"""Route policies: which routes a connector is told, and which of its own are taken."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.form_fields import FieldGroup
from portal.pages.objects.kind_page import Body, KindPage, ListColumn

FIELDS = fields_of("route-policies")
RULE = FIELDS.nested("rules")
MATCH, SET = RULE.nested("match"), RULE.nested("set")


def rule_counts(body: Body) -> str:
    counts = [(action, sum(rule["action"] == action for rule in body["rules"])) for action in ("allow", "deny")]
    return ", ".join(f"{count} {action}" for action, count in counts if count) or "no rule"


RULES = FIELDS(
    "rules",
    ordered=True,
    hint="",
    fields=(
        RULE("action"),
        RULE("match.prefixes"),
        FieldGroup(
            "match",
            "Match more",
            folded=True,
            fields=(MATCH("as_path", mono=True, half=True, hint=""), MATCH("communities", half=True, hint="")),
        ),
        RULE(
            "set",
            folded=True,
            when=("action", ("allow",)),
            fields=tuple(SET(field.name, half=True, hint="") for field in SET.declaration.fields),
        ),
    ),
)

KIND_PAGE = KindPage(
    key="route-policies",
    icon="route",
    columns=(
        ListColumn("Segment", lambda body: body["segment"], cell="segment"),
        ListColumn("Direction", lambda body: body["direction"]),
        ListColumn("Targets", lambda body: body["targets"]),
        ListColumn("Rules", rule_counts),
        ListColumn("State", lambda body: "" if body["enabled"] else "disabled", cell="state", wide=True),
    ),
    form=lambda body: (
        *map(FIELDS, ("name", "segment", "direction", "targets")),
        RULES,
        FIELDS("enabled"),
        FIELDS("description"),
    ),
    blank={"direction": "out", "rules": [{"action": "deny"}], "enabled": True},
)
