"""Internet exits that carry nothing, and those that policies choose and that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.intent import Policy
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.values.addresses import EXAMPLE_INTERNET_ADDRESS
from provisioning.core.values.resource import Problem


def check_unused_exits(resolved: ResolvedSegment) -> Iterator[Problem]:
    """Warn about exits of a segment whose members have every public address, by a default route as a rule."""
    if not resolved.exits or resolved.exit_ranges:
        return
    owner = resolved.owner(EXAMPLE_INTERNET_ADDRESS)
    assert owner is not None, "no public address is left for an exit"
    for member in resolved.members:
        if member.is_exit:
            yield Problem(
                "exit_unused",
                f"connectors/{member.connector.key}",
                f"Nothing leaves through internet exit “{member.connector.name}” in segment “{resolved.segment.name}”: "
                f"“{owner.connector.name}” has every public address there, by its default route. Remove the one or the "
                "other.",
                "warning",
            )


def check_chosen_exits(network: Network) -> Iterator[Problem]:
    """Report policies that choose an exit which is not in one of their segments, nor shared into it."""
    for policy in network.intent.policies.values():
        if policy.via and policy.enabled:
            yield from _check_chosen_exit(network, policy, policy.via)


def _check_chosen_exit(network: Network, policy: Policy, via: str) -> Iterator[Problem]:
    path, intent = f"policies/{policy.key}/via", network.intent
    connector, chosen = intent.connectors.get(via), intent.segments.get(via)
    if connector and connector.kind != "internet-exit":
        wrong = f"Policy “{policy.name}” chooses “{connector.name}” as exit, which is no internet exit. Name one."
        yield Problem("not_an_exit", path, wrong)
        return
    if connector and not connector.enabled:
        yield Problem(
            "exit_disabled",
            path,
            f"Policy “{policy.name}” sends flows to the internet through exit “{connector.name}”, which is disabled: "
            "they have no route, and take no other exit instead. Enable it, or choose another one.",
            "warning",
        )
        return
    item = connector or chosen
    if item is None:
        return  # check_references tells
    name = f"exit “{item.name}”" if connector else f"segment “{item.name}”"
    for uid in policy.segments:
        if uid in intent.segments and not network.resolved(uid).routes.has_exit_of(via):
            yield Problem(
                "exit_not_reachable",
                path,
                f"Policy “{policy.name}” sends flows to the internet through {name}, but segment "
                f"“{intent.segments[uid].name}” leaves by no such exit. Attach the exit to it, let a share bring the "
                "internet of the segment that has it, or take the segment out of the policy.",
            )
