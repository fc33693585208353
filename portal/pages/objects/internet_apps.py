"""Internet applications: what the internet may reach, one port each."""

from __future__ import annotations

from portal.pages.objects.declared_fields import fields_of
from portal.pages.objects.kind_page import Body, KindPage, ListColumn

FIELDS = fields_of("internet-apps")
TARGET = FIELDS.nested("target")


def public_address(body: Body) -> str:
    return f"{body['public_ip'] or 'the exit’s address'} {body['protocol']}/{body['port']}"


def target_addresses(body: Body) -> list[str]:
    return [f"{address} port {body['target']['port']}" for address in body["target"]["addresses"]]


KIND_PAGE = KindPage(
    key="internet-apps",
    icon="world-www",
    columns=(
        ListColumn("Public", public_address, cell="mono"),
        ListColumn("Exit", lambda body: body["connector"]),
        ListColumn("Target", lambda body: body["target"]["connector"]),
        ListColumn("Addresses", target_addresses, cell="mono"),
    ),
    form=lambda body: (
        FIELDS("name"),
        FIELDS("connector", where={"kind": "internet-exit"}, hint=""),
        FIELDS("protocol", half=True),
        FIELDS("port", half=True),
        FIELDS("public_ip", mono=True),
        FIELDS("target", fields=(TARGET("connector"), TARGET("addresses", half=True), TARGET("port", half=True))),
        FIELDS("source_nat"),
        FIELDS("billing_tags"),
        FIELDS("description"),
    ),
    blank={"protocol": "tcp", "port": 443, "source_nat": True},
)
