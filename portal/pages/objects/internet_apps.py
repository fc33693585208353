"""Internet applications: what the internet may reach, one port each."""

from __future__ import annotations

from portal.pages.objects.form_fields import (
    DESCRIPTION,
    NAME,
    CheckboxField,
    FieldGroup,
    NumberField,
    ReferenceField,
    SelectField,
    TextField,
    TextListField,
    billing_tags_field,
)
from portal.pages.objects.object_kind import Body, ListColumn, ObjectKind


def public_address(body: Body) -> str:
    return f"{body['public_ip'] or 'the exit’s address'} {body['protocol']}/{body['port']}"


def target_addresses(body: Body) -> list[str]:
    return [f"{address} port {body['target']['port']}" for address in body["target"]["addresses"]]


KIND = ObjectKind(
    key="internet-apps",
    word="internet application",
    plural="Internet apps",
    icon="world-www",
    empty_text="From the internet nothing can be reached but an application: a public port that leads to addresses of "
    "yours. It opens only with a policy from internet to the application.",
    columns=(
        ListColumn("Public", public_address, cell="mono"),
        ListColumn("Exit", lambda body: body["connector"]),
        ListColumn("Target", lambda body: body["target"]["connector"]),
        ListColumn("Addresses", target_addresses, cell="mono"),
    ),
    form=lambda body: (
        NAME,
        ReferenceField("connector", "Internet exit", kinds=("connectors",), where={"kind": "internet-exit"}),
        SelectField("protocol", "Protocol", options=(("tcp", "tcp"), ("udp", "udp")), half=True),
        NumberField("port", "Public port", least=1, most=65535, half=True),
        TextField(
            "public_ip", "Public address", mono=True, optional=True, hint="Empty: the address of the exit's node."
        ),
        FieldGroup(
            "target",
            "Leads to",
            fields=(
                ReferenceField("connector", "Connector", kinds=("connectors",)),
                TextListField(
                    "addresses", "Addresses", example="10.1.2.3", hint="Connections are spread over them.", half=True
                ),
                NumberField("port", "Port", least=1, most=65535, half=True, hint="Empty: the public port."),
            ),
        ),
        CheckboxField(
            "source_nat",
            "Hide the client's address",
            default=True,
            hint="Replies find their way back from anywhere. Off: the target sees the client, and must use this exit.",
        ),
        billing_tags_field(),
        DESCRIPTION,
    ),
    blank={"protocol": "tcp", "port": 443, "source_nat": True},
)
