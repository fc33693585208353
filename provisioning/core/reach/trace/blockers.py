"""Everything that alone would stop a flow, each with the object to change.

A trace ends at the first reason. This goes on behind it, as if it were not there, so that a reader who follows every
remedy has a flow that passes. Codes are promises (docs/api.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provisioning.core.intent import Connector, IntentObject, all_kinds, capitalise
from provisioning.core.reach.trace.decision import (
    MatchedRule,
    application_policies,
    available_chain,
    filtering_rules,
    find_firewall_rule,
    inter_segment_policies,
    intra_segment_policies,
    matching_rules,
)
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.route_filters import RouteDenial
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare
from provisioning.core.values.addresses import address_text


def object_path(item: IntentObject | None) -> str:
    """Return what blockers call an object: ``policies/prod-out``; empty for None."""
    return f"{next(kind.key for kind in all_kinds() if isinstance(item, kind.type))}/{item.key}" if item else ""


@dataclass(frozen=True, slots=True)
class Blocker:
    """object: like ``policies/prod-out``, empty where there is none to change. rule: id of the rule of a policy, or a
    route policy."""

    code: str
    object: str
    rule: str | None
    message: str
    remedy: str


def intra_segment_blockers(
    resolved: ResolvedSegment, start: Member, end: Member | None, packet: Packet
) -> Iterator[Blocker]:
    """Yield what stops a flow between two members of a segment; ``end`` None is the internet."""
    yield from _filter_blockers(resolved, packet, start.connector.uid)
    denies, deciding = _matched(resolved, intra_segment_policies(resolved, start, end), packet)
    yield from denies
    if deciding:
        yield from _chain_blockers(resolved, deciding[1].services, packet)
    elif end is None:
        yield _default_action(resolved, "the internet", f"from “{start.connector.name}” to internet")
    elif resolved.segment.default_action == "deny":
        yield _default_action(resolved, "", f"from “{start.connector.name}” to “{end.connector.name}”")


def inter_segment_blockers(
    here: ResolvedSegment, other: ResolvedSegment, directed_share: DirectedShare | None, start: Member, packet: Packet
) -> Iterator[Blocker]:
    """Yield what stops a flow through a share besides the share itself: filters, denies of both segments, services."""
    yield from _filter_blockers(here, packet, start.connector.uid)
    yield from _filter_blockers(other, packet, "")
    policies = inter_segment_policies(here, other, start, packet.destination)
    if policies is None:
        return
    first_denies, first = _matched(here, policies[0], packet)
    second_denies, second = _matched(other, policies[1], packet)
    yield from first_denies
    # A policy of both segments has its rule once.
    denied = {blocker.rule for blocker in first_denies}
    yield from (blocker for blocker in second_denies if blocker.rule not in denied)
    if not first and not second and here.owner(packet.destination) is None:
        yield _default_action(here, "the internet", f"from “{start.connector.name}” to internet")
    shared = directed_share.share.services if directed_share else ()
    chains = (first[1].services if first else (), shared, second[1].services if second else ())
    yield from _chain_blockers(here, tuple(dict.fromkeys(uid for chain in chains for uid in chain)), packet)


def application_blockers(
    resolved: ResolvedSegment, start: Member | None, app: PublishedApp, packet: Packet
) -> Iterator[Blocker]:
    """Yield what stops a flow to an application's public address; ``start`` None is the internet."""
    denies, deciding = _matched(resolved, application_policies(resolved, start, app), packet)
    yield from denies
    if deciding:
        yield from _chain_blockers(resolved, deciding[1].services, packet)
    else:
        source = f"“{start.connector.name}”" if start else "internet"
        yield _default_action(resolved, "an internet application", f"from {source} to “{app.app.name}”")


def _matched(resolved: ResolvedSegment, policies: int, packet: Packet) -> tuple[list[Blocker], MatchedRule | None]:
    """Return the rules that deny a flow, up to the first that does not, and that one."""
    denies: list[Blocker] = []
    for policy, rule in matching_rules(resolved, policies, packet):
        if rule.action != "deny":
            return denies, (policy, rule)
        rule_id = policy.rule_id(rule)
        tier = f" in the {policy.tier} tier" if policy.tier != "standard" else ""
        message = f"{capitalise(policy.rule_title(rule))}{tier} denies it in segment “{resolved.segment.name}”."
        remedy = "Allow the flow by a rule before it, or narrow or remove this one."
        denies.append(Blocker("rule_denies", object_path(policy), rule_id, message, remedy))
    return denies, None


def _default_action(resolved: ResolvedSegment, uncovered: str, flow: str) -> Blocker:
    """uncovered: what the flow goes to, where the default action does not cover that."""
    segment = resolved.segment
    message = f"No rule allows it, and the default action of segment “{segment.name}” is deny."
    if uncovered:
        message = f"No rule allows it, and a default action never covers {uncovered}."
    return Blocker(
        "default_action", object_path(segment), None, message, f"Add a rule that allows it to a policy {flow}."
    )


def _filter_blockers(resolved: ResolvedSegment, packet: Packet, connector: str) -> Iterator[Blocker]:
    named = set[tuple[str, int]]()  # what keeps both a route and its way back is to be changed once
    for rule in filtering_rules(resolved, packet, connector):
        if rule.kind == "nat-rules":
            remedy = f"Add an inbound NAT rule for this destination, protocol and port to “{rule.edge.name}”."
            yield Blocker("nat_untranslated", object_path(rule.edge), None, rule.reason, remedy)
            continue
        for address in (packet.destination, packet.source):
            for denial in resolved.routes.route_denials(rule.edge, address):
                if (denial.policy.uid, denial.rule) not in named:
                    named.add((denial.policy.uid, denial.rule))
                    yield _route_blocker("route_filtered", denial, rule.reason, f"to “{rule.edge.name}”")


def rejected_route_blockers(
    resolved: ResolvedSegment, address: int, connector: Connector | None = None
) -> Iterator[Blocker]:
    """Yield the rules of route policies that keep routes to an address from being accepted. connector: from this one
    only."""
    for offering, denial in resolved.routing_table.rejected_routes(address):
        if connector is None or offering.uid == connector.uid:
            message = f"The route of “{offering.name}” to {address_text(address)} is not accepted."
            yield _route_blocker("route_rejected", denial, message, f"from “{offering.name}”")


def _route_blocker(code: str, denial: RouteDenial, message: str, whose: str) -> Blocker:
    policy, number = denial.policy, denial.rule + 1
    message = f"{message} Rule {number} of route policy “{policy.name}” denies it."
    remedy = f"Let route policy “{policy.name}” allow this route {whose}."
    return Blocker(code, object_path(policy), f"{policy.key}/rule-{number}", message, remedy)


def _chain_blockers(resolved: ResolvedSegment, chain: Sequence[str], packet: Packet) -> Iterator[Blocker]:
    for uid in chain:
        service = resolved.services.get(uid)
        if service is None:
            message = f"Service {uid} does not exist any more."
            yield Blocker("service_unavailable", f"services/{uid}", None, message, "Take it out of the rule.")
            continue
        path = object_path(service)
        running, missing = available_chain(resolved.exchanges, resolved.services, (uid,))
        if missing:
            message = f"Service “{service.name}” has no instance and fails closed."
            remedy = "Place it at an exchange with at least one instance, or let it fail open."
            yield Blocker("service_unavailable", path, None, message, remedy)
        number = find_firewall_rule(service, packet, resolved.prefixes)
        action = service.firewall_default if number is None else service.firewall_rules[number].action
        if action == "deny" and (running or missing):
            which = "default action" if number is None else f"rule {number + 1}"
            message = f"Service “{service.name}” drops it: its {which} denies it."
            yield Blocker("service_denies", path, None, message, "Allow the flow in the rules of this service.")
