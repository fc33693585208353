"""Internet applications: what the internet may reach, one port each."""

from __future__ import annotations

from portal.pages.objects.fields import (
    DESCRIPTION,
    NAME,
    Choice,
    Flag,
    Number,
    Part,
    Pick,
    Text,
    Texts,
    billing_tags,
)
from portal.pages.objects.kind import Body, Column, Kind


def public(body: Body) -> str:
    return f"{body['public_ip'] or 'the exit’s address'} {body['protocol']}/{body['port']}"


def target(body: Body) -> list[str]:
    return [f"{address} port {body['target']['port']}" for address in body["target"]["addresses"]]


KIND = Kind(
    key="internet-apps",
    word="internet application",
    plural="Internet apps",
    icon="world-www",
    teaches="From the internet nothing can be reached but an application: a public port that leads to addresses of "
    "yours. It opens only with a policy from internet to the application.",
    columns=(
        Column("Public", public, cell="mono"),
        Column("Exit", lambda body: body["connector"]),
        Column("Target", lambda body: body["target"]["connector"]),
        Column("Addresses", target, cell="mono"),
    ),
    form=lambda body: (
        NAME,
        Pick("connector", "Internet exit", kinds=("connectors",), where={"kind": "internet-exit"}),
        Choice("protocol", "Protocol", options=(("tcp", "tcp"), ("udp", "udp")), half=True),
        Number("port", "Public port", least=1, most=65535, half=True),
        Text("public_ip", "Public address", mono=True, optional=True, hint="Empty: the address of the exit's node."),
        Part(
            "target",
            "Leads to",
            fields=(
                Pick("connector", "Connector", kinds=("connectors",)),
                Texts(
                    "addresses", "Addresses", example="10.1.2.3", hint="Connections are spread over them.", half=True
                ),
                Number("port", "Port", least=1, most=65535, half=True, hint="Empty: the public port."),
            ),
        ),
        Flag(
            "source_nat",
            "Hide the client's address",
            default=True,
            hint="Replies find their way back from anywhere. Off: the target sees the client, and must use this exit.",
        ),
        billing_tags(),
        DESCRIPTION,
    ),
    blank={"protocol": "tcp", "port": 443, "source_nat": True},
)
