"""Connectors: what attaches to an exchange, and how the remote side of each kind is described."""

from __future__ import annotations

from typing import Any

from portal.pages.objects.declared_fields import DeclaredFields, fields_of
from portal.pages.objects.form_fields import FieldGroup, FormField, TextListField
from portal.pages.objects.kind_page import Body, KindPage, ListColumn, value_at
from provisioning.core.intent.connectors import CONNECTOR_KINDS
from provisioning.core.intent.fields import ChoiceOrTexts, Text
from provisioning.core.values.labels import label_texts

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


LONG_SETTINGS = ("peer_addresses", "credential", "encapsulation", "attachments", "facility", "banner")
SETTINGS_LAYOUT: dict[str, dict[str, Any]] = {
    "gateway": {"when": ("mode", ("vnet-gateway",))},
    "identity": {"mono": True},
    "credential": {"mono": False},
}
"""What is laid out otherwise than most settings."""


def attachments_field(kind: str) -> FormField:
    """A row for each segment, and for each part of one whose groups or labels differ."""
    known = CONNECTOR_KINDS[kind]
    members = (
        ATTACHMENT("groups", half=True),
        ATTACHMENT("prefixes", lines=2, required=True),
        ATTACHMENT("labels"),
    )
    return FIELDS(
        "attachments",
        fields=(ATTACHMENT("segment", half=True, required=True), *(members if known.prefixes else ())),
    )


def settings_fields(body: Body) -> tuple[FormField, ...]:
    """Return the fields of the remote side; two share a line, but for long ones."""
    declaration = CONNECTOR_KINDS[body["kind"]].settings_declaration
    fields = DeclaredFields(declaration)
    form_fields: list[FormField] = []
    for name in sorted(declaration.by_name, key=lambda name: name == "credential"):
        spec = declaration.by_name[name].spec
        # Where a list was given instead of a word, such as the ids of route tables, the list is edited.
        if isinstance(spec, ChoiceOrTexts) and isinstance(value_at(body, f"settings.{name}"), list):
            form_fields.append(TextListField(name, declaration.by_name[name].label))
        else:
            is_mono = {"mono": bool(spec.pattern)} if isinstance(spec, Text) else {}
            form_fields.append(
                fields(name, **{"half": name not in LONG_SETTINGS, **is_mono, **SETTINGS_LAYOUT.get(name, {})})
            )
    return tuple(form_fields)


def connector_form(body: Body) -> tuple[FormField, ...]:
    kind = body["kind"]
    known = CONNECTOR_KINDS[kind]
    return (
        FIELDS("name"),
        FIELDS("exchange", half=True, required=True),
        FIELDS("size", half=True, hint=""),
        attachments_field(kind),
        *(
            (FieldGroup("settings", "Remote side", fields=settings_fields(body)),)
            if known.settings_declaration.fields
            else ()
        ),
        FieldGroup(
            "",
            "Failover",
            folded=True,
            fields=(
                *((FIELDS("failover_exchange"),) if known.supports_failover else ()),
                FIELDS("redundancy_group", half=True),
                FIELDS("preference", half=True),
            ),
        ),
        CIRCUITS,
        FIELDS("labels"),
        FIELDS("billing_tags"),
        FIELDS("enabled"),
        FIELDS("description"),
    )


KIND_PAGE = KindPage(
    key="connectors",
    icon="plug-connected",
    columns=(
        ListColumn("Kind", lambda body: body["kind"], cell="kind"),
        ListColumn("Exchange", lambda body: body["exchange"]),
        ListColumn("Size", lambda body: body["size"], wide=True),
        ListColumn(
            "Segments", lambda body: [attachment["segment"] for attachment in body["attachments"]], cell="segment"
        ),
        ListColumn(
            "Groups", lambda body: [group for attachment in body["attachments"] for group in attachment["groups"]]
        ),
        ListColumn("Labels", lambda body: label_texts(body["labels"]), cell="mono", wide=True),
        ListColumn(
            "Prefixes",
            lambda body: [prefix for attachment in body["attachments"] for prefix in attachment["prefixes"]],
            cell="mono",
        ),
    ),
    form=connector_form,
    wizard="connector-new",
)
