"""The registry of clouds and drivers. A new cloud is a folder beside ``aws`` and a line in ``CLOUDS`` (README.md).

What depends on a cloud (account form, API, wizard, plan and run pages, quotas, warnings) reads its declaration here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pkgutil import resolve_name
from typing import Any

from provisioning.core.compile import compile_network as compile_core
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Action, Change, Problem, Resource, body_references
from provisioning.drivers.base import CloudCredentials, Driver
from provisioning.drivers.cloud import Cloud, CloudAddress
from provisioning.drivers.quotas import find_exceeded_quotas

CLOUDS: dict[str, Cloud] = {
    cloud.name: cloud
    for cloud in map(
        resolve_name,
        (
            "provisioning.drivers.aws.cloud:AWS",
            # The next cloud's line.
        ),
    )
}
"""Name → declaration, in the order in which people see them."""

EXCHANGE_DRIVER = "provisioning.drivers.exchange.driver:ExchangeDriver"
"""The one driver that is no cloud's: it publishes documents to exchange nodes."""


def cloud_of_connector(kind: str) -> Cloud | None:
    """Return the cloud that serves this kind of connector; None: there is none, or its side is set up by hand."""
    return next((cloud for cloud in CLOUDS.values() if kind in cloud.connector_settings), None)


def find_cloud_address(address: str) -> tuple[Cloud, CloudAddress] | None:
    """Return the cloud that a resource's address lies in, and the address's parts; None outside clouds."""
    cloud = CLOUDS.get(address.partition("/")[0])
    parts = cloud.parse_address(address) if cloud else None
    return (cloud, parts) if cloud and parts else None


def get_driver(name: str) -> Driver:
    """Return the driver for the first part of a resource's kind; raises KeyError where there is none."""
    return _load_driver(EXCHANGE_DRIVER if name == "exchange" else CLOUDS[name].driver)


@cache
def _load_driver(path: str) -> Driver:
    """One instance in each process, imported when first asked for."""
    driver: Driver = resolve_name(path)()
    return driver


def replace_on() -> Mapping[str, frozenset[str]]:
    """Return kind → body fields whose change needs a replacement, of all drivers."""
    return {kind: fields for name in ("exchange", *CLOUDS) for kind, fields in get_driver(name).replace_on.items()}


def get_discoverer(provider: str) -> Callable[[CloudCredentials, Sequence[str]], Any]:
    """Return what lists an account's networks in some regions; its answer is a dataclass of JSON values."""
    discover: Callable[[CloudCredentials, Sequence[str]], Any] = resolve_name(CLOUDS[provider].discover)
    return discover


def compile_network(network: Network) -> dict[str, Resource]:
    """Return address → resource, everything the network needs in every cloud and on every exchange."""
    return compile_core(network, [cloud.compile for cloud in CLOUDS.values()])


def exceeded_quotas(resources: Iterable[Resource]) -> list[Problem]:
    """Return the quotas of each cloud that these resources together exceed."""
    desired = list(resources)
    return [problem for cloud in CLOUDS.values() for problem in find_exceeded_quotas(cloud, desired)]


def find_conflicts(
    changes: Iterable[Change],
    inventories: Mapping[tuple[str, str], Mapping[str, Any]],
    attributes: Mapping[str, Mapping[str, Any]],
) -> list[Problem]:
    """Return what in the accounts, as discovery last saw them, stands in the way of these changes.

    ``inventories``: (cloud, account) → what was discovered; ``attributes``: address → what is known of what is there.
    """
    problems: list[Problem] = []
    for change in changes:
        found = find_cloud_address(change.address)
        inventory = inventories.get((found[0].name, found[1].account)) if found else None
        if found and inventory:
            related = {change.address, *(address for address, _ in body_references(change.after))}
            known = {address: attributes[address] for address in related if address in attributes}
            problems += found[0].conflicts(change, inventory, known)
    return problems


def gateway_warnings() -> Mapping[str, frozenset[Action]]:
    """Return kind of resource → actions on it that a plan warns about, of all clouds."""
    return {kind: actions for cloud in CLOUDS.values() for kind, actions in cloud.gateway_warnings.items()}
