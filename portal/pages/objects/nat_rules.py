"""NAT rules: other addresses at a connector's edge."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.form_fields import FormField
from portal.pages.objects.kind_page import Body, KindPage, ListColumn
from portal.pages.rule_text import rule_match_text

FIELDS = fields_of("nat-rules")
SOURCE, DESTINATION = FIELDS.nested("source"), FIELDS.nested("destination")


def translated_addresses(body: Body, side: str) -> list[str]:
    """What becomes of one side: nothing, or the addresses it is seen as."""
    translation = body[side]
    return [] if translation["type"] == "none" else translation["prefixes"]


def nat_rule_form(body: Body) -> tuple[FormField, ...]:
    return (
        FIELDS("name"),
        FIELDS("connector", half=True, hint=""),
        FIELDS("segment", half=True),
        FIELDS("direction"),
        FIELDS("match"),
        FIELDS("source", fields=(SOURCE("type"), SOURCE("prefixes", when=("type", ("static", "pool"))))),
        FIELDS(
            "destination",
            fields=(
                DESTINATION("type"),
                DESTINATION("prefixes", when=("type", ("static",))),
                DESTINATION("port", when=("type", ("static",))),
            ),
        ),
        FIELDS("position", half=True, hint="Lower is tried first; empty: last."),
        FIELDS("enabled"),
        FIELDS("description"),
    )


KIND_PAGE = KindPage(
    key="nat-rules",
    icon="replace",
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
