"""The decision about one flow: rules before policies, first match over policies, then the services it passes.

The plain path: one packet in plain loops. ``reach/compare`` decides all packets at once; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.intent import INTERNET, Exchange, FirewallRule, Policy, Rule, Service, Share
from provisioning.core.intent.list_resolver import ListResolver
from provisioning.core.resolve.fabric import placement_exchanges
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare, PrePolicyRule
from provisioning.core.values.addresses import contains

DELIVERED = frozenset({"delivered", "delivered_inspected"})

MatchedRule = tuple[Policy, Rule]


@dataclass(frozen=True, slots=True)
class FlowOutcome:
    """What becomes of a flow.

    disposition: ``delivered``, ``denied_by_rule`` and so on, as the API has them. rule: id of the rule that decided;
    None where the default action did. decided_by: what sentences call the rule, or the share that stands for one.
    chain: uids of the services it passes. stopped_by: uid of the service that dropped it.
    """

    disposition: str
    rule: str | None = None
    chain: tuple[str, ...] = ()
    stopped_by: str | None = None
    decided_by: str = ""

    @property
    def delivered(self) -> bool:
        return self.disposition in DELIVERED


def available_chain(
    exchanges: Mapping[str, Exchange], services: Mapping[str, Service], chain: Sequence[str]
) -> tuple[tuple[str, ...], str | None]:
    """Return the services of a chain that have instances, and the first that has none and therefore stops the flow."""
    passed: list[str] = []
    for uid in chain:
        service = services.get(uid)
        if service is not None and placement_exchanges(exchanges, service):
            passed.append(uid)
        elif service is None or service.on_failure == "closed":
            return tuple(passed), uid
    return tuple(passed), None


def find_filtering_rule(resolved: ResolvedSegment, packet: Packet, connector: str = "") -> PrePolicyRule | None:
    """Return the pre-policy rule that leaves a flow without a route, or None.

    connector: uid of its source, where that is in this segment.
    """
    return next(filtering_rules(resolved, packet, connector), None)


def filtering_rules(resolved: ResolvedSegment, packet: Packet, connector: str) -> Iterator[PrePolicyRule]:
    """Yield the rule that leaves a flow without a route, then the next one that would if this one were not there."""
    for rule in resolved.routes.pre_policy_rules_towards(packet.destination):
        if rule.matches(connector, packet):
            if rule.passes:
                return
            yield rule


def decide_intra_segment(resolved: ResolvedSegment, start: Member, end: Member | None, packet: Packet) -> FlowOutcome:
    """Decide a flow between two members of a segment; ``end`` None is the internet behind an exit."""
    if end is None and not resolved.leaves_by(start, resolved.segment.uid):
        return FlowOutcome("no_route")
    if find_filtering_rule(resolved, packet, start.connector.uid):
        return FlowOutcome("no_route")
    matched = find_first_match(resolved, intra_segment_policies(resolved, start, end), packet)
    if matched is None:
        return FlowOutcome(
            "delivered" if end is not None and resolved.segment.default_action == "allow" else "denied_by_default"
        )
    return _apply_matched_rules(resolved, packet, [matched], matched[1].services, None)


def decide_inter_segment(
    here: ResolvedSegment, other: ResolvedSegment, directed_share: DirectedShare, start: Member, packet: Packet
) -> FlowOutcome:
    """Decide a flow from a member of one segment through a share to a member of another.

    Both segments' policies are tried, and a deny in either denies. The rule in the outcome is the first deny, else the
    source segment's, else the destination segment's, else the share itself. The share itself never allows the internet.
    """
    if find_filtering_rule(here, packet, start.connector.uid) or find_filtering_rule(other, packet):
        return FlowOutcome("no_route")
    policies = inter_segment_policies(here, other, start, packet.destination)
    if policies is None:
        # Two shares import equal addresses; ``check`` reports that they have no single owner.
        return FlowOutcome("no_route")
    is_outwards = here.owner(packet.destination) is None
    if is_outwards and not here.leaves_by(start, other.segment.uid):
        return FlowOutcome("no_route")
    first, second = find_first_match(here, policies[0], packet), find_first_match(other, policies[1], packet)
    matched = [rule for rule in (first, second) if rule is not None]
    if not matched and is_outwards:
        return FlowOutcome("denied_by_default")
    chains = (first[1].services if first else (), directed_share.share.services, second[1].services if second else ())
    chain = tuple(dict.fromkeys(uid for some in chains for uid in some))
    return _apply_matched_rules(here, packet, matched, chain, directed_share.share)


def decide_to_application(
    resolved: ResolvedSegment, start: Member | None, app: PublishedApp, packet: Packet
) -> FlowOutcome:
    """Decide a flow to an application's public address, from a member of its segment; ``start`` None is the internet.
    The default action never covers it."""
    matched = find_first_match(resolved, application_policies(resolved, start, app), packet)
    if matched is None:
        return FlowOutcome("denied_by_default")
    return _apply_matched_rules(resolved, packet, [matched], matched[1].services, None)


def intra_segment_policies(resolved: ResolvedSegment, start: Member, end: Member | None) -> int:
    """Return the policies (as bits) about flows between two members; ``end`` None is the internet."""
    to_mask = resolved.local_segment.policy_masks((INTERNET,))[1] if end is None else end.to_mask
    return start.from_mask & to_mask


def inter_segment_policies(
    here: ResolvedSegment, other: ResolvedSegment, start: Member, destination: int
) -> tuple[int, int] | None:
    """Return the policies (as bits) of both segments about flows through a share to an address: of a member, or of the
    internet behind the other's exits. None: only one of the two knows its owner."""
    imported, own = here.owner(destination), other.owner(destination)
    if imported is None and own is None:
        to_masks = [resolved.local_segment.policy_masks((INTERNET,))[1] for resolved in (here, other)]
    elif imported is None or own is None:
        return None
    else:
        to_masks = [imported.to_mask, own.to_mask]
    from_mask, _ = other.local_segment.policy_masks_for(start.connector, start.attachment)
    return start.from_mask & to_masks[0], from_mask & to_masks[1]


def application_policies(resolved: ResolvedSegment, start: Member | None, app: PublishedApp) -> int:
    """Return the policies (as bits) about flows to an application; ``start`` None is the internet."""
    masks_of = resolved.local_segment.policy_masks
    from_mask = masks_of((INTERNET,))[0] if start is None else start.from_mask
    return from_mask & masks_of((app.app.uid,))[1]


def find_first_match(resolved: ResolvedSegment, policies: int, packet: Packet) -> MatchedRule | None:
    """Return the first rule of these policies (as bits) that matches and decides; one that passes ends its tier."""
    return next(matching_rules(resolved, policies, packet), None)


def matching_rules(resolved: ResolvedSegment, policies: int, packet: Packet) -> Iterator[MatchedRule]:
    """Yield the rule of these policies (as bits) that decides, then the one that would if it were not there, …"""
    passed_tier = ""
    while policies:
        low = policies & -policies
        policies ^= low
        policy = resolved.policies[low.bit_length() - 1]
        if policy.tier == passed_tier:
            continue
        for rule in policy.rules:
            if rule.decides and is_match(rule, packet, resolved.prefixes):
                if rule.action == "pass":
                    passed_tier = policy.tier
                    break
                yield policy, rule


def is_match(rule: Rule | FirewallRule, packet: Packet, prefixes: ListResolver) -> bool:
    if not prefixes.headers(rule).has(packet.l4, packet.source_port, packet.dscp):
        return False
    source, destination = prefixes.ranges(rule.source), prefixes.ranges(rule.destination)
    return (source is None or contains(source, packet.source)) and (
        destination is None or contains(destination, packet.destination)
    )


def _apply_matched_rules(
    resolved: ResolvedSegment, packet: Packet, matched: list[MatchedRule], chain: tuple[str, ...], share: Share | None
) -> FlowOutcome:
    """Return the outcome of a flow that rules (at most one of each segment) match: it passes the chain if none denies.

    share: what allows it where none matched.
    """
    name, title = (f"share/{share.key}", f"share “{share.name}”") if share else ("", "")
    for policy, rule in sorted(matched, key=lambda found: found[1].action != "deny")[:1]:
        name, title = policy.rule_id(rule), policy.rule_title(rule)
        if rule.action == "deny":
            return FlowOutcome("denied_by_rule", name, decided_by=title)
    alive, missing = available_chain(resolved.exchanges, resolved.services, chain)
    for nth, uid in enumerate(alive):
        if not _is_permitted_by_service(resolved.services[uid], packet, resolved.prefixes):
            return FlowOutcome("denied_by_service", name, alive[: nth + 1], uid, title)
    if missing:
        return FlowOutcome("service_unavailable", name, alive, missing, title)
    return FlowOutcome("delivered_inspected" if alive else "delivered", name, alive, None, title)


def _is_permitted_by_service(service: Service, packet: Packet, prefixes: ListResolver) -> bool:
    number = find_firewall_rule(service, packet, prefixes)
    return (service.firewall_default if number is None else service.firewall_rules[number].action) == "allow"


def find_firewall_rule(service: Service, packet: Packet, prefixes: ListResolver) -> int | None:
    """Return the index of the firewall's first rule that matches; None: its default action decides."""
    rules = enumerate(service.firewall_rules)
    return next((number for number, rule in rules if is_match(rule, packet, prefixes)), None)
