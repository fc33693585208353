"""How a kind of object is shown: icon, word, and its cluster on the map."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioning.drivers import cloud_of_connector


@dataclass(frozen=True, slots=True)
class KindStyle:
    """``family`` and ``description``: where the wizard lists a kind of connector, and what it says about it."""

    icon: str
    word: str
    cluster: str
    family: str = ""
    description: str = ""


CLOUD, SITE, PRIVATE, INTERNET, REMOTE = "Cloud networks", "Sites", "Private circuits", "Internet", "Remote access"

KIND_STYLES: dict[str, KindStyle] = {
    "exchange": KindStyle(icon="topology-star-3", word="Exchange", cluster="Exchange"),
    "service": KindStyle(icon="shield-lock", word="Service", cluster="Service"),
    "aws-vpc": KindStyle(
        icon="brand-aws",
        word="AWS VPC",
        cluster="AWS",
        family=CLOUD,
    ),
    "azure-vnet": KindStyle(
        icon="brand-azure",
        word="Azure VNet",
        cluster="Azure",
        family=CLOUD,
    ),
    "gcp-vpc": KindStyle(
        icon="brand-google",
        word="GCP VPC",
        cluster="GCP",
        family=CLOUD,
    ),
    "ipsec-site": KindStyle(
        icon="building",
        word="IPsec site",
        cluster="Sites",
        family=SITE,
        description="a firewall or router with two tunnels",
    ),
    "sdwan": KindStyle(
        icon="router",
        word="SD-WAN edge",
        cluster="SD-WAN",
        family=SITE,
        description="the edge of another vendor's overlay",
    ),
    "lab-site": KindStyle(
        icon="flask",
        word="Lab site",
        cluster="Lab sites",
        family=SITE,
        description="a network namespace of this machine",
    ),
    "direct-connect": KindStyle(
        icon="plug-connected",
        word="Direct Connect",
        cluster="Direct Connect",
        family=PRIVATE,
        description="sites behind AWS's circuit",
    ),
    "expressroute": KindStyle(
        icon="plug-connected",
        word="ExpressRoute",
        cluster="ExpressRoute",
        family=PRIVATE,
        description="sites behind Azure's circuit",
    ),
    "interconnect": KindStyle(
        icon="plug-connected",
        word="Cloud Interconnect",
        cluster="Interconnect",
        family=PRIVATE,
        description="sites behind Google's circuit",
    ),
    "colo": KindStyle(
        icon="server-2",
        word="Colocation cross-connect",
        cluster="Data centre",
        family=PRIVATE,
        description="two cables in the same building",
    ),
    "internet-exit": KindStyle(
        icon="world",
        word="Internet exit",
        cluster="Exit",
        family=INTERNET,
        description="a way out at an exchange, and in for applications",
    ),
    "remote-access": KindStyle(
        icon="device-laptop",
        word="Remote access",
        cluster="Remote",
        family=REMOTE,
        description="people with a VPN client",
    ),
}


def kind_style(kind: str) -> KindStyle:
    """Return the style of a kind; an unknown one is a box with its own name."""
    return KIND_STYLES.get(kind) or KindStyle(icon="box", word=kind, cluster=kind)


def connector_families() -> list[tuple[str, list[tuple[str, KindStyle]]]]:
    """Return (family, [(kind, style)]): the kinds of connectors as the wizard groups them."""
    return [
        (
            family,
            [
                (kind, replace(style, description=style.description or _cloud_description(kind)))
                for kind, style in KIND_STYLES.items()
                if style.family == family
            ],
        )
        for family in (CLOUD, SITE, PRIVATE, INTERNET, REMOTE)
    ]


def _cloud_description(kind: str) -> str:
    if cloud_of_connector(kind) is None:
        return "the cloud side is set up by hand for now"
    return "found by discovery in a cloud account"
