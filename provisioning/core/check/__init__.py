"""Check: everything wrong with a network that is whole, which no single body shows.

Errors block a plan, warnings are shown in it. A check is one function here: of a network, or of one of its realms, and
then its problems are kept as long as the realm is. All of them run even where others find errors, so none may trust
that a reference leads anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from provisioning.core.check import (
    addresses,
    apps,
    connectors,
    names,
    nat,
    policies,
    routing,
    services,
    shadows,
    shares,
)
from provisioning.core.network import Network
from provisioning.core.realm import Realm
from provisioning.core.resource import Problem

__all__ = ["check"]

_CHECKS: tuple[Callable[[Network], Iterable[Problem]], ...] = (
    names.unknown_references,
    names.catalogue,
    names.duplicates,
    names.exchange_limits,
    connectors.links,
    connectors.shared_networks,
    connectors.failover,
    connectors.by_hand,
    policies.sides,
    services.chains,
    services.limits,
    shares.sides,
    nat.attached,
    routing.targets,
    apps.apps,
)
_OF_REALMS: tuple[Callable[[Realm], Iterable[Problem]], ...] = (
    addresses.overlapping,
    addresses.outside_segment,
    addresses.reserved,
    shares.same_connector,
    shares.route_limit,
    shares.overlap,
    nat.translations,
    routing.idle,
)
"""These name no groups: a realm outlives the renaming of one."""

_HINTS: tuple[Callable[[Network], Iterable[Problem]], ...] = (shadows.shadowed,)
"""Warnings that take long to find in a large network; an edit, which only errors refuse, does without them."""


def check(network: Network, hints: bool = True) -> list[Problem]:
    """Errors first; paths look like ``connectors/vpc-prod/attachments[0].prefixes[0]``."""
    found = [problem for one in _CHECKS for problem in one(network)]
    found += _of_realms(network)
    found += [problem for one in _HINTS if hints for problem in one(network)]
    return sorted(found, key=lambda problem: problem.severity != "error")


def _of_realms(network: Network) -> Iterator[Problem]:
    for realm in network.realms.values():
        if "problems" not in realm.memo:
            realm.memo["problems"] = [problem for one in _OF_REALMS for problem in one(realm)]
        yield from realm.memo["problems"]
