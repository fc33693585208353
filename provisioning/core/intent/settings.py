"""The settings of each kind of connector: what its far side is. Secrets are never among them; a ``credential`` names
where one is kept, and a cloud's account is known by the id the cloud gives it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from provisioning.core.intent.reading import Reader

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()-]*")


def none(body: Reader) -> dict[str, Any]:
    return {}


def _shaped(body: Reader, field: str, shape: str, example: str, required: bool = True) -> Any:
    """A text of a known shape."""
    value = body.text(field, most=100) if required else body.text(field, None, most=100)
    if isinstance(value, str) and value and not re.fullmatch(shape, value):
        body.problem("not_one_of", field, f"“{value}” is not a {field.replace('_', ' ')}; those look like {example}.")
    return value


def _label(body: Reader, field: str, example: str, required: bool = True) -> Any:
    return _shaped(body, field, _LABEL.pattern, example, required)


def _credential(body: Reader) -> Any:
    """Where the pre-shared key or the login is kept, never the secret itself."""
    return _label(body, "credential", "hospital-a-key", required=False)


def _list_or_word(body: Reader, field: str, words: tuple[str, ...], default: str) -> str | list[str]:
    if isinstance(body.body.get(field), list):
        return body.texts(field)
    return str(body.choice(field, words, default))


def _peers(body: Reader) -> list[str]:
    """Public addresses of the devices at the far side, circuit A's first; none: they call from where they are."""
    found = []
    for place, text in enumerate(body.texts("peer_addresses")):
        try:
            found.append(str(ipaddress.ip_address(text)))
        except ValueError:
            body.problem("bad_address", f"peer_addresses[{place}]", f"“{text}” is not an address, like 198.51.100.7.")
    if len(found) > 2:
        body.problem("out_of_range", "peer_addresses", "Name at most two: one for circuit A, one for circuit B.")
    return list(dict.fromkeys(found))


def aws_vpc(body: Reader) -> dict[str, Any]:
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


def azure_vnet(body: Reader) -> dict[str, Any]:
    """mode: the customer's VPN gateway, our transit VNet the VNet is peered to, or a virtual hub (DESIGN, drivers)."""
    mode = body.choice("mode", ("vnet-gateway", "transit-vnet", "vhub"), "vnet-gateway")
    gateway = _label(body, "gateway", "vgw-prod", required=False)
    if gateway and mode != "vnet-gateway":
        body.problem("not_one_of", "gateway", "Only mode vnet-gateway uses a gateway that is there already.")
    return {
        "subscription": _shaped(
            body, "subscription", r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID of 36 characters"
        ),
        "resource_group": _label(body, "resource_group", "rg-network"),
        "vnet": _label(body, "vnet", "vnet-prod"),
        "region": _shaped(body, "region", r"[a-z0-9]+", "westeurope"),
        "mode": mode,
        "gateway": gateway,
    }


def gcp_vpc(body: Reader) -> dict[str, Any]:
    """subnets: whose ranges the cloud router announces."""
    return {
        "project": _shaped(body, "project", r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "acme-prod-1"),
        "network": _shaped(body, "network", r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "vpc-prod"),
        "region": _shaped(body, "region", r"[a-z]+-[a-z]+[0-9]+", "europe-west3"),
        "subnets": _list_or_word(body, "subnets", ("all",), "all"),
    }


def ipsec_site(body: Reader) -> dict[str, Any]:
    """BGP is a matter of the circuits; the proposals are strongSwan's spelling."""
    proposal = r"[a-z0-9]+(-[a-z0-9]+)*"
    peers = _peers(body)
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
        "credential": _credential(body),
        "ike": body.choice("ike", ("ikev2", "ikev1"), "ikev2"),
        "ike_proposal": _shaped(body, "ike_proposal", proposal, _IKE, required=False) or _IKE,
        "esp_proposal": _shaped(body, "esp_proposal", proposal, _ESP, required=False) or _ESP,
    }


_IKE, _ESP = "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384"

VENDORS = ("aruba", "cisco", "fortinet", "juniper", "prisma", "versa", "vmware", "other")


def sdwan(body: Reader) -> dict[str, Any]:
    """vrf: the vendor's own name for the segment this edge is handed over in."""
    return {
        "vendor": body.choice("vendor", VENDORS),
        "tunnel": body.choice("tunnel", ("ipsec", "gre"), "ipsec"),
        "peer_addresses": _peers(body),
        "vrf": _label(body, "vrf", "corp", required=False),
        "credential": _credential(body),
    }


def _encapsulation(body: Reader) -> Any:
    return body.choice("encapsulation", ("vlan", "gre", "ipsec", "vxlan"), "vlan")


def direct_connect(body: Reader) -> dict[str, Any]:
    return {
        "connection_id": _shaped(body, "connection_id", r"dx(con|lag)-[0-9a-zA-Z]+", "dxcon-fg5678ab"),
        "region": _shaped(body, "region", r"[a-z0-9-]+", "eu-central-1"),
        "encapsulation": _encapsulation(body),
    }


def expressroute(body: Reader) -> dict[str, Any]:
    return {
        "circuit": _label(body, "circuit", "er-frankfurt"),
        "peering_location": body.text("peering_location", "", most=60),
        "encapsulation": _encapsulation(body),
    }


def interconnect(body: Reader) -> dict[str, Any]:
    """attachments: the VLAN attachments, circuit A's first; each ends in its own edge availability domain."""
    attachments = body.texts("attachments")
    if not 1 <= len(attachments) <= 2:
        body.problem(
            "required", "attachments", "Name the VLAN attachment of circuit A, and of circuit B where there is one."
        )
    return {"attachments": attachments, "encapsulation": _encapsulation(body)}


def colo(body: Reader) -> dict[str, Any]:
    """Ports or letters of authorisation of the cross-connects; circuit A ends on node 1, circuit B on node 2."""
    return {
        "facility": body.text("facility", most=60),
        "cross_connect_a": body.text("cross_connect_a", "", most=60),
        "cross_connect_b": body.text("cross_connect_b", "", most=60),
    }


def remote_access(body: Reader) -> dict[str, Any]:
    """The prefixes of its attachments are what clients get their addresses from."""
    return {
        "protocol": body.choice("protocol", ("wireguard", "ipsec"), "wireguard"),
        "authentication": body.choice("authentication", ("local", "oidc", "saml", "ldap"), "oidc"),
        "identity_provider": _label(body, "identity_provider", "acme-okta", required=False),
        "split_tunnel": body.flag("split_tunnel", True),
        "banner": body.text("banner", "", most=500),
    }
