"""What a connector of each kind is told about its far side. Secrets are never among it."""

from __future__ import annotations

from portal.pages.objects.fields import Choice, Field, Flag, Text, Texts
from provisioning.core.intent.connector_settings import SDWAN_VENDORS

PEERS = Texts(
    "peer_addresses", "Public addresses", example="198.51.100.7, 198.51.100.8",
    hint="Of the devices there, circuit A's first.",
)  # fmt: skip
CREDENTIAL = Text(
    "credential", "Credential", optional=True, example="hospital-a-key",
    hint="Where the pre-shared key is kept. The key itself is never part of the network.",
)  # fmt: skip
ENCAPSULATION = Choice(
    "encapsulation", "Carried as",
    options=(("vlan", "VLAN"), ("gre", "GRE"), ("ipsec", "IPsec"), ("vxlan", "VXLAN")),
)  # fmt: skip


def name(path: str, label: str, example: str, *, required: bool = True, hint: str = "") -> Text:
    return Text(path, label, example=example, mono=True, required=required, optional=not required, hint=hint, half=True)


SETTINGS: dict[str, tuple[Field, ...]] = {
    "aws-vpc": (
        name("account", "Cloud account", "123456789012"),
        name("region", "Region", "eu-central-1"),
        name("vpc_id", "VPC", "vpc-0a1b2c3d"),
        Choice("transport", "Transport", options=(("vpn", "VPN"),), half=True),
        Choice("route_tables", "Route tables", options=(("all", "all"), ("main", "the main one")), half=True),
        Choice("subnets", "Subnets", options=(("one-per-az", "one in each zone"),), half=True),
    ),
    "azure-vnet": (
        name("subscription", "Subscription", "00000000-0000-0000-0000-000000000000"),
        name("resource_group", "Resource group", "rg-network"),
        name("vnet", "VNet", "vnet-prod"),
        name("region", "Region", "westeurope"),
        Choice(
            "mode",
            "How it attaches",
            options=(
                ("vnet-gateway", "VPN gateway in the VNet"),
                ("transit-vnet", "Peered to a transit VNet"),
                ("vhub", "Virtual hub"),
            ),
            half=True,
        ),
        Text(
            "gateway",
            "Existing gateway",
            mono=True,
            optional=True,
            example="vgw-prod",
            half=True,
            when=("mode", ("vnet-gateway",)),
        ),
    ),
    "gcp-vpc": (
        name("project", "Project", "acme-prod-1"),
        name("network", "VPC network", "vpc-prod"),
        name("region", "Region", "europe-west3"),
        Choice("subnets", "Subnets", options=(("all", "all"),), half=True),
    ),
    "ipsec-site": (
        PEERS,
        Text(
            "identity",
            "Identity",
            optional=True,
            mono=True,
            example="fw.hospital-a.example",
            half=True,
            hint="What the device calls itself; needed where it has no fixed address.",
        ),
        Choice("ike", "Key exchange", options=(("ikev2", "IKEv2"), ("ikev1", "IKEv1")), half=True),
        Text("ike_proposal", "IKE proposal", mono=True, optional=True, half=True),
        Text("esp_proposal", "ESP proposal", mono=True, optional=True, half=True),
        CREDENTIAL,
    ),
    "sdwan": (
        Choice("vendor", "Vendor", options=tuple((vendor, vendor.capitalize()) for vendor in SDWAN_VENDORS), half=True),
        Choice("tunnel", "Tunnel", options=(("ipsec", "IPsec"), ("gre", "GRE")), half=True),
        PEERS,
        name("vrf", "Handed over in", "corp", required=False, hint="The vendor's name for the segment."),
        CREDENTIAL,
    ),
    "direct-connect": (
        name("connection_id", "Connection", "dxcon-fg5678ab"),
        name("region", "Region", "eu-central-1"),
        ENCAPSULATION,
    ),
    "expressroute": (
        name("circuit", "Circuit", "er-frankfurt"),
        Text("peering_location", "Peering location", example="Frankfurt", half=True),
        ENCAPSULATION,
    ),
    "interconnect": (
        Texts("attachments", "VLAN attachments", example="vlan-a, vlan-b", hint="Circuit A's first.", required=True),
        ENCAPSULATION,
    ),
    "colo": (
        Text("facility", "Facility", required=True, example="FR2, Frankfurt"),
        Text("cross_connect_a", "Cross-connect A", half=True, hint="Port or letter of authorisation; node 1."),
        Text("cross_connect_b", "Cross-connect B", half=True, hint="Node 2."),
    ),
    "internet-exit": (),
    "remote-access": (
        Choice("protocol", "Protocol", options=(("wireguard", "WireGuard"), ("ipsec", "IPsec")), half=True),
        Choice(
            "authentication",
            "Who signs in",
            options=(("oidc", "OIDC"), ("saml", "SAML"), ("ldap", "LDAP"), ("local", "local accounts")),
            half=True,
        ),
        name("identity_provider", "Identity provider", "acme-okta", required=False),
        Flag("split_tunnel", "Only traffic to this network", default=True, half=True),
        Text("banner", "Banner", hint="Shown when somebody connects."),
    ),
    "lab-site": (),
}
