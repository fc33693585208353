"""How a kind of thing is shown: icon, word, and the cluster it joins on the map."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    icon: str
    word: str
    cluster: str


LOOKS: dict[str, Look] = {
    "exchange": Look(icon="topology-star-3", word="Exchange", cluster="Exchange"),
    "service": Look(icon="shield-lock", word="Service", cluster="Service"),
    "aws-vpc": Look(icon="brand-aws", word="AWS VPC", cluster="AWS"),
    "azure-vnet": Look(icon="brand-azure", word="Azure VNet", cluster="Azure"),
    "gcp-vpc": Look(icon="brand-google", word="GCP VPC", cluster="GCP"),
    "ipsec-site": Look(icon="building", word="IPsec site", cluster="Sites"),
    "sdwan": Look(icon="router", word="SD-WAN edge", cluster="SD-WAN"),
    "direct-connect": Look(icon="plug-connected", word="Direct Connect", cluster="Direct Connect"),
    "expressroute": Look(icon="plug-connected", word="ExpressRoute", cluster="ExpressRoute"),
    "interconnect": Look(icon="plug-connected", word="Cloud Interconnect", cluster="Interconnect"),
    "colo": Look(icon="server-2", word="Colocation cross-connect", cluster="Data centre"),
    "internet-exit": Look(icon="world", word="Internet exit", cluster="Exit"),
    "remote-access": Look(icon="device-laptop", word="Remote access", cluster="Remote"),
    "lab-site": Look(icon="flask", word="Lab site", cluster="Lab sites"),
}


def look(kind: str) -> Look:
    """The look of a kind; one without a drawing keeps its own name."""
    return LOOKS.get(kind) or Look(icon="box", word=kind, cluster=kind)
