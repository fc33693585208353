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

_CHECKS: dict[Callable[[Network], Iterable[Problem]], tuple[str, ...]] = {
    names.unknown_references: (),
    names.catalogue: ("exchanges", "connectors", "services"),
    names.duplicate_names: (),
    names.duplicate_positions: ("policies", "nat-rules"),
    names.exchange_limits: ("exchanges",),
    connectors.links: ("connectors",),
    connectors.shared_networks: ("connectors",),
    connectors.failover: ("connectors", "exchanges"),
    connectors.by_hand: ("connectors", "exchanges"),
    policies.sides: (),
    services.chains: ("policies", "shares", "services", "segments"),
    services.limits: ("policies", "shares", "services"),
    shares.sides: (),
    nat.attached: ("nat-rules", "connectors", "segments"),
    routing.targets: (),
    apps.apps: (),
}
"""Each with the kinds it reads and nothing else: its problems are kept while they and the catalogue stay the same.

Those that name none look into realms, or keep what they find by themselves.
"""

_OF_REALMS: tuple[Callable[[Realm], Iterable[Problem]], ...] = (
    addresses.overlapping,
    addresses.outside_segment,
    addresses.reserved,
    shares.same_connector,
    shares.route_limit,
    shares.overlap,
    nat.translations,
    nat.kept_inside,
    routing.idle,
)
"""These name no groups: a realm outlives the renaming of one."""

_HINTS: tuple[Callable[[Network], Iterable[Problem]], ...] = (shadows.shadowed,)
"""Warnings that take long to find in a large network; an edit, which only errors refuse, does without them."""


def check(network: Network, hints: bool = True) -> list[Problem]:
    """Errors first; paths look like ``connectors/vpc-prod/attachments[0].prefixes[0]``."""
    found = [problem for one, kinds in _CHECKS.items() for problem in _kept(network, one, kinds)]
    found += _of_realms(network)
    found += [problem for one in _HINTS if hints for problem in one(network)]
    return sorted(found, key=lambda problem: problem.severity != "error")


def _kept(network: Network, one: Callable[[Network], Iterable[Problem]], kinds: tuple[str, ...]) -> Iterable[Problem]:
    if not kinds:
        return one(network)
    read = (network.intent.catalog, *(item for kind in kinds for item in (None, *network.intent.of(kind).values())))
    return network.keep(one, read, lambda: list(one(network)))


def _of_realms(network: Network) -> Iterator[Problem]:
    for realm in network.realms.values():
        if "problems" not in realm.memo:
            realm.memo["problems"] = [problem for one in _OF_REALMS for problem in one(realm)]
        yield from realm.memo["problems"]
