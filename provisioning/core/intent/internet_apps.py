"""Internet applications: what of a network can be reached from the internet, through an internet exit."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.core.intent.field_reader import FieldReader
from provisioning.core.intent.intent_object import (
    IdentityFields,
    IntentObject,
    ObjectReference,
    read_name_and_description,
    reference_pairs,
    reject_reserved_name,
)
from provisioning.core.values.addresses import address_number, is_public


@dataclass(frozen=True, slots=True)
class AppTarget:
    """The addresses behind ``connector`` that serve the application, and the port they listen on."""

    connector: str
    addresses: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True)
class InternetApp(IntentObject):
    """``connector`` is the exit it is reached through; ``public_ip`` None: the address of the exit's home node."""

    connector: str
    protocol: str
    port: int
    public_ip: str | None
    target: AppTarget
    source_nat: bool
    billing_tags: tuple[str, ...]


def _check_public_ip(body: FieldReader, address: str | None) -> str | None:
    if address is not None and not is_public(address_number(address)):
        remedy = "Name a public one that is routed to the exit, or leave it out."
        body.problem("bad_address", "public_ip", f"Nobody on the internet reaches {address}. {remedy}")
    return address


def _read_ipv4(body: FieldReader, field: str, value: Any) -> str | None:
    try:
        return str(ipaddress.IPv4Address(value.strip())) if isinstance(value, str) else None
    except ValueError:
        body.problem(
            "bad_address", field, f"“{value}” is not an IPv4 address; internet exits carry no other. Write one."
        )
        return None


def _read_target(body: FieldReader, port: Any) -> dict[str, Any] | None:
    inner = body.object("target")
    if inner is None:
        return None
    given = inner.texts("addresses")
    found = [_read_ipv4(inner, f"addresses[{place}]", one) for place, one in enumerate(given)]
    if not inner.body.get("addresses"):
        inner.problem("required", "addresses", "Say which addresses serve the application.")
    target = {
        "connector": inner.reference("connector", "connectors"),
        "addresses": list(dict.fromkeys(one for one in found if one)),
        "port": inner.integer("port", 1, 65535, port),
    }
    inner.reject_unknown_fields()
    return target


def read(body: FieldReader) -> dict[str, Any]:
    reject_reserved_name(body)
    port = body.integer("port", 1, 65535)
    return {
        **read_name_and_description(body),
        "connector": body.reference("connector", "connectors"),
        "protocol": body.choice("protocol", ("tcp", "udp"), "tcp"),
        "port": port,
        "public_ip": _check_public_ip(body, _read_ipv4(body, "public_ip", body.text("public_ip", None))),
        "target": _read_target(body, port),
        "source_nat": body.boolean("source_nat", True),
        "billing_tags": body.references("billing_tags", "billing-tags", default=()),
    }


def build(identity: IdentityFields, body: dict[str, Any]) -> InternetApp:
    target = body["target"]
    return InternetApp(
        *identity,
        connector=body["connector"],
        protocol=body["protocol"],
        port=body["port"],
        public_ip=body["public_ip"],
        target=AppTarget(target["connector"], tuple(target["addresses"]), target["port"]),
        source_nat=body["source_nat"],
        billing_tags=tuple(body["billing_tags"]),
    )


def references(body: dict[str, Any]) -> Iterator[ObjectReference]:
    yield "connectors", body["connector"]
    yield "connectors", body["target"]["connector"]
    yield from reference_pairs(body["billing_tags"], "billing-tags")
