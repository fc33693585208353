"""Connectors: what attaches a cloud network, a site or the internet to an exchange.

Each kind of connector is one entry of ``CONNECTOR_KINDS``; its settings are a dataclass of ``connector_settings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent import connector_settings
from provisioning.core.intent.billing_tags import BillingTags
from provisioning.core.intent.circuits import Circuit, Circuits, complete_circuits
from provisioning.core.intent.declaration import Declaration, declaration_of
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.fields import (
    Boolean,
    CatalogueKey,
    Choice,
    Field,
    Integer,
    Name,
    Nested,
    Objects,
    Prefixes,
    Reference,
    References,
    Text,
)
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.intent.label_fields import Labels
from provisioning.core.intent.limits import ATTACHMENTS
from provisioning.core.intent.old_names import RenamedFrom


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """``transport``: what carries the link; ``settings``: the dataclass that declares what its far side is.

    ``prefixes``: whether attachments bring any. ``supports_failover``: whether it can have a failover exchange.
    ``ipv6``: whether the link carries IPv6.
    ``cloud_network``: of a cloud network the settings that tell it from others, its own name or id last; it is in
    exactly one segment.
    """

    transport: str
    settings: type
    prefixes: bool = True
    supports_failover: bool = True
    ipv6: bool = True
    cloud_network: tuple[str, ...] = ()

    @property
    def cloud(self) -> bool:
        return bool(self.cloud_network)

    @property
    def settings_declaration(self) -> Declaration:
        return declaration_of(self.settings)


CONNECTOR_KINDS = {
    "aws-vpc": ConnectorKind(
        "vpn", connector_settings.AwsVpcSettings, ipv6=False, cloud_network=("account", "region", "vpc_id")
    ),
    "azure-vnet": ConnectorKind(
        "vpn", connector_settings.AzureVnetSettings, cloud_network=("subscription", "resource_group", "vnet")
    ),
    "gcp-vpc": ConnectorKind("vpn", connector_settings.GcpVpcSettings, cloud_network=("project", "region", "network")),
    "ipsec-site": ConnectorKind("vpn", connector_settings.IpsecSiteSettings),
    "sdwan": ConnectorKind("vpn", connector_settings.SdwanSettings),
    "direct-connect": ConnectorKind("circuit", connector_settings.DirectConnectSettings),
    "expressroute": ConnectorKind("circuit", connector_settings.ExpressrouteSettings),
    "interconnect": ConnectorKind("circuit", connector_settings.InterconnectSettings),
    "colo": ConnectorKind("circuit", connector_settings.ColoSettings),
    "internet-exit": ConnectorKind("internet", connector_settings.NoSettings, prefixes=False, supports_failover=False),
    "remote-access": ConnectorKind("clients", connector_settings.RemoteAccessSettings),
    "lab-site": ConnectorKind("lab", connector_settings.NoSettings),
}


@dataclass(frozen=True)
class ConnectorSettings(Field):
    """What the far side is, by the kind of the connector beside it."""

    default: Any = None
    label: str = "Remote side"

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        kind = CONNECTOR_KINDS.get(before["kind"])
        if kind is None:
            reader.get(name, {})
            return {}
        # Without settings a kind that needs some says which; null and a wrong type are told like elsewhere.
        settings_reader = reader.object(name, {})
        return {} if settings_reader is None else kind.settings_declaration.read(settings_reader)


@dataclass(frozen=True, slots=True)
class Attachment:
    """``groups``: those that it names itself; without any the connector is only its own implicit group.

    ``resolved_groups``: all groups that it is in where that is more: by labels, or through groups in groups. A network
    sets them (resolve/memberships.py).
    """

    segment: Annotated[str, Reference(("segments",), filter=True, in_bulk=True)]
    groups: Annotated[
        tuple[str, ...],
        References(
            ("groups",),
            default=(),
            help="groups it joins by name; labels may join it to more",
            filter="group",
            in_bulk=True,
            renamed_from=RenamedFrom("group", listed=True),
        ),
    ]
    labels: Annotated[
        Mapping[str, str],
        Labels(help="added to the connector's; where both have a key, this value counts", filter="label"),
    ]
    prefixes: Annotated[tuple[str, ...], Prefixes(example="10.1.0.0/16")]
    resolved_groups: tuple[str, ...] | None = None

    @property
    def member_of(self) -> tuple[str, ...]:
        """All groups that it is in."""
        return self.groups if self.resolved_groups is None else self.resolved_groups


@dataclass(frozen=True, slots=True)
class Connector(IntentObject):
    name: Annotated[str, Name(reserved=True)]
    kind: Annotated[str, Choice({kind: kind for kind in CONNECTOR_KINDS}, filter=True)]
    exchange: Annotated[str, Reference(("exchanges",), filter=True, in_bulk=True)]
    size: Annotated[
        str, CatalogueKey(offers="sizes", default="small", help="the rate it is shaped to", filter=True, in_bulk=True)
    ]
    enabled: Annotated[bool, Boolean(filter=True, in_bulk=True)]
    failover_exchange: Annotated[
        str | None,
        Reference(("exchanges",), default=None, help="an exchange that takes over", filter=True, in_bulk=True),
    ]
    redundancy_group: Annotated[
        str | None,
        Text(60, default=None, help="connectors that bring equal prefixes name the same one", filter=True),
    ]
    preference: Annotated[int, Integer(0, 1000, default=100, help="higher is used first")]
    attachments: Annotated[tuple[Attachment, ...], Objects(least=1, limit=ATTACHMENTS, word="attachment")]
    circuits: Annotated[
        tuple[Circuit, ...],
        Circuits(word="circuit", help="circuit A ends on node 1, circuit B on node 2; what is left empty is filled in"),
    ]
    settings: Annotated[
        Mapping[str, Any],
        ConnectorSettings(
            help="what the remote side is; its fields follow from the kind. Secrets are never here: a credential names "
            "where one is kept"
        ),
    ]
    labels: Annotated[
        Mapping[str, str],
        Labels(help="selectors of groups match them; they count in all attachments", filter="label", in_bulk=True),
    ]
    billing_tags: BillingTags

    @property
    def active_circuit(self) -> Circuit:
        """The circuit traffic uses while everything is healthy."""
        return next((circuit for circuit in self.circuits if circuit.role == "active"), self.circuits[0])

    @property
    def has_clients(self) -> bool:
        """Whether every address is a client with a tunnel of its own to the exchange, so that flows between two of them
        cross it; otherwise such flows stay behind the connector."""
        return CONNECTOR_KINDS[self.kind].transport == "clients"

    @staticmethod
    def check_body(reader: FieldReader, body: dict[str, Any]) -> None:
        if (kind := CONNECTOR_KINDS.get(body["kind"])) is not None:
            _check_attachments(reader, kind, body["attachments"])
        body["circuits"] = complete_circuits(reader, body["circuits"])


def _check_attachments(reader: FieldReader, kind: ConnectorKind, attachments: list[dict[str, Any]]) -> None:
    segments = dict.fromkeys(attachment["segment"] for attachment in attachments if attachment["segment"])
    if kind.cloud and len(segments) > 1:
        reader.problem("out_of_range", "attachments", "A cloud network belongs to exactly one segment.")
        return
    seen = set()
    for index, attachment in enumerate(attachments):
        where = f"attachments[{index}].prefixes"
        if kind.prefixes and not attachment["prefixes"] and not any(p.path.startswith(where) for p in reader.problems):
            reader.problem("required", where, "Say which prefixes are behind this connector.")
        if not kind.prefixes and attachment["prefixes"]:
            reader.problem("not_one_of", where, "An internet exit attaches no prefixes; leave them out.")
        joins = (attachment["segment"], tuple(attachment["groups"]), tuple(attachment["labels"].items()))
        if attachment["segment"] and joins in seen:
            reader.problem(
                "duplicate",
                f"attachments[{index}]",
                "Another attachment joins the same segment and groups. Put the prefixes of both into one.",
            )
        seen.add(joins)


KIND = Kind(
    "connectors",
    Connector,
    "connector",
    "connectors",
    "What attaches a cloud network, a site or the internet to an exchange. It joins a segment with its prefixes, and "
    "is its own group besides.",
    {
        "name": "vpc-prod",
        "kind": "aws-vpc",
        "exchange": "eu",
        "size": "small",
        "attachments": [{"segment": "corp", "groups": ["prod"], "prefixes": ["10.1.0.0/16"]}],
        "settings": {"account": "123456789012", "region": "eu-central-1", "vpc_id": "vpc-0a1b2c3d"},
        "labels": {"env": "prod"},
        "billing_tags": ["research"],
    },
    counted=True,
)
