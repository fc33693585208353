"""The settings of each kind of connector: one dataclass a kind, each field declared once.

Secrets are never among them. A ``credential`` names where one is kept, and a cloud's account is known by the id that
the cloud gives it. The dataclasses only declare the fields: typed connectors keep the stored mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from provisioning.core.intent.field_reader import REQUIRED, FieldReader
from provisioning.core.intent.fields import Boolean, Choice, ChoiceOrTexts, Nested, Text, Texts
from provisioning.core.intent.limits import Limit
from provisioning.core.values.address_forms import canonical_address


@dataclass(frozen=True)
class Identifier(Text):
    """What somebody else calls a thing: one word."""

    max_length: int = 100
    pattern: str = r"[A-Za-z0-9][A-Za-z0-9_.()-]*"


@dataclass(frozen=True)
class Proposal(Text):
    """Algorithms of IKE or ESP as strongSwan spells them; an empty text is the default."""

    max_length: int = 100
    pattern: str = r"[a-z0-9]+(-[a-z0-9]+)*"

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        return super().read(reader, name, before, nested) or self.default


@dataclass(frozen=True)
class PeerAddresses(Texts):
    """Addresses of the devices at the far side, at most one for each circuit."""

    label: str = "Public addresses"
    help: str = "of the devices there, circuit A's first, at most two; empty: they connect from where they are"
    example: str = "198.51.100.7, 198.51.100.8"
    limit: Limit | None = None

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        read = [
            reader.address(f"{name}[{index}]", text, canonical_address) for index, text in enumerate(reader.texts(name))
        ]
        addresses = list(dict.fromkeys(address for address in read if address))
        if len(addresses) > 2:
            reader.problem("out_of_range", name, "Name at most two: one for circuit A, one for circuit B.")
        return addresses


@dataclass(frozen=True)
class VlanAttachments(Texts):
    """The VLAN attachments of an interconnect; each ends in its own edge availability domain."""

    default: Any = REQUIRED
    label: str = "VLAN attachments"
    help: str = "one for each circuit, circuit A's first"
    example: str = "vlan-a, vlan-b"
    limit: Limit | None = None

    def read(self, reader: FieldReader, name: str, before: Mapping[str, Any], nested: Nested | None) -> Any:
        attachments = reader.texts(name)
        if not 1 <= len(attachments) <= 2:
            wrong = "Name the VLAN attachment of circuit A, and of circuit B where there is one."
            reader.problem("required", name, wrong)
        return attachments


Credential = Annotated[
    str | None,
    Identifier(
        default=None,
        help="where the pre-shared key is kept; the key itself is never part of the network",
        example="hospital-a-key",
    ),
]
Encapsulation = Annotated[
    str,
    Choice(
        {"vlan": "VLAN", "gre": "GRE", "ipsec": "IPsec", "vxlan": "VXLAN"},
        default="vlan",
        label="Carried as",
    ),
]


@dataclass(frozen=True, slots=True)
class NoSettings:
    """Of a kind whose far side needs no words."""


@dataclass(frozen=True, slots=True)
class AwsVpcSettings:
    account: Annotated[
        str,
        Text(
            60,
            "[^/]+",
            "a cloud account of this tenant",
            label="Cloud account",
            example="123456789012",
        ),
    ]
    region: Annotated[
        str, Text(40, "[a-z0-9-]+", "an AWS region; those look like eu-central-1", example="eu-central-1")
    ]
    vpc_id: Annotated[
        str,
        Text(
            40,
            "vpc-[0-9a-zA-Z]+",
            "the id of a VPC; those look like vpc-0a1b2c3d",
            label="VPC",
            example="vpc-0a1b2c3d",
        ),
    ]
    transport: Annotated[str, Choice({"vpn": "VPN"}, default="vpn")]
    route_tables: Annotated[
        str | list[str], ChoiceOrTexts({"all": "all", "main": "the main one"}, default="all", help="or their ids")
    ]
    subnets: Annotated[
        str | list[str], ChoiceOrTexts({"one-per-az": "one in each zone"}, default="one-per-az", help="or their ids")
    ]


@dataclass(frozen=True, slots=True)
class AzureVnetSettings:
    """``mode``: the customer's VPN gateway, our transit VNet that the VNet is peered to, or a virtual hub."""

    subscription: Annotated[
        str,
        Text(
            100,
            "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
            "a subscription; those are UUIDs of 36 characters",
            example="00000000-0000-0000-0000-000000000000",
        ),
    ]
    resource_group: Annotated[str, Identifier(example="rg-network")]
    vnet: Annotated[str, Identifier(label="VNet", example="vnet-prod")]
    region: Annotated[str, Text(100, "[a-z0-9]+", example="westeurope")]
    mode: Annotated[
        str,
        Choice(
            {
                "vnet-gateway": "VPN gateway in the VNet",
                "transit-vnet": "Peered to a transit VNet",
                "vhub": "Virtual hub",
            },
            default="vnet-gateway",
            label="How it attaches",
        ),
    ]
    gateway: Annotated[str | None, Identifier(default=None, label="Existing gateway", example="vgw-prod")]

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        if body["gateway"] and body["mode"] != "vnet-gateway":
            reader.problem("not_one_of", "gateway", "Only mode vnet-gateway uses an existing gateway. Leave it out.")


@dataclass(frozen=True, slots=True)
class GcpVpcSettings:
    project: Annotated[str, Text(100, "[a-z][a-z0-9-]{4,28}[a-z0-9]", example="acme-prod-1")]
    network: Annotated[str, Text(100, "[a-z]([a-z0-9-]{0,61}[a-z0-9])?", label="VPC network", example="vpc-prod")]
    region: Annotated[str, Text(100, "[a-z]+-[a-z]+[0-9]+", example="europe-west3")]
    subnets: Annotated[
        str | list[str],
        ChoiceOrTexts({"all": "all"}, default="all", help="whose ranges the cloud router announces, or their names"),
    ]


@dataclass(frozen=True, slots=True)
class IpsecSiteSettings:
    """BGP is a matter of the circuits."""

    peer_addresses: Annotated[list[str], PeerAddresses()]
    identity: Annotated[
        str | None,
        Text(
            100,
            default=None,
            help="what the device calls itself; needed where it has no fixed address",
            example="fw.hospital-a.example",
        ),
    ]
    credential: Credential
    ike: Annotated[str, Choice({"ikev2": "IKEv2", "ikev1": "IKEv1"}, default="ikev2", label="Key exchange")]
    ike_proposal: Annotated[
        str,
        Proposal(default="aes256gcm16-prfsha384-ecp384", label="IKE proposal", example="aes256gcm16-prfsha384-ecp384"),
    ]
    esp_proposal: Annotated[
        str, Proposal(default="aes256gcm16-ecp384", label="ESP proposal", example="aes256gcm16-ecp384")
    ]

    @staticmethod
    def check_body(reader: FieldReader, body: Mapping[str, Any]) -> None:
        if not body["peer_addresses"] and not body["identity"]:
            wrong = (
                "Say how the device is known: by its peer_addresses, or by an identity where it has no fixed address."
            )
            reader.problem("required", "identity", wrong)


@dataclass(frozen=True, slots=True)
class SdwanSettings:
    vendor: Annotated[
        str,
        Choice(
            {
                "aruba": "Aruba",
                "cisco": "Cisco",
                "fortinet": "Fortinet",
                "juniper": "Juniper",
                "prisma": "Prisma",
                "versa": "Versa",
                "vmware": "VMware",
                "other": "Other",
            }
        ),
    ]
    tunnel: Annotated[str, Choice({"ipsec": "IPsec", "gre": "GRE"}, default="ipsec")]
    peer_addresses: Annotated[list[str], PeerAddresses()]
    vrf: Annotated[
        str | None,
        Identifier(default=None, label="Handed over in", help="the vendor's name for the segment", example="corp"),
    ]
    credential: Credential


@dataclass(frozen=True, slots=True)
class DirectConnectSettings:
    connection_id: Annotated[str, Text(100, "dx(con|lag)-[0-9a-zA-Z]+", label="Connection", example="dxcon-fg5678ab")]
    region: Annotated[str, Text(100, "[a-z0-9-]+", example="eu-central-1")]
    encapsulation: Encapsulation


@dataclass(frozen=True, slots=True)
class ExpressrouteSettings:
    circuit: Annotated[str, Identifier(example="er-frankfurt")]
    peering_location: Annotated[str, Text(60, default="", example="Frankfurt")]
    encapsulation: Encapsulation


@dataclass(frozen=True, slots=True)
class InterconnectSettings:
    attachments: Annotated[list[str], VlanAttachments()]
    encapsulation: Encapsulation


@dataclass(frozen=True, slots=True)
class ColoSettings:
    """Circuit A ends on node 1, circuit B on node 2."""

    facility: Annotated[str, Text(60, example="FR2, Frankfurt")]
    cross_connect_a: Annotated[
        str, Text(60, default="", label="Cross-connect A", help="port or letter of authorisation; node 1")
    ]
    cross_connect_b: Annotated[
        str, Text(60, default="", label="Cross-connect B", help="port or letter of authorisation; node 2")
    ]


@dataclass(frozen=True, slots=True)
class RemoteAccessSettings:
    """The prefixes of its attachments are what clients get their addresses from."""

    protocol: Annotated[str, Choice({"wireguard": "WireGuard", "ipsec": "IPsec"}, default="wireguard")]
    authentication: Annotated[
        str,
        Choice(
            {"oidc": "OIDC", "saml": "SAML", "ldap": "LDAP", "local": "local accounts"},
            default="oidc",
            label="Who signs in",
        ),
    ]
    identity_provider: Annotated[str | None, Identifier(default=None, example="acme-okta")]
    split_tunnel: Annotated[bool, Boolean(label="Only traffic to this network")]
    banner: Annotated[str, Text(500, default="", lines=True, help="shown when somebody connects")]
