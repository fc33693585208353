"""Vendors, found by the first part of a resource's kind. A vendor is a folder and its lines here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from provisioning.core.values.resource import Problem, Resource
from provisioning.drivers.base import CloudCredentials, Driver

DRIVERS = {
    "aws": "provisioning.drivers.aws.driver.AwsDriver",
    "exchange": "provisioning.drivers.exchange.ExchangeDriver",
}
DISCOVERERS = {"aws": "provisioning.drivers.aws.discovery.discover"}
QUOTAS = {"aws": "provisioning.drivers.aws.quotas.exceeded_quotas"}


@cache
def get_driver(name: str) -> Driver:
    """The one instance of a driver, imported when first asked for; KeyError for a name nobody drives."""
    made: Driver = import_string(DRIVERS[name])()
    return made


@cache
def replace_on() -> Mapping[str, frozenset[str]]:
    """kind → body fields whose change needs a replacement, of all drivers."""
    return {kind: fields for name in DRIVERS for kind, fields in get_driver(name).replace_on.items()}


def get_discoverer(provider: str) -> Callable[[CloudCredentials, Sequence[str]], Any]:
    """What lists an account's networks; its answer is a dataclass of JSON values."""
    found: Callable[[CloudCredentials, Sequence[str]], Any] = import_string(DISCOVERERS[provider])
    return found


def exceeded_quotas(resources: Iterable[Resource]) -> list[Problem]:
    """The limits of each cloud that these resources together exceed."""
    desired = list(resources)
    return [problem for path in QUOTAS.values() for problem in import_string(path)(desired)]
