"""Services: marketplace products in the network."""

from __future__ import annotations

from portal.pages.objects.fields import (
    DESCRIPTION,
    NAME,
    PROTOCOLS,
    Choice,
    Field,
    Number,
    Part,
    Pick,
    Rows,
    Text,
    addresses,
    billing_tags,
    ports,
)
from portal.pages.objects.kind import Body, Column, Kind
from provisioning import catalog
from provisioning.core.intent import FIREWALL

PRODUCTS = tuple((product.key, product.name) for product in catalog.PRODUCTS if product.available)


def form(body: Body) -> tuple[Field, ...]:
    return (
        NAME,
        Choice("product", "Product", options=PRODUCTS, half=True),
        Choice("license", "Licence", options=(("payg", "Pay as you go"), ("byol", "Bring your own")), half=True),
        Pick("segments", "Segments", kinds=("segments",), many=True),
        Rows(
            "placements",
            "Placements",
            word="placement",
            hint="A flow is inspected at its initiator's exchange, else at the responder's, else at the nearest one.",
            fields=(
                Pick("exchange", "Exchange", kinds=("exchanges",)),
                Number("min_instances", "Instances, at least", least=0, most=64, half=True),
                Number("max_instances", "At most", least=0, most=64, half=True),
            ),
        ),
        Choice(
            "on_failure",
            "When no instance is healthy",
            options=(("closed", "Closed: inspected flows stop"), ("open", "Open: they pass without inspection")),
        ),
        *((FIREWALL_RULES,) if body.get("product", FIREWALL) == FIREWALL else ()),
        Rows(
            "zones",
            "Zones",
            word="zone",
            hint="How groups are called inside the firewall.",
            fields=(
                Text("name", "Name", half=True),
                Pick("segment", "Segment", kinds=("segments",), half=True),
                Pick("groups", "Groups", kinds=("groups",), many=True),
            ),
        ),
        billing_tags(),
        DESCRIPTION,
    )


FIREWALL_RULES = Part(
    "settings",
    "Firewall rules",
    folded=True,
    fields=(
        Choice("default", "What no rule matches", options=(("allow", "is allowed"), ("deny", "is denied"))),
        Rows(
            "rules",
            "Rules",
            word="rule",
            ordered=True,
            fields=(
                Choice("action", "Action", options=(("allow", "allow"), ("deny", "deny")), half=True),
                Choice("protocol", "Protocol", options=PROTOCOLS, half=True),
                ports(),
                addresses("source", "Source"),
                addresses("destination", "Destination"),
            ),
        ),
    ),
)

KIND = Kind(
    key="services",
    word="service",
    plural="Services",
    icon="shield-lock",
    teaches="A firewall of the marketplace in your network, with instances at one or more exchanges. A rule whose "
    "action is inspect sends its flows through it.",
    columns=(
        Column("Product", lambda body: body["product"]),
        Column("Segments", lambda body: body["segments"], cell="segment"),
        Column("At", lambda body: [one["exchange"] for one in body["placements"]]),
        Column("Instances", lambda body: sum(one["min_instances"] for one in body["placements"]), cell="number"),
    ),
    form=form,
    blank={
        "license": "payg",
        "placements": [{"min_instances": 1, "max_instances": 2}],
        "settings": {"default": "allow", "rules": []},
    },
)
