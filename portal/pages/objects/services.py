"""Services: marketplace products in the network."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.form_fields import FormField
from portal.pages.objects.kind_page import Body, KindPage, ListColumn
from provisioning.core.intent import FIREWALL

FIELDS = fields_of("services")
PLACEMENT, ZONE, SETTINGS = map(FIELDS.nested, ("placements", "zones", "settings"))

FIREWALL_RULES = FIELDS(
    "settings",
    label="Firewall rules",
    folded=True,
    fields=(SETTINGS("default"), SETTINGS("rules", ordered=True, hint="")),
)


def service_form(body: Body) -> tuple[FormField, ...]:
    return (
        FIELDS("name"),
        FIELDS("product", half=True),
        FIELDS("license", half=True),
        FIELDS("segments"),
        FIELDS(
            "placements",
            fields=(
                PLACEMENT("exchange"),
                PLACEMENT("min_instances", half=True),
                PLACEMENT("max_instances", half=True, hint=""),
            ),
        ),
        FIELDS("on_failure"),
        *((FIREWALL_RULES,) if body.get("product", FIREWALL) == FIREWALL else ()),
        FIELDS("zones", fields=(ZONE("name", half=True), ZONE("segment", half=True), ZONE("groups"))),
        FIELDS("billing_tags"),
        FIELDS("description"),
    )


KIND_PAGE = KindPage(
    key="services",
    icon="shield-lock",
    columns=(
        ListColumn("Product", lambda body: body["product"]),
        ListColumn("Segments", lambda body: body["segments"], cell="segment"),
        ListColumn("At", lambda body: [placement["exchange"] for placement in body["placements"]]),
        ListColumn(
            "Instances",
            lambda body: sum(placement["min_instances"] for placement in body["placements"]),
            cell="number",
        ),
    ),
    form=service_form,
    blank={
        "license": "payg",
        "placements": [{"min_instances": 1, "max_instances": 2}],
        "settings": {"default": "allow", "rules": []},
    },
)
