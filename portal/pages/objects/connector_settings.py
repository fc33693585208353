"""What a connector of each kind is told about its far side. Secrets are never among it."""

from __future__ import annotations

from portal.pages.objects.form_fields import CheckboxField, FormField, SelectField, TextField, TextListField
from provisioning.core.intent.connector_settings import SDWAN_VENDORS

PEER_ADDRESSES = TextListField(
    "peer_addresses", "Public addresses", example="198.51.100.7, 198.51.100.8",
    hint="Of the devices there, circuit A's first.",
)  # fmt: skip
CREDENTIAL = TextField(
    "credential", "Credential", optional=True, example="hospital-a-key",
    hint="Where the pre-shared key is kept. The key itself is never part of the network.",
)  # fmt: skip
ENCAPSULATION = SelectField(
    "encapsulation", "Carried as",
    options=(("vlan", "VLAN"), ("gre", "GRE"), ("ipsec", "IPsec"), ("vxlan", "VXLAN")),
)  # fmt: skip


def identifier_field(path: str, label: str, example: str, *, required: bool = True, hint: str = "") -> TextField:
    return TextField(
        path, label, example=example, mono=True, required=required, optional=not required, hint=hint, half=True
    )


SETTINGS: dict[str, tuple[FormField, ...]] = {
    "aws-vpc": (
        identifier_field("account", "Cloud account", "123456789012"),
        identifier_field("region", "Region", "eu-central-1"),
        identifier_field("vpc_id", "VPC", "vpc-0a1b2c3d"),
        SelectField("transport", "Transport", options=(("vpn", "VPN"),), half=True),
        SelectField("route_tables", "Route tables", options=(("all", "all"), ("main", "the main one")), half=True),
        SelectField("subnets", "Subnets", options=(("one-per-az", "one in each zone"),), half=True),
    ),
    "azure-vnet": (
        identifier_field("subscription", "Subscription", "00000000-0000-0000-0000-000000000000"),
        identifier_field("resource_group", "Resource group", "rg-network"),
        identifier_field("vnet", "VNet", "vnet-prod"),
        identifier_field("region", "Region", "westeurope"),
        SelectField(
            "mode",
            "How it attaches",
            options=(
                ("vnet-gateway", "VPN gateway in the VNet"),
                ("transit-vnet", "Peered to a transit VNet"),
                ("vhub", "Virtual hub"),
            ),
            half=True,
        ),
        TextField(
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
        identifier_field("project", "Project", "acme-prod-1"),
        identifier_field("network", "VPC network", "vpc-prod"),
        identifier_field("region", "Region", "europe-west3"),
        SelectField("subnets", "Subnets", options=(("all", "all"),), half=True),
    ),
    "ipsec-site": (
        PEER_ADDRESSES,
        TextField(
            "identity",
            "Identity",
            optional=True,
            mono=True,
            example="fw.hospital-a.example",
            half=True,
            hint="What the device calls itself; needed where it has no fixed address.",
        ),
        SelectField("ike", "Key exchange", options=(("ikev2", "IKEv2"), ("ikev1", "IKEv1")), half=True),
        TextField("ike_proposal", "IKE proposal", mono=True, optional=True, half=True),
        TextField("esp_proposal", "ESP proposal", mono=True, optional=True, half=True),
        CREDENTIAL,
    ),
    "sdwan": (
        SelectField(
            "vendor", "Vendor", options=tuple((vendor, vendor.capitalize()) for vendor in SDWAN_VENDORS), half=True
        ),
        SelectField("tunnel", "Tunnel", options=(("ipsec", "IPsec"), ("gre", "GRE")), half=True),
        PEER_ADDRESSES,
        identifier_field("vrf", "Handed over in", "corp", required=False, hint="The vendor's name for the segment."),
        CREDENTIAL,
    ),
    "direct-connect": (
        identifier_field("connection_id", "Connection", "dxcon-fg5678ab"),
        identifier_field("region", "Region", "eu-central-1"),
        ENCAPSULATION,
    ),
    "expressroute": (
        identifier_field("circuit", "Circuit", "er-frankfurt"),
        TextField("peering_location", "Peering location", example="Frankfurt", half=True),
        ENCAPSULATION,
    ),
    "interconnect": (
        TextListField(
            "attachments", "VLAN attachments", example="vlan-a, vlan-b", hint="Circuit A's first.", required=True
        ),
        ENCAPSULATION,
    ),
    "colo": (
        TextField("facility", "Facility", required=True, example="FR2, Frankfurt"),
        TextField("cross_connect_a", "Cross-connect A", half=True, hint="Port or letter of authorisation; node 1."),
        TextField("cross_connect_b", "Cross-connect B", half=True, hint="Node 2."),
    ),
    "internet-exit": (),
    "remote-access": (
        SelectField("protocol", "Protocol", options=(("wireguard", "WireGuard"), ("ipsec", "IPsec")), half=True),
        SelectField(
            "authentication",
            "Who signs in",
            options=(("oidc", "OIDC"), ("saml", "SAML"), ("ldap", "LDAP"), ("local", "local accounts")),
            half=True,
        ),
        identifier_field("identity_provider", "Identity provider", "acme-okta", required=False),
        CheckboxField("split_tunnel", "Only traffic to this network", default=True, half=True),
        TextField("banner", "Banner", hint="Shown when somebody connects."),
    ),
    "lab-site": (),
}
