"""NAT rules: other addresses at a connector's edge."""

from __future__ import annotations

from portal.pages.objects.fields import (
    DESCRIPTION,
    NAME,
    Choice,
    Field,
    Flag,
    Number,
    Part,
    Pick,
    Texts,
    addresses,
    ports,
    protocol,
)
from portal.pages.objects.kind import Body, Column, Kind
from portal.pages.rules import flow_words

DIRECTIONS = (
    ("outbound", "Outbound: connections begun behind the connector"),
    ("inbound", "Inbound: connections begun elsewhere"),
)
SOURCES = (
    ("none", "Stays as it is"),
    ("static", "One to one: each address has its own"),
    ("pool", "Pool: many share few, ports are translated"),
)
DESTINATIONS = (("none", "Stays as it is"), ("static", "One to one: each address has its own"))


def translated(body: Body, side: str) -> list[str]:
    """What becomes of one side: nothing, or the addresses it is seen as."""
    found = body[side]
    return [] if found["type"] == "none" else found["prefixes"]


def form(body: Body) -> tuple[Field, ...]:
    return (
        NAME,
        Pick("connector", "Connector", kinds=("connectors",), half=True),
        Pick("segment", "Segment", kinds=("segments",), half=True),
        Choice("direction", "Direction", options=DIRECTIONS),
        Part(
            "match",
            "Match",
            fields=(
                addresses("source", "Source"),
                addresses("destination", "Destination"),
                protocol(),
                ports(),
            ),
        ),
        Part(
            "source",
            "Source becomes",
            fields=(
                Choice("type", "Source", options=SOURCES),
                Texts("prefixes", "Seen as", example="100.64.1.0/24", when=("type", ("static", "pool"))),
            ),
        ),
        Part(
            "destination",
            "Destination becomes",
            fields=(
                Choice("type", "Destination", options=DESTINATIONS),
                Texts("prefixes", "Inside", example="10.22.0.0/24", when=("type", ("static",))),
                Number("port", "Other port", least=1, most=65535, when=("type", ("static",)), hint="Empty: the same."),
            ),
        ),
        Number("position", "Position", least=0, half=True, hint="Lower is tried first; empty: last."),
        Flag("enabled", "Enabled", default=True),
        DESCRIPTION,
    )


KIND = Kind(
    key="nat-rules",
    word="NAT rule",
    plural="NAT rules",
    icon="replace",
    teaches="Sites that use the same addresses can join one segment when one of them is seen by other addresses. "
    "Rules, policies and traces speak of the presented addresses; a trace shows both.",
    columns=(
        Column("Connector", lambda body: body["connector"]),
        Column("Position", lambda body: body["position"], cell="number", order="position"),
        Column("Segment", lambda body: body["segment"], cell="segment", wide=True),
        Column("Direction", lambda body: body["direction"]),
        Column("From", lambda body: body["match"]["source"], cell="mono"),
        Column("seen as", lambda body: translated(body, "source"), cell="mono"),
        Column("To", lambda body: body["match"]["destination"], cell="mono"),
        Column("becomes", lambda body: translated(body, "destination"), cell="mono"),
        Column("Flows", lambda body: flow_words(body["match"]), cell="mono", wide=True),
    ),
    form=form,
    blank={"direction": "outbound", "source": {"type": "static"}, "enabled": True},
    order="position",
)
