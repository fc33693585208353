"""Compile: a network becomes vendor-neutral resources. Pure; the same network always gives the same result.

A resource's address is made of keys and numbers that survive a rename. What is disabled is left out; a network that
``check`` finds errors in must not get here. Bodies share parts; nobody changes one.

What a cloud gets is compiled by that cloud's own folder (``provisioning/drivers/NAME/compile.py``). The core knows no
cloud, so whoever calls hands those functions in; ``provisioning.drivers.compile_network`` hands in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from provisioning.core.compile import exchange
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Resource

__all__ = ["CloudCompiler", "compile_network"]

CloudCompiler = Callable[[Network], Iterable[Resource]]
"""Return what one cloud's accounts get. Pure, and imports nothing but the core."""


def compile_network(network: Network, cloud_compilers: Iterable[CloudCompiler] = ()) -> dict[str, Resource]:
    """Return address → resource: what these clouds get, and what exchange nodes run."""
    clouds = chain.from_iterable(compile_cloud(network) for compile_cloud in cloud_compilers)
    return {resource.address: resource for resource in chain(clouds, exchange.exchange_resources(network))}
