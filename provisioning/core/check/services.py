"""Services that flows cannot be sent through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.node_document import MAX_CHAIN_LENGTH, MAX_INSTANCES_PER_PLACEMENT
from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem

ServiceChain = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Path of the chain, what it belongs to in words, the services, and the segments that each of them has to be in."""


def check_service_chains(network: Network) -> Iterator[Problem]:
    """Report services of chains that have no placement, are not in the segments of its flows, or share no exchange."""
    valid: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for path, where, services, segments in _service_chains(network):
        if (services, segments) not in valid:
            problems = list(_check_service_chain(network, path, where, services, segments))
            yield from problems
            if not problems:
                valid.add((services, segments))


def _service_chains(network: Network) -> Iterator[ServiceChain]:
    intent = network.intent
    for policy in intent.policies.values():
        for index, rule in enumerate(policy.rules):
            if rule.services:
                where = f"Rule “{rule.name}” of policy “{policy.name}”"
                yield f"policies/{policy.key}/rules[{index}].services", where, rule.services, policy.segments
    for share in intent.shares.values():
        if share.services:
            segments = (share.a.segment, share.b.segment)
            yield f"shares/{share.key}/services", f"Share “{share.name}”", share.services, segments


def _check_service_chain(
    network: Network, path: str, where: str, services: Sequence[str], segments: Sequence[str]
) -> Iterator[Problem]:
    intent = network.intent
    common: set[str] | None = None
    for index, uid in enumerate(services):
        service = intent.services.get(uid)
        if service is None:
            continue
        if not service.placements:
            yield Problem(
                "no_placement",
                f"{path}[{index}]",
                f"{where} uses service “{service.name}”, which is placed at no exchange. Give it a placement.",
            )
            continue
        for segment in segments:
            if segment in intent.segments and segment not in service.segments:
                yield Problem(
                    "service_not_in_segment",
                    f"{path}[{index}]",
                    f"{where} uses service “{service.name}”, which is not in segment "
                    f"“{intent.segments[segment].name}”. Add the segment to the service.",
                )
        exchanges = {placement.exchange for placement in service.placements}
        common = exchanges if common is None else common & exchanges
    if common is not None and not common:
        names = ", ".join(f"“{intent.services[uid].name}”" for uid in services if uid in intent.services)
        yield Problem(
            "chain_apart",
            path,
            f"{where} sends flows through {names}, but no exchange has a placement of all of them.",
        )


def check_service_limits(network: Network) -> Iterator[Problem]:
    """Report chains and placements that are longer than what exchange nodes remember of a flow."""
    for path, where, services, _ in _service_chains(network):
        if len(services) > MAX_CHAIN_LENGTH:
            yield Problem(
                "too_many_services",
                path,
                f"{where} names {len(services)} services; a flow passes {MAX_CHAIN_LENGTH} at most.",
            )
    for service in network.intent.services.values():
        for index, placement in enumerate(service.placements):
            if placement.max_instances > MAX_INSTANCES_PER_PLACEMENT:
                yield Problem(
                    "too_many_instances",
                    f"services/{service.key}/placements[{index}].max_instances",
                    f"Service “{service.name}” may grow to {placement.max_instances} instances at one exchange; "
                    f"{MAX_INSTANCES_PER_PLACEMENT} is the most.",
                )
