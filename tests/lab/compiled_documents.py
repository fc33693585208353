"""Compile a network to node documents as the portal does: intent, resources, sections."""

from __future__ import annotations

from provisioning.core.compile import compile_network
from provisioning.core.node_document import SectionJson, section_json
from provisioning.core.resolve.network import Network
from tests.lab.handwritten_network import TENANT


def compile_documents(network: Network) -> dict[str, dict[str, SectionJson]]:
    """Return node at its location → section key → section. Nodes that the network does not use have none."""
    documents: dict[str, dict[str, SectionJson]] = {
        f"{node.exchange.location}/{node.index}": {} for node in network.nodes
    }
    for resource in compile_network(network).values():
        if resource.driver == "exchange":
            for node, location in resource.body["nodes"].items():
                sections = documents[f"{location}/{node.rpartition('/')[2]}"]
                sections[f"{TENANT}/{resource.address}"] = section_json(
                    TENANT, node, resource.address, resource.kind, resource.body
                )
    return documents
