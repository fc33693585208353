"""Route policies: which routes a connector is told, and which of its own are taken."""

from __future__ import annotations

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    NAME,
    CheckboxField,
    FieldGroup,
    NumberField,
    ReferenceField,
    RowsField,
    SelectField,
    TextField,
    TextListField,
    addresses_field,
)
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind

DIRECTIONS = (
    ("in", "In: what is accepted from the targets"),
    ("out", "Out: what the targets are told"),
)


def rule_counts(body: Body) -> str:
    counts = [(action, sum(rule["action"] == action for rule in body["rules"])) for action in ("allow", "deny")]
    return ", ".join(f"{count} {action}" for action, count in counts if count) or "no rule"


KIND = ObjectKind(
    key="route-policies",
    word="route policy",
    plural="Route policies",
    icon="route",
    empty_text="Which of a site's routes are accepted, and which of the network's it is told. A site "
    "without a route has "
    "no way there, whatever the policies allow. What no rule matches is allowed.",
    columns=(
        ListColumn("Segment", lambda body: body["segment"], cell="segment"),
        ListColumn("Direction", lambda body: body["direction"]),
        ListColumn("Targets", lambda body: body["targets"]),
        ListColumn("Rules", rule_counts),
        ListColumn("State", lambda body: "" if body["enabled"] else "disabled", cell="state", wide=True),
    ),
    form=lambda body: (
        NAME,
        ReferenceField("segment", "Segment", kinds=("segments",)),
        SelectField("direction", "Direction", options=DIRECTIONS),
        ReferenceField("targets", "Targets", kinds=("groups", "connectors"), many=True),
        RowsField(
            "rules",
            "Rules",
            word="rule",
            ordered=True,
            fields=(
                SelectField("action", "Action", options=(("allow", "allow"), ("deny", "deny"))),
                addresses_field("match.prefixes", "Routes"),
                FieldGroup(
                    "match",
                    "Match more",
                    folded=True,
                    fields=(
                        TextField("as_path", "AS path", mono=True, optional=True, example="^65010_", half=True),
                        TextListField("communities", "Communities", example="65000:100", half=True),
                    ),
                ),
                FieldGroup(
                    "set",
                    "Set on the route",
                    folded=True,
                    when=("action", ("allow",)),
                    fields=(
                        NumberField("prepend", "Prepend", least=0, most=10, half=True),
                        NumberField("med", "MED", least=0, half=True),
                        NumberField("local_preference", "Local preference", least=0, half=True),
                        TextListField("communities", "Communities", example="65000:200", half=True),
                    ),
                ),
            ),
        ),
        CheckboxField("enabled", "Enabled", default=True),
        DESCRIPTION,
    ),
    blank={"direction": "out", "rules": [{"action": "deny"}], "enabled": True},
)
