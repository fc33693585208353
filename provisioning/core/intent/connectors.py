"""Connectors: what attaches a cloud network, a site or the internet to an exchange.

Each kind of connector is one entry of ``CONNECTOR_KINDS``; how its settings read is a function of ``settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent import connector_settings
from provisioning.core.intent.circuits import Circuit, build_circuit, read_circuits
from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
    reject_reserved_name,
)
from provisioning.core.intent.limits import ATTACHMENTS, LITERAL_PREFIXES


@dataclass(frozen=True, slots=True)
class Attachment:
    """``group`` None: the connector is only its own implicit group."""

    segment: str
    group: str | None
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connector(IntentObject):
    kind: str
    exchange: str
    size: str
    enabled: bool
    failover_exchange: str | None
    redundancy_group: str | None
    preference: int
    attachments: tuple[Attachment, ...]
    circuits: tuple[Circuit, ...]
    settings: Mapping[str, Any]
    billing_tags: tuple[str, ...]

    @property
    def active_circuit(self) -> Circuit:
        """The circuit traffic uses while everything is healthy."""
        return next((circuit for circuit in self.circuits if circuit.role == "active"), self.circuits[0])


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """transport: what carries the link; prefixes: whether attachments bring any; cloud: a cloud network, of exactly
    one segment; fails_over: whether it can have a failover exchange."""

    transport: str
    read_settings: Callable[[FieldReader], dict[str, Any]]
    prefixes: bool = True
    cloud: bool = False
    supports_failover: bool = True


CONNECTOR_KINDS = {
    "aws-vpc": ConnectorKind("vpn", connector_settings.read_aws_vpc, cloud=True),
    "azure-vnet": ConnectorKind("vpn", connector_settings.read_azure_vnet, cloud=True),
    "gcp-vpc": ConnectorKind("vpn", connector_settings.read_gcp_vpc, cloud=True),
    "ipsec-site": ConnectorKind("vpn", connector_settings.read_ipsec_site),
    "sdwan": ConnectorKind("vpn", connector_settings.read_sdwan),
    "direct-connect": ConnectorKind("circuit", connector_settings.read_direct_connect),
    "expressroute": ConnectorKind("circuit", connector_settings.read_expressroute),
    "interconnect": ConnectorKind("circuit", connector_settings.read_interconnect),
    "colo": ConnectorKind("circuit", connector_settings.read_colo),
    "internet-exit": ConnectorKind(
        "internet", connector_settings.read_no_settings, prefixes=False, supports_failover=False
    ),
    "remote-access": ConnectorKind("clients", connector_settings.read_remote_access),
    "lab-site": ConnectorKind("lab", connector_settings.read_no_settings),
}


def _read_attachment(body: FieldReader) -> dict[str, Any]:
    return {
        "segment": body.reference("segment", "segments"),
        "group": body.reference("group", "groups", default=None),
        "prefixes": body.prefixes("prefixes", limit=LITERAL_PREFIXES),
    }


def _read_kind(body: FieldReader) -> ConnectorKind | None:
    return CONNECTOR_KINDS.get(body.choice("kind", tuple(CONNECTOR_KINDS)))


def _check_attachments(body: FieldReader, kind: ConnectorKind, attachments: list[dict[str, Any]]) -> None:
    if kind.cloud and len(attachments) > 1:
        body.problem("out_of_range", "attachments", "A cloud network belongs to exactly one segment.")
        return
    seen = set()
    for place, attachment in enumerate(attachments):
        where = f"attachments[{place}].prefixes"
        if kind.prefixes and not attachment["prefixes"] and not any(p.path.startswith(where) for p in body.problems):
            body.problem("required", where, "Say which prefixes are behind this connector.")
        if not kind.prefixes and attachment["prefixes"]:
            body.problem("not_one_of", where, "An internet exit attaches no prefixes; leave them out.")
        joins = (attachment["segment"], attachment["group"])
        if attachment["segment"] and joins in seen:
            body.problem(
                "duplicate",
                f"attachments[{place}]",
                "Another attachment joins the same segment and group. Put the prefixes of both into one.",
            )
        seen.add(joins)


def read(body: FieldReader) -> dict[str, Any]:
    reject_reserved_name(body)
    kind = _read_kind(body)
    attachments = body.objects("attachments", _read_attachment, least=1, limit=ATTACHMENTS)
    read_settings: dict[str, Any] = {}
    if kind is not None:
        _check_attachments(body, kind, attachments)
        # Without settings a kind that needs some says which; null and a wrong type are told like elsewhere.
        inner = body.object("settings", {})
        if inner is not None:
            read_settings = kind.read_settings(inner)
            inner.reject_unknown_fields()
    else:
        body.get("settings", {})
    return {
        **read_name_and_description(body),
        "kind": body.body.get("kind"),
        "exchange": body.reference("exchange", "exchanges"),
        "size": body.text("size", "small"),
        "enabled": body.boolean("enabled", True),
        "failover_exchange": body.reference("failover_exchange", "exchanges", default=None),
        "redundancy_group": body.text("redundancy_group", None, most=60),
        "preference": body.integer("preference", 0, 1000, 100),
        "attachments": attachments,
        "circuits": read_circuits(body),
        "settings": read_settings,
        "billing_tags": body.references("billing_tags", "billing-tags", default=()),
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> Connector:
    return Connector(
        *identity,
        kind=body["kind"],
        exchange=body["exchange"],
        size=body["size"],
        enabled=body["enabled"],
        failover_exchange=body["failover_exchange"],
        redundancy_group=body["redundancy_group"],
        preference=body["preference"],
        attachments=tuple(
            Attachment(one["segment"], one["group"], tuple(one["prefixes"])) for one in body["attachments"]
        ),
        circuits=tuple(build_circuit(identity[1], place, one) for place, one in enumerate(body["circuits"])),
        settings=body["settings"],
        billing_tags=tuple(body["billing_tags"]),
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield "exchanges", body["exchange"]
    if body["failover_exchange"]:
        yield "exchanges", body["failover_exchange"]
    for attachment in body["attachments"]:
        yield "segments", attachment["segment"]
        if attachment["group"]:
            yield "groups", attachment["group"]
    yield from reference_pairs(body["billing_tags"], "billing-tags")
