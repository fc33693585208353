"""NAT rules: other addresses at a connector's edge."""

from __future__ import annotations

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    NAME,
    CheckboxField,
    FieldGroup,
    FormField,
    NumberField,
    ReferenceField,
    SelectField,
    TextListField,
    addresses_field,
    ports_field,
    protocol_field,
)
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind
from portal.pages.rule_text import rule_match_text

DIRECTIONS = (
    ("outbound", "Outbound: connections begun behind the connector"),
    ("inbound", "Inbound: connections begun elsewhere"),
)
SOURCES = (
    ("none", "Stays as it is"),
    ("static", "One to one: each address has its own"),
    ("pool", "Pool: many share few, ports are translated"),
)
DESTINATIONS = (("none", "Stays as it is"), ("static", "One to one: each address has its own"))


def translated_addresses(body: Body, side: str) -> list[str]:
    """What becomes of one side: nothing, or the addresses it is seen as."""
    found = body[side]
    return [] if found["type"] == "none" else found["prefixes"]


def nat_rule_form(body: Body) -> tuple[FormField, ...]:
    return (
        NAME,
        ReferenceField("connector", "Connector", kinds=("connectors",), half=True),
        ReferenceField("segment", "Segment", kinds=("segments",), half=True),
        SelectField("direction", "Direction", options=DIRECTIONS),
        FieldGroup(
            "match",
            "Match",
            fields=(
                addresses_field("source", "Source"),
                addresses_field("destination", "Destination"),
                protocol_field(),
                ports_field(),
            ),
        ),
        FieldGroup(
            "source",
            "Source becomes",
            fields=(
                SelectField("type", "Source", options=SOURCES),
                TextListField("prefixes", "Seen as", example="100.64.1.0/24", when=("type", ("static", "pool"))),
            ),
        ),
        FieldGroup(
            "destination",
            "Destination becomes",
            fields=(
                SelectField("type", "Destination", options=DESTINATIONS),
                TextListField("prefixes", "Inside", example="10.22.0.0/24", when=("type", ("static",))),
                NumberField(
                    "port", "Other port", least=1, most=65535, when=("type", ("static",)), hint="Empty: the same."
                ),
            ),
        ),
        NumberField("position", "Position", least=0, half=True, hint="Lower is tried first; empty: last."),
        CheckboxField("enabled", "Enabled", default=True),
        DESCRIPTION,
    )


KIND = ObjectKind(
    key="nat-rules",
    word="NAT rule",
    plural="NAT rules",
    icon="replace",
    empty_text="Sites that use the same addresses can join one segment when one of them is seen by other addresses. "
    "Rules, policies and traces speak of the presented addresses; a trace shows both.",
    columns=(
        ListColumn("Connector", lambda body: body["connector"]),
        ListColumn("Position", lambda body: body["position"], cell="number", order="position"),
        ListColumn("Segment", lambda body: body["segment"], cell="segment", wide=True),
        ListColumn("Direction", lambda body: body["direction"]),
        ListColumn("From", lambda body: body["match"]["source"], cell="mono"),
        ListColumn("seen as", lambda body: translated_addresses(body, "source"), cell="mono"),
        ListColumn("To", lambda body: body["match"]["destination"], cell="mono"),
        ListColumn("becomes", lambda body: translated_addresses(body, "destination"), cell="mono"),
        ListColumn("Flows", lambda body: rule_match_text(body["match"]), cell="mono", wide=True),
    ),
    form=nat_rule_form,
    blank={"direction": "outbound", "source": {"type": "static"}, "enabled": True},
    order="position",
)
