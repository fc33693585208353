"""Connectors: what attaches to an exchange, and how the far side of each kind is told."""

from __future__ import annotations

from collections.abc import Sequence

from portal.pages.objects.exchanges import SIZES
from portal.pages.objects.fields import (
    DESCRIPTION,
    NAME,
    Choice,
    Field,
    Flag,
    Number,
    Part,
    Pick,
    Rows,
    Text,
    Texts,
    billing_tags,
)
from portal.pages.objects.kind import Body, Column, Kind, at
from portal.pages.objects.settings import SETTINGS
from provisioning.core.intent.connectors import CONNECTOR_KINDS

CIRCUITS = Part(
    "",
    "Circuits",
    folded=True,
    hint="Circuit A ends on node 1, circuit B on node 2. What is left empty is filled in.",
    fields=(
        Rows(
            "circuits",
            "",
            word="circuit",
            most=2,
            fields=(
                Choice("name", "Circuit", options=(("A", "A"), ("B", "B")), half=True),
                Choice("role", "Role", options=(("active", "active"), ("standby", "standby")), half=True),
                Number("node", "Node", least=1, most=2, half=True),
                Number("vlan", "VLAN", least=1, most=4094, half=True),
                Text("local", "Our end", mono=True, optional=True, example="169.254.1.1/30", half=True),
                Text("peer", "Far end", mono=True, optional=True, example="169.254.1.2/30", half=True),
                Part(
                    "bgp",
                    "BGP",
                    nullable=True,
                    fields=(
                        Number("peer_asn", "Far side's ASN", least=1, half=True, hint="Empty: static routes."),
                        Flag("bfd", "BFD", default=True, half=True),
                    ),
                ),
            ),
        ),
    ),
)


def attachments(kind: str) -> Rows:
    """A cloud network joins one segment; a site may join several, and one segment with several groups."""
    known = CONNECTOR_KINDS[kind]
    prefixes = Texts("prefixes", "Prefixes", example="10.1.0.0/16", lines=2, required=True)
    return Rows(
        "attachments",
        "Attachments",
        word="attachment",
        most=1 if known.cloud else 0,
        fields=(
            Pick("segment", "Segment", kinds=("segments",), half=True, required=True),
            *((Pick("group", "Group", kinds=("groups",), half=True), prefixes) if known.prefixes else ()),
        ),
    )


def settings(body: Body) -> tuple[Field, ...]:
    """Where a word was given as a list instead, such as the ids of route tables, the list is edited."""
    return tuple(
        Texts(one.path, one.label)
        if isinstance(one, Choice) and isinstance(at(body, f"settings.{one.path}"), list)
        else one
        for one in SETTINGS[body["kind"]]
    )


def form(body: Body, sizes: Sequence[tuple[str, str]] = SIZES) -> tuple[Field, ...]:
    kind = body["kind"]
    known = CONNECTOR_KINDS[kind]
    return (
        NAME,
        Pick("exchange", "Exchange", kinds=("exchanges",), half=True, required=True),
        Choice("size", "Size", options=sizes, half=True),
        attachments(kind),
        *((Part("settings", "Far side", fields=settings(body)),) if SETTINGS[kind] else ()),
        Part(
            "",
            "When something fails",
            folded=True,
            fields=(
                *((Pick("failover_exchange", "Failover exchange", kinds=("exchanges",)),) if known.supports_failover else ()),
                Text(
                    "redundancy_group", "Redundancy group", optional=True, half=True, hint="Equal prefixes share one."
                ),
                Number(
                    "preference", "Preference", least=0, most=1000, default=100, half=True, hint="Higher is used first."
                ),
            ),
        ),
        CIRCUITS,
        billing_tags(),
        Flag("enabled", "Enabled", default=True),
        DESCRIPTION,
    )


KIND = Kind(
    key="connectors",
    word="connector",
    plural="Connectors",
    icon="plug-connected",
    teaches="What attaches a cloud network, a site or the internet to an exchange. It joins a segment with its "
    "prefixes, and is its own group besides.",
    columns=(
        Column("Kind", lambda body: body["kind"], cell="kind"),
        Column("Exchange", lambda body: body["exchange"]),
        Column("Size", lambda body: body["size"], wide=True),
        Column("Segments", lambda body: [one["segment"] for one in body["attachments"]], cell="segment"),
        Column("Groups", lambda body: [one["group"] for one in body["attachments"] if one["group"]]),
        Column(
            "Prefixes", lambda body: [prefix for one in body["attachments"] for prefix in one["prefixes"]], cell="mono"
        ),
    ),
    form=form,
    wizard="connector-new",
    imports=True,
)
