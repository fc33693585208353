"""Connectors: what attaches a cloud network, a site or the internet to an exchange.

Each kind of connector is one entry of ``KINDS``: how its settings read, and whether it brings prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.circuits import Circuit, build_circuit, read_circuits
from provisioning.core.intent.item import Identity, Item, Reference, read_name, reserve
from provisioning.core.intent.reading import Reader


@dataclass(frozen=True, slots=True)
class Attachment:
    """``group`` None: the connector is only its own implicit group."""

    segment: str
    group: str | None
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connector(Item):
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
    def active(self) -> Circuit:
        """The circuit traffic uses while everything is healthy."""
        return next((circuit for circuit in self.circuits if circuit.role == "active"), self.circuits[0])


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """transport: what carries the link; prefixes: whether attachments bring any; one_segment: as cloud networks."""

    transport: str
    read_settings: Callable[[Reader], dict[str, Any]]
    prefixes: bool = True
    one_segment: bool = False


def _aws_settings(body: Reader) -> dict[str, Any]:
    vpc = body.text("vpc_id", most=40)
    if isinstance(vpc, str) and not re.fullmatch(r"vpc-[0-9a-zA-Z]+", vpc):
        body.problem("not_one_of", "vpc_id", f"“{vpc}” is not the id of a VPC; those look like vpc-0a1b2c3d.")
    region = body.text("region", most=40)
    if isinstance(region, str) and not re.fullmatch(r"[a-z0-9-]+", region):
        body.problem("not_one_of", "region", f"“{region}” is not an AWS region; those look like eu-central-1.")
    account = body.text("account", most=60)
    if isinstance(account, str) and "/" in account:
        body.problem("not_one_of", "account", f"“{account}” is not a cloud account of this tenant.")
    return {
        "account": account,
        "region": region,
        "vpc_id": vpc,
        "transport": body.choice("transport", ("vpn",), "vpn"),
        "route_tables": _list_or_word(body, "route_tables", ("main", "all"), "all"),
        "subnets": _list_or_word(body, "subnets", ("one-per-az",), "one-per-az"),
    }


def _list_or_word(body: Reader, field: str, words: tuple[str, ...], default: str) -> str | list[str]:
    if isinstance(body.body.get(field), list):
        return body.texts(field)
    return str(body.choice(field, words, default))


def _no_settings(body: Reader) -> dict[str, Any]:
    return {}


SUPPORTED = {
    "aws-vpc": ConnectorKind("vpn", _aws_settings, one_segment=True),
    "lab-site": ConnectorKind("lab", _no_settings),
    "internet-exit": ConnectorKind("internet", _no_settings, prefixes=False),
}
LATER = (
    "azure-vnet",
    "gcp-vpc",
    "ipsec-site",
    "sdwan",
    "direct-connect",
    "expressroute",
    "interconnect",
    "colo",
    "remote-access",
)
"""Kinds the contract names that cannot be built yet."""


def _read_attachment(body: Reader) -> dict[str, Any]:
    return {
        "segment": body.reference("segment", "segments"),
        "group": body.reference("group", "groups", default=None),
        "prefixes": body.prefixes("prefixes"),
    }


def _read_kind(body: Reader) -> ConnectorKind | None:
    kind = body.text("kind")
    if kind in LATER:
        body.problem("unsupported_kind", "kind", f"Connectors of kind {kind} cannot be built yet.")
    elif kind is not None and kind not in SUPPORTED:
        body.problem("not_one_of", "kind", f"“{kind}” is not one of {', '.join((*SUPPORTED, *LATER))}.")
    return SUPPORTED.get(kind) if isinstance(kind, str) else None


def _check_attachments(body: Reader, kind: ConnectorKind, attachments: list[dict[str, Any]]) -> None:
    if kind.one_segment and len(attachments) > 1:
        body.problem("out_of_range", "attachments", "A cloud network belongs to exactly one segment.")
    for place, attachment in enumerate(attachments):
        where = f"attachments[{place}].prefixes"
        if kind.prefixes and not attachment["prefixes"] and not any(p.path.startswith(where) for p in body.problems):
            body.problem("required", where, "Say which prefixes are behind this connector.")
        if not kind.prefixes and attachment["prefixes"]:
            body.problem("not_one_of", where, "An internet exit attaches no prefixes; leave them out.")


def read(body: Reader) -> dict[str, Any]:
    reserve(body)
    kind = _read_kind(body)
    attachments = body.objects("attachments", _read_attachment, least=1)
    settings: dict[str, Any] = {}
    if kind is not None:
        _check_attachments(body, kind, attachments)
        # Without settings a kind that needs some says which; null and a wrong type are told like elsewhere.
        inner = body.object("settings", {})
        if inner is not None:
            settings = kind.read_settings(inner)
            inner.finish()
    else:
        body.get("settings", {})
    return {
        **read_name(body),
        "kind": body.body.get("kind"),
        "exchange": body.reference("exchange", "exchanges"),
        "size": body.text("size", "small"),
        "enabled": body.flag("enabled", True),
        "failover_exchange": body.reference("failover_exchange", "exchanges", default=None),
        "redundancy_group": body.text("redundancy_group", None, most=60),
        "preference": body.integer("preference", 0, 1000, 100),
        "attachments": attachments,
        "circuits": read_circuits(body),
        "settings": settings,
        "billing_tags": body.texts("billing_tags"),
    }


def build(identity: Identity, body: dict[str, Any]) -> Connector:
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


def references(body: dict[str, Any]) -> Iterator[Reference]:
    yield "exchanges", body["exchange"]
    if body["failover_exchange"]:
        yield "exchanges", body["failover_exchange"]
    for attachment in body["attachments"]:
        yield "segments", attachment["segment"]
        if attachment["group"]:
            yield "groups", attachment["group"]
