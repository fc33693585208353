"""How a kind of thing is shown: icon, word, and the cluster it joins on the map."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """``family`` and ``told``: where the wizard lists a kind of connector, and what it says about it."""

    icon: str
    word: str
    cluster: str
    family: str = ""
    told: str = ""


CLOUD, SITE, PRIVATE, INTERNET, REMOTE = "Cloud networks", "Sites", "Private circuits", "Internet", "Remote access"

LOOKS: dict[str, Look] = {
    "exchange": Look(icon="topology-star-3", word="Exchange", cluster="Exchange"),
    "service": Look(icon="shield-lock", word="Service", cluster="Service"),
    "aws-vpc": Look(
        icon="brand-aws", word="AWS VPC", cluster="AWS", family=CLOUD, told="found by discovery in a cloud account"
    ),
    "azure-vnet": Look(
        icon="brand-azure",
        word="Azure VNet",
        cluster="Azure",
        family=CLOUD,
        told="the cloud side is set up by hand for now",
    ),
    "gcp-vpc": Look(
        icon="brand-google",
        word="GCP VPC",
        cluster="GCP",
        family=CLOUD,
        told="the cloud side is set up by hand for now",
    ),
    "ipsec-site": Look(
        icon="building", word="IPsec site", cluster="Sites", family=SITE, told="a firewall or router with two tunnels"
    ),
    "sdwan": Look(
        icon="router", word="SD-WAN edge", cluster="SD-WAN", family=SITE, told="the edge of another vendor's overlay"
    ),
    "lab-site": Look(
        icon="flask", word="Lab site", cluster="Lab sites", family=SITE, told="a network namespace of this machine"
    ),
    "direct-connect": Look(
        icon="plug-connected",
        word="Direct Connect",
        cluster="Direct Connect",
        family=PRIVATE,
        told="sites behind AWS's circuit",
    ),
    "expressroute": Look(
        icon="plug-connected",
        word="ExpressRoute",
        cluster="ExpressRoute",
        family=PRIVATE,
        told="sites behind Azure's circuit",
    ),
    "interconnect": Look(
        icon="plug-connected",
        word="Cloud Interconnect",
        cluster="Interconnect",
        family=PRIVATE,
        told="sites behind Google's circuit",
    ),
    "colo": Look(
        icon="server-2",
        word="Colocation cross-connect",
        cluster="Data centre",
        family=PRIVATE,
        told="two cables in the same building",
    ),
    "internet-exit": Look(
        icon="world",
        word="Internet exit",
        cluster="Exit",
        family=INTERNET,
        told="a way out at an exchange, and in for applications",
    ),
    "remote-access": Look(
        icon="device-laptop", word="Remote access", cluster="Remote", family=REMOTE, told="people with a VPN client"
    ),
}


def look(kind: str) -> Look:
    """The look of a kind; one without a drawing keeps its own name."""
    return LOOKS.get(kind) or Look(icon="box", word=kind, cluster=kind)


def families() -> list[tuple[str, list[tuple[str, Look]]]]:
    """The kinds of connectors as the wizard groups them."""
    return [
        (family, [(kind, one) for kind, one in LOOKS.items() if one.family == family])
        for family in (CLOUD, SITE, PRIVATE, INTERNET, REMOTE)
    ]
