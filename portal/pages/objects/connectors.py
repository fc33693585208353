"""Connectors: what attaches to an exchange, and how the far side of each kind is told."""

from __future__ import annotations

from collections.abc import Sequence

from portal.pages.objects.connector_settings import SETTINGS
from portal.pages.objects.exchanges import SIZES
from portal.pages.objects.form_fields import (
    DESCRIPTION,
    NAME,
    CheckboxField,
    FieldGroup,
    FormField,
    NumberField,
    ReferenceField,
    RowsField,
    SelectField,
    TextField,
    TextListField,
    billing_tags_field,
)
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind, value_at
from provisioning.core.intent.connectors import CONNECTOR_KINDS

CIRCUITS = FieldGroup(
    "",
    "Circuits",
    folded=True,
    hint="Circuit A ends on node 1, circuit B on node 2. What is left empty is filled in.",
    fields=(
        RowsField(
            "circuits",
            "",
            word="circuit",
            most=2,
            fields=(
                SelectField("name", "Circuit", options=(("A", "A"), ("B", "B")), half=True),
                SelectField("role", "Role", options=(("active", "active"), ("standby", "standby")), half=True),
                NumberField("node", "Node", least=1, most=2, half=True),
                NumberField("vlan", "VLAN", least=1, most=4094, half=True),
                TextField("local", "Our end", mono=True, optional=True, example="169.254.1.1/30", half=True),
                TextField("peer", "Far end", mono=True, optional=True, example="169.254.1.2/30", half=True),
                FieldGroup(
                    "bgp",
                    "BGP",
                    nullable=True,
                    fields=(
                        NumberField("peer_asn", "Far side's ASN", least=1, half=True, hint="Empty: static routes."),
                        CheckboxField("bfd", "BFD", default=True, half=True),
                    ),
                ),
            ),
        ),
    ),
)


def attachments_field(kind: str) -> RowsField:
    """A cloud network joins one segment; a site may join several, and one segment with several groups."""
    known = CONNECTOR_KINDS[kind]
    prefixes = TextListField("prefixes", "Prefixes", example="10.1.0.0/16", lines=2, required=True)
    return RowsField(
        "attachments",
        "Attachments",
        word="attachment",
        most=1 if known.cloud else 0,
        fields=(
            ReferenceField("segment", "Segment", kinds=("segments",), half=True, required=True),
            *((ReferenceField("group", "Group", kinds=("groups",), half=True), prefixes) if known.prefixes else ()),
        ),
    )


def settings_fields(body: Body) -> tuple[FormField, ...]:
    """Where a word was given as a list instead, such as the ids of route tables, the list is edited."""
    return tuple(
        TextListField(one.path, one.label)
        if isinstance(one, SelectField) and isinstance(value_at(body, f"settings.{one.path}"), list)
        else one
        for one in SETTINGS[body["kind"]]
    )


def connector_form(body: Body, sizes: Sequence[tuple[str, str]] = SIZES) -> tuple[FormField, ...]:
    kind = body["kind"]
    known = CONNECTOR_KINDS[kind]
    return (
        NAME,
        ReferenceField("exchange", "Exchange", kinds=("exchanges",), half=True, required=True),
        SelectField("size", "Size", options=sizes, half=True),
        attachments_field(kind),
        *((FieldGroup("settings", "Far side", fields=settings_fields(body)),) if SETTINGS[kind] else ()),
        FieldGroup(
            "",
            "When something fails",
            folded=True,
            fields=(
                *(
                    (ReferenceField("failover_exchange", "Failover exchange", kinds=("exchanges",)),)
                    if known.supports_failover
                    else ()
                ),
                TextField(
                    "redundancy_group", "Redundancy group", optional=True, half=True, hint="Equal prefixes share one."
                ),
                NumberField(
                    "preference", "Preference", least=0, most=1000, default=100, half=True, hint="Higher is used first."
                ),
            ),
        ),
        CIRCUITS,
        billing_tags_field(),
        CheckboxField("enabled", "Enabled", default=True),
        DESCRIPTION,
    )


KIND = ObjectKind(
    key="connectors",
    word="connector",
    plural="Connectors",
    icon="plug-connected",
    empty_text="What attaches a cloud network, a site or the internet to an exchange. It joins a segment with its "
    "prefixes, and is its own group besides.",
    columns=(
        ListColumn("Kind", lambda body: body["kind"], cell="kind"),
        ListColumn("Exchange", lambda body: body["exchange"]),
        ListColumn("Size", lambda body: body["size"], wide=True),
        ListColumn("Segments", lambda body: [one["segment"] for one in body["attachments"]], cell="segment"),
        ListColumn("Groups", lambda body: [one["group"] for one in body["attachments"] if one["group"]]),
        ListColumn(
            "Prefixes", lambda body: [prefix for one in body["attachments"] for prefix in one["prefixes"]], cell="mono"
        ),
    ),
    form=connector_form,
    wizard="connector-new",
    imports=True,
)
