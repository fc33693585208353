"""Services: marketplace products in the network."""

from __future__ import annotations

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    NAME,
    PROTOCOLS,
    FieldGroup,
    FormField,
    NumberField,
    ReferenceField,
    RowsField,
    SelectField,
    TextField,
    addresses_field,
    billing_tags_field,
    ports_field,
)
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind
from provisioning import catalog
from provisioning.core.intent import FIREWALL

PRODUCTS = tuple((product.key, product.name) for product in catalog.PRODUCTS if product.available)


def service_form(body: Body) -> tuple[FormField, ...]:
    return (
        NAME,
        SelectField("product", "Product", options=PRODUCTS, half=True),
        SelectField("license", "Licence", options=(("payg", "Pay as you go"), ("byol", "Bring your own")), half=True),
        ReferenceField("segments", "Segments", kinds=("segments",), many=True),
        RowsField(
            "placements",
            "Placements",
            word="placement",
            hint="A flow is inspected at its initiator's exchange, else at the responder's, else at the nearest one.",
            fields=(
                ReferenceField("exchange", "Exchange", kinds=("exchanges",)),
                NumberField("min_instances", "Instances, at least", least=0, most=64, half=True),
                NumberField("max_instances", "At most", least=0, most=64, half=True),
            ),
        ),
        SelectField(
            "on_failure",
            "When no instance is healthy",
            options=(("closed", "Closed: inspected flows stop"), ("open", "Open: they pass without inspection")),
        ),
        *((FIREWALL_RULES,) if body.get("product", FIREWALL) == FIREWALL else ()),
        RowsField(
            "zones",
            "Zones",
            word="zone",
            hint="How groups are called inside the firewall.",
            fields=(
                TextField("name", "Name", half=True),
                ReferenceField("segment", "Segment", kinds=("segments",), half=True),
                ReferenceField("groups", "Groups", kinds=("groups",), many=True),
            ),
        ),
        billing_tags_field(),
        DESCRIPTION,
    )


FIREWALL_RULES = FieldGroup(
    "settings",
    "Firewall rules",
    folded=True,
    fields=(
        SelectField("default", "What no rule matches", options=(("allow", "is allowed"), ("deny", "is denied"))),
        RowsField(
            "rules",
            "Rules",
            word="rule",
            ordered=True,
            fields=(
                SelectField("action", "Action", options=(("allow", "allow"), ("deny", "deny")), half=True),
                SelectField("protocol", "Protocol", options=PROTOCOLS, half=True),
                ports_field(),
                addresses_field("source", "Source"),
                addresses_field("destination", "Destination"),
            ),
        ),
    ),
)

KIND = ObjectKind(
    key="services",
    word="service",
    plural="Services",
    icon="shield-lock",
    empty_text="A firewall of the marketplace in your network, with instances at one or more exchanges. A rule whose "
    "action is inspect sends its flows through it.",
    columns=(
        ListColumn("Product", lambda body: body["product"]),
        ListColumn("Segments", lambda body: body["segments"], cell="segment"),
        ListColumn("At", lambda body: [one["exchange"] for one in body["placements"]]),
        ListColumn("Instances", lambda body: sum(one["min_instances"] for one in body["placements"]), cell="number"),
    ),
    form=service_form,
    blank={
        "license": "payg",
        "placements": [{"min_instances": 1, "max_instances": 2}],
        "settings": {"default": "allow", "rules": []},
    },
)
