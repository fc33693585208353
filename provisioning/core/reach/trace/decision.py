"""The decision about one flow: gates, first match over policies, then the services it is sent through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioning.core.intent import INTERNET, Exchange, FirewallRule, Policy, Rule, Service
from provisioning.core.intent.prefix_resolver import PrefixResolver
from provisioning.core.resolve.fabric import placement_exchanges
from provisioning.core.resolve.nat import Packet
from provisioning.core.resolve.routing_table import Member
from provisioning.core.resolve.segment import PublishedApp, ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare, PrePolicyRule
from provisioning.core.values.addresses import contains
from provisioning.core.values.l4 import l4_ranges

DELIVERED = frozenset({"delivered", "delivered_inspected"})

MatchedRule = tuple[Policy, Rule]


@dataclass(frozen=True, slots=True)
class FlowOutcome:
    """What becomes of a flow.

    disposition: one of the contract's words. rule: id of the rule that decided, None where the default action did.
    chain: uids of the services it passes. stopped_by: uid of the service that dropped it.
    """

    disposition: str
    rule: str | None = None
    chain: tuple[str, ...] = ()
    stopped_by: str | None = None

    @property
    def delivered(self) -> bool:
        return self.disposition in DELIVERED


def available_chain(
    exchanges: Mapping[str, Exchange], services: Mapping[str, Service], chain: Sequence[str]
) -> tuple[tuple[str, ...], str | None]:
    """The services of a chain that have instances, and the first that has none and therefore stops the flow."""
    passed: list[str] = []
    for uid in chain:
        service = services.get(uid)
        if service is not None and placement_exchanges(exchanges, service):
            passed.append(uid)
        elif service is None or service.on_failure == "closed":
            return tuple(passed), uid
    return tuple(passed), None


def find_filtering_rule(resolved: ResolvedSegment, packet: Packet, connector: str = "") -> PrePolicyRule | None:
    """The gate that keeps a flow from getting anywhere, if there is one; ``connector``: uid of its start, if here."""
    rules = resolved.routes.pre_policy_rules_towards(packet.destination)
    first = next((rule for rule in rules if rule.matches(connector, packet)), None)
    return first if first and not first.passes else None


def decide_intra_segment(resolved: ResolvedSegment, start: Member, end: Member | None, packet: Packet) -> FlowOutcome:
    """A flow between two members of the realm; ``end`` None is the internet behind an exit."""
    if find_filtering_rule(resolved, packet, start.connector.uid):
        return FlowOutcome("no_route")
    to_mask = resolved.local_segment.policy_masks((INTERNET,))[1] if end is None else end.to_mask
    matched = find_first_match(resolved, start.from_mask & to_mask, packet)
    if matched is None:
        return FlowOutcome(
            "delivered" if end is not None and resolved.segment.default_action == "allow" else "denied_by_default"
        )
    return _apply_matched_rules(resolved, packet, [matched], matched[1].services, "")


def decide_inter_segment(
    here: ResolvedSegment, there: ResolvedSegment, directed_share: DirectedShare, start: Member, packet: Packet
) -> FlowOutcome:
    """A flow from a member of one realm through a share to a member of another.

    Both segments' policies are tried, a deny in either denies; the rule told is the first deny, else the source's, else
    the destination's, else the share itself.
    """
    if find_filtering_rule(here, packet, start.connector.uid) or find_filtering_rule(there, packet):
        return FlowOutcome("no_route")
    seen, own = here.owner(packet.destination), there.owner(packet.destination)
    if seen is None or own is None:
        # Shares that show equal addresses twice: ``check`` complains, and whose they are nobody can say.
        return FlowOutcome("no_route")
    from_mask, _ = there.local_segment.policy_masks_for(start.connector, start.attachment)
    first, second = (
        find_first_match(here, start.from_mask & seen.to_mask, packet),
        find_first_match(there, from_mask & own.to_mask, packet),
    )
    matched = [one for one in (first, second) if one is not None]
    chains = (first[1].services if first else (), directed_share.share.services, second[1].services if second else ())
    chain = tuple(dict.fromkeys(uid for some in chains for uid in some))
    return _apply_matched_rules(here, packet, matched, chain, f"share/{directed_share.share.key}")


def decide_internet_inbound(resolved: ResolvedSegment, app: PublishedApp, packet: Packet) -> FlowOutcome:
    """A flow from the internet to an application; the default action never covers it."""
    from_mask, to_mask = (
        resolved.local_segment.policy_masks((INTERNET,))[0],
        resolved.local_segment.policy_masks((app.app.uid,))[1],
    )
    matched = find_first_match(resolved, from_mask & to_mask, packet)
    if matched is None:
        return FlowOutcome("denied_by_default")
    return _apply_matched_rules(resolved, packet, [matched], matched[1].services, "")


def find_first_match(resolved: ResolvedSegment, policies: int, packet: Packet) -> MatchedRule | None:
    """The first rule of these policies (as bits) that matches and does not merely watch."""
    while policies:
        low = policies & -policies
        policies ^= low
        policy = resolved.policies[low.bit_length() - 1]
        for rule in policy.rules:
            if rule.action != "watch" and is_match(rule, packet, resolved.prefixes):
                return policy, rule
    return None


def is_match(rule: Rule | FirewallRule, packet: Packet, prefixes: PrefixResolver) -> bool:
    if not any(low <= packet.l4 <= high for low, high in l4_ranges(rule.protocol, rule.ports)):
        return False
    source, destination = prefixes.ranges(rule.source), prefixes.ranges(rule.destination)
    return (source is None or contains(source, packet.source)) and (
        destination is None or contains(destination, packet.destination)
    )


def _apply_matched_rules(
    resolved: ResolvedSegment, packet: Packet, matched: list[MatchedRule], chain: tuple[str, ...], otherwise: str
) -> FlowOutcome:
    """What rules that matched (one of each policy list) make of a flow that passes this chain if none denies."""
    for policy, rule in matched:
        if rule.action == "deny":
            return FlowOutcome("denied_by_rule", policy.rule_id(rule))
    name = matched[0][0].rule_id(matched[0][1]) if matched else otherwise
    alive, missing = available_chain(resolved.exchanges, resolved.services, chain)
    for nth, uid in enumerate(alive):
        if not _is_permitted_by_service(resolved.services[uid], packet, resolved.prefixes):
            return FlowOutcome("denied_by_service", name, alive[: nth + 1], uid)
    if missing:
        return FlowOutcome("service_unavailable", name, alive, missing)
    return FlowOutcome("delivered_inspected" if alive else "delivered", name, alive)


def _is_permitted_by_service(service: Service, packet: Packet, prefixes: PrefixResolver) -> bool:
    for rule in service.firewall_rules:
        if is_match(rule, packet, prefixes):
            return rule.action == "allow"
    return service.firewall_default == "allow"
