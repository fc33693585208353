"""Check: everything wrong with a network that is whole, which no single body shows.

Errors block a plan, warnings are shown in it. A check is one function here. It takes a network, or one of its resolved
segments; then its problems are kept as long as the resolved segment is. Every check runs even where others find errors,
so none may assume that a reference leads to an object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from provisioning.core.check import (
    connectors,
    groups,
    header_classes,
    internet_apps,
    internet_exits,
    kernel_limits,
    names,
    nat,
    policies,
    prefix_lists,
    prefixes,
    route_policies,
    route_rules,
    services,
    shadowed_rules,
    shares,
    unmatched_rules,
)
from provisioning.core.resolve.derived import DerivedKey
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.resource import Problem

__all__ = ["check_network"]

_NETWORK_CHECKS: dict[Callable[[Network], Iterable[Problem]], tuple[str, ...]] = {
    names.check_references: (),
    names.check_catalog_values: (),
    names.check_duplicate_names: (),
    names.check_duplicate_positions: (),
    names.check_exchange_limits: ("exchanges",),
    groups.check_groups_in_groups: ("groups",),
    groups.check_group_counts: (),
    groups.check_selectors: (),
    header_classes.check_header_classes: ("policies", "services", "assertions"),
    prefix_lists.check_lists_in_lists: ("prefix-lists", "port-lists"),
    prefix_lists.check_sources: ("prefix-lists",),
    prefix_lists.check_lists_of_routes: ("prefix-lists", "route-policies"),
    connectors.check_link_addresses: ("connectors",),
    connectors.check_shared_networks: ("connectors",),
    connectors.check_failover: ("connectors", "exchanges"),
    connectors.check_manual_cloud_side: ("connectors", "exchanges"),
    kernel_limits.check_segment_numbers: ("segments",),
    kernel_limits.check_interface_names: ("connectors", "segments"),
    policies.check_policy_endpoints: (),
    services.check_service_chains: ("policies", "shares", "services", "segments"),
    services.check_service_limits: ("policies", "shares", "services"),
    shares.check_share_sides: (),
    nat.check_nat_attachment: ("nat-rules", "connectors", "segments"),
    route_policies.check_route_policy_targets: (),
    route_policies.check_attributes_without_effect: ("route-policies",),
    internet_apps.check_internet_apps: (),
    internet_exits.check_chosen_exits: (),
}
"""Each with the kinds it reads and nothing else: its problems are kept while they and the catalogue stay the same.

Those that name no kinds read resolved segments, or cache their problems themselves.
"""

_SEGMENT_CHECKS: tuple[Callable[[ResolvedSegment], Iterable[Problem]], ...] = (
    prefixes.check_overlapping_prefixes,
    prefixes.check_segment_prefixes,
    prefixes.check_reserved_prefixes,
    prefixes.check_carried_families,
    shares.check_share_same_connector,
    shares.check_route_limit,
    shares.check_share_overlap,
    shares.check_unused_egress,
    nat.check_translations,
    nat.check_hidden_prefixes,
    internet_exits.check_unused_exits,
    route_rules.check_route_rules,
)
"""Their messages name no groups: a resolved segment outlives the renaming of one."""

_NETWORK_PROBLEMS = DerivedKey[list[Problem]]("problems of a network, by check")
_SEGMENT_PROBLEMS = DerivedKey[list[Problem]]("problems of a segment")

_SLOW_CHECKS: tuple[Callable[[Network], Iterable[Problem]], ...] = (
    shadowed_rules.check_shadowed_rules,
    unmatched_rules.check_unmatched_rules,
    unmatched_rules.check_unmatched_firewall_rules,
)
"""Warnings that take long to find in a large network. Only errors refuse an edit, so edits leave these out."""


def check_network(network: Network, slow_checks: bool = True) -> list[Problem]:
    """Return all problems, errors first; paths look like ``connectors/vpc-prod/attachments[0].prefixes[0]``."""
    problems = [
        problem for check, kinds in _NETWORK_CHECKS.items() for problem in _cached_problems(network, check, kinds)
    ]
    problems += _segment_problems(network)
    problems += [problem for check in _SLOW_CHECKS if slow_checks for problem in check(network)]
    return sorted(problems, key=lambda problem: problem.severity != "error")


def _cached_problems(
    network: Network, check: Callable[[Network], Iterable[Problem]], kinds: tuple[str, ...]
) -> Iterable[Problem]:
    if not kinds:
        return check(network)
    intent = network.intent
    read = (intent.catalog, *(network.derived.token(intent.of(kind), of=kind) for kind in kinds))
    return network.derived.get(_NETWORK_PROBLEMS, read, lambda: list(check(network)), of=check)


def _segment_problems(network: Network) -> Iterator[Problem]:
    for resolved in network.resolved_segments.values():
        yield from resolved.derived.get(_SEGMENT_PROBLEMS, (), partial(_check_segment, resolved))


def _check_segment(resolved: ResolvedSegment) -> list[Problem]:
    return [problem for check in _SEGMENT_CHECKS for problem in check(resolved)]
