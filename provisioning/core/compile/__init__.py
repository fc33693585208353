"""Compile: a network becomes vendor-neutral resources. Pure; the same network always gives the same result.

A resource's address is made of keys and numbers that survive a rename. What is disabled is left out; a network that
``check`` finds errors in must not get here. Bodies share parts; nobody changes one.
"""

from __future__ import annotations

from itertools import chain

from provisioning.core.compile import aws, exchange
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource

__all__ = ["compile_network"]


def compile_network(network: Network) -> dict[str, Resource]:
    """address → resource, everything the network needs in every cloud and on every exchange."""
    every = chain(aws.aws_resources(network), exchange.exchange_resources(network))
    return {resource.address: resource for resource in every}
