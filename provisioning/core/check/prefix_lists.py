"""Prefix lists that contain themselves, and those named for routes that hold more than routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioning.core.check.names import object_label
from provisioning.core.intent.list_resolver import MatchList
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem


def check_list_circles(network: Network) -> Iterator[Problem]:
    """Report prefix lists and port lists that contain themselves, directly or through others."""
    for kind in ("prefix-lists", "port-lists"):
        lists = network.intent.of(kind)
        for item in lists.values():
            for index, uid in enumerate(item.contains):
                if uid == item.uid or item.uid in _contained(lists, uid):
                    through = "itself" if uid == item.uid else f"list “{lists[uid].name}”, which contains it"
                    yield Problem(
                        "list_circle",
                        f"{kind}/{item.key}/contains[{index}]",
                        f"{object_label(kind, item)} contains {through}. Take one of them out.",
                    )


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


def _contained(lists: Mapping[str, MatchList], uid: str) -> set[str]:
    found: set[str] = set()
    pending = [uid]
    while pending:
        if (prefix_list := lists.get(pending.pop())) is not None:
            new = set(prefix_list.contains) - found
            found |= new
            pending += new
    return found
