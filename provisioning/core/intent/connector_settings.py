"""The settings of each kind of connector: what its far side is. Secrets are never among them; a ``credential`` names
where one is kept, and a cloud's account is known by the id the cloud gives it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from provisioning.core.intent.field_reader import FieldReader

SUMMARY = (
    "aws-vpc: account, region, vpc_id, transport, route_tables, subnets. "
    "azure-vnet: subscription, resource_group, vnet, region, mode (vnet-gateway, transit-vnet, vhub), gateway. "
    "gcp-vpc: project, network, region, subnets. "
    "ipsec-site: peer_addresses, identity, credential, ike, ike_proposal, esp_proposal. "
    "sdwan: vendor, tunnel (ipsec, gre), peer_addresses, vrf, credential. "
    "direct-connect: connection_id, region, encapsulation (vlan, gre, ipsec, vxlan). "
    "expressroute: circuit, peering_location, encapsulation. interconnect: attachments, encapsulation. "
    "colo: facility, cross_connect_a, cross_connect_b. "
    "remote-access: protocol, authentication, identity_provider, split_tunnel, banner. "
    "Secrets are never here: a credential names where one is kept"
)

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()-]*")


def read_no_settings(body: FieldReader) -> dict[str, Any]:
    return {}


def _read_matching_text(body: FieldReader, field: str, shape: str, example: str, required: bool = True) -> Any:
    """A text of a known shape."""
    value = body.text(field, most=100) if required else body.text(field, None, most=100)
    if isinstance(value, str) and value and not re.fullmatch(shape, value):
        body.problem("not_one_of", field, f"“{value}” is not a {field.replace('_', ' ')}; those look like {example}.")
    return value


def _read_identifier(body: FieldReader, field: str, example: str, required: bool = True) -> Any:
    return _read_matching_text(body, field, _IDENTIFIER.pattern, example, required)


def _read_credential_name(body: FieldReader) -> Any:
    """Where the pre-shared key or the login is kept, never the secret itself."""
    return _read_identifier(body, "credential", "hospital-a-key", required=False)


def _read_list_or_keyword(body: FieldReader, field: str, words: tuple[str, ...], default: str) -> str | list[str]:
    if isinstance(body.body.get(field), list):
        return body.texts(field)
    return str(body.choice(field, words, default))


def _read_peer_addresses(body: FieldReader) -> list[str]:
    """Public addresses of the devices at the far side, circuit A's first; none: they call from where they are."""
    addresses = []
    for index, text in enumerate(body.texts("peer_addresses")):
        try:
            addresses.append(str(ipaddress.ip_address(text)))
        except ValueError:
            body.problem("bad_address", f"peer_addresses[{index}]", f"“{text}” is not an address, like 198.51.100.7.")
    if len(addresses) > 2:
        body.problem("out_of_range", "peer_addresses", "Name at most two: one for circuit A, one for circuit B.")
    return list(dict.fromkeys(addresses))


def read_aws_vpc(body: FieldReader) -> dict[str, Any]:
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
        "route_tables": _read_list_or_keyword(body, "route_tables", ("main", "all"), "all"),
        "subnets": _read_list_or_keyword(body, "subnets", ("one-per-az",), "one-per-az"),
    }


def read_azure_vnet(body: FieldReader) -> dict[str, Any]:
    """mode: the customer's VPN gateway, our transit VNet the VNet is peered to, or a virtual hub (drivers)."""
    mode = body.choice("mode", ("vnet-gateway", "transit-vnet", "vhub"), "vnet-gateway")
    gateway = _read_identifier(body, "gateway", "vgw-prod", required=False)
    if gateway and mode != "vnet-gateway":
        body.problem("not_one_of", "gateway", "Only mode vnet-gateway uses a gateway that is there already.")
    return {
        "subscription": _read_matching_text(
            body, "subscription", r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID of 36 characters"
        ),
        "resource_group": _read_identifier(body, "resource_group", "rg-network"),
        "vnet": _read_identifier(body, "vnet", "vnet-prod"),
        "region": _read_matching_text(body, "region", r"[a-z0-9]+", "westeurope"),
        "mode": mode,
        "gateway": gateway,
    }


def read_gcp_vpc(body: FieldReader) -> dict[str, Any]:
    """subnets: whose ranges the cloud router announces."""
    return {
        "project": _read_matching_text(body, "project", r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "acme-prod-1"),
        "network": _read_matching_text(body, "network", r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "vpc-prod"),
        "region": _read_matching_text(body, "region", r"[a-z]+-[a-z]+[0-9]+", "europe-west3"),
        "subnets": _read_list_or_keyword(body, "subnets", ("all",), "all"),
    }


def read_ipsec_site(body: FieldReader) -> dict[str, Any]:
    """BGP is a matter of the circuits; the proposals are strongSwan's spelling."""
    proposal = r"[a-z0-9]+(-[a-z0-9]+)*"
    peers = _read_peer_addresses(body)
    identity = body.text("identity", None, most=100)
    if not peers and not identity:
        body.problem(
            "required",
            "identity",
            "Say what the device is known by: its peer_addresses, or an identity where it roams.",
        )
    return {
        "peer_addresses": peers,
        "identity": identity,
        "credential": _read_credential_name(body),
        "ike": body.choice("ike", ("ikev2", "ikev1"), "ikev2"),
        "ike_proposal": _read_matching_text(body, "ike_proposal", proposal, _DEFAULT_IKE_PROPOSAL, required=False)
        or _DEFAULT_IKE_PROPOSAL,
        "esp_proposal": _read_matching_text(body, "esp_proposal", proposal, _DEFAULT_ESP_PROPOSAL, required=False)
        or _DEFAULT_ESP_PROPOSAL,
    }


_DEFAULT_IKE_PROPOSAL, _DEFAULT_ESP_PROPOSAL = "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384"

SDWAN_VENDORS = ("aruba", "cisco", "fortinet", "juniper", "prisma", "versa", "vmware", "other")


def read_sdwan(body: FieldReader) -> dict[str, Any]:
    """vrf: the vendor's own name for the segment this edge is handed over in."""
    return {
        "vendor": body.choice("vendor", SDWAN_VENDORS),
        "tunnel": body.choice("tunnel", ("ipsec", "gre"), "ipsec"),
        "peer_addresses": _read_peer_addresses(body),
        "vrf": _read_identifier(body, "vrf", "corp", required=False),
        "credential": _read_credential_name(body),
    }


def _read_encapsulation(body: FieldReader) -> Any:
    return body.choice("encapsulation", ("vlan", "gre", "ipsec", "vxlan"), "vlan")


def read_direct_connect(body: FieldReader) -> dict[str, Any]:
    return {
        "connection_id": _read_matching_text(body, "connection_id", r"dx(con|lag)-[0-9a-zA-Z]+", "dxcon-fg5678ab"),
        "region": _read_matching_text(body, "region", r"[a-z0-9-]+", "eu-central-1"),
        "encapsulation": _read_encapsulation(body),
    }


def read_expressroute(body: FieldReader) -> dict[str, Any]:
    return {
        "circuit": _read_identifier(body, "circuit", "er-frankfurt"),
        "peering_location": body.text("peering_location", "", most=60),
        "encapsulation": _read_encapsulation(body),
    }


def read_interconnect(body: FieldReader) -> dict[str, Any]:
    """attachments: the VLAN attachments, circuit A's first; each ends in its own edge availability domain."""
    attachments = body.texts("attachments")
    if not 1 <= len(attachments) <= 2:
        body.problem(
            "required", "attachments", "Name the VLAN attachment of circuit A, and of circuit B where there is one."
        )
    return {"attachments": attachments, "encapsulation": _read_encapsulation(body)}


def read_colo(body: FieldReader) -> dict[str, Any]:
    """Ports or letters of authorisation of the cross-connects; circuit A ends on node 1, circuit B on node 2."""
    return {
        "facility": body.text("facility", most=60),
        "cross_connect_a": body.text("cross_connect_a", "", most=60),
        "cross_connect_b": body.text("cross_connect_b", "", most=60),
    }


def read_remote_access(body: FieldReader) -> dict[str, Any]:
    """The prefixes of its attachments are what clients get their addresses from."""
    return {
        "protocol": body.choice("protocol", ("wireguard", "ipsec"), "wireguard"),
        "authentication": body.choice("authentication", ("local", "oidc", "saml", "ldap"), "oidc"),
        "identity_provider": _read_identifier(body, "identity_provider", "acme-okta", required=False),
        "split_tunnel": body.boolean("split_tunnel", True),
        "banner": body.text("banner", "", most=500),
    }
