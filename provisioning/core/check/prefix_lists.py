"""Prefix lists in prefix lists, and those named for routes that hold more than routes."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.check.containment import check_containment
from provisioning.core.intent.limits import SOURCES
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem


def check_lists_in_lists(network: Network) -> Iterator[Problem]:
    for kind in ("prefix-lists", "port-lists"):
        yield from check_containment(kind, "list", network.intent.of(kind))


def check_sources(network: Network) -> Iterator[Problem]:
    """Report more lists that are fetched than a network may have, at those that are too many."""
    fetched = [each for each in network.intent.prefix_lists.values() if each.source is not None]
    for prefix_list in fetched[SOURCES.most :]:
        yield Problem(SOURCES.code, f"prefix-lists/{prefix_list.key}/source", SOURCES.message(len(fetched)))


def check_lists_of_routes(network: Network) -> Iterator[Problem]:
    """Report lists that a route policy names and that hold a range or something left out: no route is like that."""
    lists = network.intent.prefix_lists
    for policy in network.intent.route_policies.values():
        for uid in network.lists_in(policy):
            entry = next((entry for entry in lists[uid].entries if not entry.is_route), None)
            if entry is not None:
                yield Problem(
                    "not_routes",
                    f"route-policies/{policy.key}",
                    f"Route policy “{policy.name}” names prefix list “{lists[uid].name}”, which holds {entry.prefix}. "
                    "Routes are prefixes: name a list of prefixes.",
                )
