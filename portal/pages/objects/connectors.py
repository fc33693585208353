"""Connectors: what attaches to an exchange, and how the far side of each kind is told."""

from __future__ import annotations

from collections.abc import Sequence

from portal.pages.objects.connector_settings import SETTINGS
from portal.pages.objects.declared_fields import SIZES, fields_of
from portal.pages.objects.form_fields import FieldGroup, FormField, SelectField, TextListField
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind, value_at
from provisioning.core.intent.connectors import CONNECTOR_KINDS

FIELDS = fields_of("connectors")
ATTACHMENT, CIRCUIT = FIELDS.nested("attachments"), FIELDS.nested("circuits")
BGP = CIRCUIT.nested("bgp")

CIRCUITS = FieldGroup(
    "",
    "Circuits",
    folded=True,
    hint=FIELDS("circuits").hint,
    fields=(
        FIELDS(
            "circuits",
            label="",
            hint="",
            most=2,
            fields=(
                *(CIRCUIT(name, half=True) for name in ("name", "role", "node", "vlan")),
                CIRCUIT("local", mono=True, half=True, hint=""),
                CIRCUIT("peer", mono=True, half=True),
                CIRCUIT("bgp", fields=(BGP("peer_asn", half=True), BGP("bfd", half=True))),
            ),
        ),
    ),
)


def attachments_field(kind: str) -> FormField:
    """A cloud network joins one segment; a site may join several, and one segment with several groups."""
    known = CONNECTOR_KINDS[kind]
    members = (ATTACHMENT("group", half=True), ATTACHMENT("prefixes", lines=2, required=True))
    return FIELDS(
        "attachments",
        most=1 if known.cloud else 0,
        fields=(ATTACHMENT("segment", half=True, required=True), *(members if known.prefixes else ())),
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
        FIELDS("name"),
        FIELDS("exchange", half=True, required=True),
        FIELDS("size", half=True, options=sizes, hint=""),
        attachments_field(kind),
        *((FieldGroup("settings", "Far side", fields=settings_fields(body)),) if SETTINGS[kind] else ()),
        FieldGroup(
            "",
            "When something fails",
            folded=True,
            fields=(
                *((FIELDS("failover_exchange"),) if known.supports_failover else ()),
                FIELDS("redundancy_group", half=True),
                FIELDS("preference", half=True),
            ),
        ),
        CIRCUITS,
        FIELDS("billing_tags"),
        FIELDS("enabled"),
        FIELDS("description"),
    )


KIND = ObjectKind(
    key="connectors",
    icon="plug-connected",
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
