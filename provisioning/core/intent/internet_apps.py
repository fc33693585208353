"""Internet applications: what of a network can be reached from the internet, through an internet exit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from provisioning.core.intent.billing_tags import BillingTags
from provisioning.core.intent.field_reader import REQUIRED, FieldReader
from provisioning.core.intent.fields import (
    Boolean,
    Choice,
    Integer,
    Name,
    Nested,
    Object,
    Reference,
    SortKey,
    Text,
    Texts,
)
from provisioning.core.intent.intent_object import IntentObject
from provisioning.core.intent.kinds import Kind
from provisioning.core.values.address_forms import canonical_address
from provisioning.core.values.addresses import address_number, is_public


def _read_ipv4(reader: FieldReader, field: str, value: Any) -> str | None:
    address = reader.address(field, value, canonical_address) if isinstance(value, str) else None
    if address and ":" in address:
        wrong = f"“{value}” is not an IPv4 address; internet exits carry no other. Write one."
        reader.problem("bad_address", field, wrong)
        return None
    return address


@dataclass(frozen=True)
class PublicIpv4(Text):
    """An address that the internet reaches."""

    default: Any = None

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        address = _read_ipv4(reader, name, reader.text(name, None))
        if address is not None and not is_public(address_number(address)):
            remedy = "Name a public one that is routed to the exit, or leave it out."
            reader.problem("bad_address", name, f"Nobody on the internet reaches {address}. {remedy}")
        return address


@dataclass(frozen=True)
class Ipv4Addresses(Texts):
    default: Any = REQUIRED
    sorted_by: ClassVar[SortKey | None] = staticmethod(address_number)

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        addresses = [_read_ipv4(reader, f"{name}[{i}]", text) for i, text in enumerate(reader.texts(name))]
        if not reader.body.get(name):
            reader.problem("required", name, "Say which addresses serve the application.")
        return list(dict.fromkeys(address for address in addresses if address))


@dataclass(frozen=True, slots=True)
class AppTarget:
    """The addresses behind ``connector`` that serve the application, and the port they listen on."""

    connector: Annotated[str, Reference(("connectors",), filter="target")]
    addresses: Annotated[
        tuple[str, ...],
        Ipv4Addresses(
            help="IPv4 addresses that serve the application; connections are spread over them", example="10.1.2.3"
        ),
    ]
    port: Annotated[int, Integer(1, 65535, default=None, help="empty: the public port")]


@dataclass(frozen=True, slots=True)
class InternetApp(IntentObject):
    """``connector`` is the exit it is reached through; ``public_ip`` None: the address of the exit's home node."""

    name: Annotated[str, Name(reserved=True)]
    connector: Annotated[
        str,
        Reference(("connectors",), label="Internet exit", help="the internet exit it is reached through", filter=True),
    ]
    protocol: Annotated[str, Choice({"tcp": "tcp", "udp": "udp"}, default="tcp", filter=True)]
    port: Annotated[int, Integer(1, 65535, label="Public port", filter=True, order=True)]
    public_ip: Annotated[str | None, PublicIpv4(label="Public address", help="empty: the address of the exit's node")]
    target: Annotated[AppTarget, Object(label="Leads to")]
    source_nat: Annotated[
        bool,
        Boolean(
            label="Hide the client's address",
            help="clients on the internet appear as the exchange's node, so replies find their way back from anywhere; "
            "off: the target sees the client, and must use this exit. Members always appear as the node",
        ),
    ]
    billing_tags: BillingTags

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        if body["target"] is not None and body["target"]["port"] is None:
            body["target"]["port"] = body["port"]


KIND = Kind(
    "internet-apps",
    InternetApp,
    "internet application",
    "internet applications",
    "From the internet nothing can be reached but an application: a public port that leads to addresses of yours. It "
    "opens only with a policy from internet to the application; to members of its segment, with a policy from those.",
    {
        "name": "shop",
        "connector": "exit-eu",
        "protocol": "tcp",
        "port": 443,
        "target": {"connector": "vpc-prod", "addresses": ["10.1.2.3"], "port": 8443},
        "source_nat": True,
    },
    affects_connectors=True,
)
