"""Check: everything wrong with a network that is whole, which no single body shows.

Errors block a plan, warnings are shown in it. A check is one function (intent → problems) in a module here plus one
line in ``_CHECKS``; all of them run even where others find errors, so none may trust that a reference leads anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from provisioning.core.check import addresses, names, policies, services
from provisioning.core.intent import Intent
from provisioning.core.network import Network
from provisioning.core.resource import Problem

__all__ = ["check"]

_CHECKS: tuple[Callable[[Intent], Iterable[Problem]], ...] = (
    names.unknown_references,
    names.catalogue,
    names.duplicates,
    names.exchange_limits,
    addresses.equal_and_overlapping,
    addresses.outside_segment,
    addresses.family,
    addresses.reserved,
    addresses.links,
    addresses.shared_networks,
    policies.sides,
    services.chains,
    services.limits,
    services.later,
)
_HINTS: tuple[Callable[[Intent], Iterable[Problem]], ...] = (policies.shadowed,)
"""Warnings that take long to find in a large network; an edit, which only errors refuse, does without them."""


def check(network: Network, hints: bool = True) -> list[Problem]:
    """Errors first; paths look like ``connectors/vpc-prod/attachments[0].prefixes[0]``."""
    found = [problem for one in (*_CHECKS, *(_HINTS if hints else ())) for problem in one(network.intent)]
    return sorted(found, key=lambda problem: problem.severity != "error")
