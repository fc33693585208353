"""Compile: intent and catalogue become vendor-neutral resources. Pure; the same network always gives the same result.

A resource's address is made of keys and numbers that survive a rename. What is disabled is left out; a network that
``check`` finds errors in must not get here.
"""

from __future__ import annotations

from provisioning.core.compile import aws, exchange
from provisioning.core.network import Network
from provisioning.core.resource import Resource, references

__all__ = ["compile"]


def compile(network: Network) -> dict[str, Resource]:
    """address → resource, everything the network needs in every cloud and on every exchange."""
    resources: dict[str, Resource] = {}
    for resource in (*aws.resources(network), *exchange.resources(network)):
        named = sorted({address for address, _ in references(resource.body)} | set(resource.depends))
        resources[resource.address] = Resource(
            resource.address, resource.kind, resource.body, tuple(named), tuple(dict.fromkeys(resource.subjects))
        )
    return dict(sorted(resources.items()))
