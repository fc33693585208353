"""From a drawn network to nodes' documents, the way the portal goes: intent, compile, sections."""

from __future__ import annotations

from typing import Any

from provisioning.core.compile import compile_network
from provisioning.core.resolve.network import Network
from tests.lab.handwritten_network import TENANT


def compile_documents(network: Network) -> dict[str, dict[str, Any]]:
    """Node at its location → section key → section. Nodes of the lab that the network does not use get none."""
    places = {node.id: f"{node.exchange.location}/{node.index}" for node in network.nodes}
    found: dict[str, dict[str, Any]] = {place: {} for place in places.values()}
    for resource in compile_network(network).values():
        if resource.driver != "exchange":
            continue
        for node in _concerned_nodes(resource.kind, resource.address, dict(resource.body), list(places)):
            found[places[node]][f"{TENANT}/{resource.address}"] = {
                "tenant": TENANT,
                "address": resource.address,
                "kind": resource.kind,
                "self": node,
                "body": resource.body,
            }
    return found


def _concerned_nodes(kind: str, address: str, body: dict[str, Any], every: list[str]) -> list[str]:
    if kind == "exchange.segment":
        return [peer["node"] for peer in body["mesh"]]
    if kind == "exchange.vrf":
        return [body["node"]]
    if kind == "exchange.connector":
        return sorted({link["node"] for link in body["links"]})
    exchange = address.split("/")[1] if kind == "exchange.presence" else address.split("/")[2]
    return [node for node in every if node.startswith(f"{exchange}/")]
