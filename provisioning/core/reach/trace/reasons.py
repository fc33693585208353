"""Reasons of hops: why a flow is decided as it is, and why an address has no route."""

from __future__ import annotations

from provisioning.core.intent import capitalise
from provisioning.core.reach.address_holders import hidden_holders, name_holders
from provisioning.core.reach.trace.decision import FlowOutcome
from provisioning.core.resolve.network import Network
from provisioning.core.resolve.segment import ResolvedSegment
from provisioning.core.resolve.segment_routes import DirectedShare
from provisioning.core.resolve.ways_out import WayOut
from provisioning.core.values.addresses import address_text, is_public


def explain_unrouted(network: Network, resolved: ResolvedSegment, address: int) -> str:
    """Return why no exit carries packets to an address that no member has."""
    apps = [app.app for app in resolved.apps if app.public == address]
    if apps:
        published = ", ".join(f"“{app.name}” ({app.protocol}/{app.port})" for app in apps)
        return f"At this public address of ours there is {published} and nothing else."
    if is_public(address) and resolved.exits and not resolved.is_on_internet(address):
        return f"This public address is ours; no application of segment “{resolved.segment.name}” is there."
    if not is_public(address):
        holders = hidden_holders(network, ((address, address),), [resolved.segment])
        if holders and holders[0].enabled:
            hidden = f"{address_text(address)} is hidden behind {name_holders(holders)}"
            return f"{hidden}; an inbound NAT rule would have to lead to it."
    return f"No member of segment “{resolved.segment.name}” has this address, and no exit carries it."


def explain_rule(resolved: ResolvedSegment, outcome: FlowOutcome, uncovered: str) -> str:
    """uncovered: what the flow goes to, where the default action does not cover that."""
    if outcome.rule is None:
        if uncovered:
            return f"The default action never covers {uncovered}; a policy has to name it."
        segment = resolved.segment
        return f"No rule matches; the default action of segment “{segment.name}” is {segment.default_action}."
    verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
    return f"{capitalise(outcome.decided_by)} {verb} it."


def explain_exit(way: WayOut | None) -> str:
    """Return which policy chooses the exit, as a sentence that follows another one; empty where none does."""
    if way is None or way.policy is None or way.exit is None:
        return ""
    return f" Policy “{way.policy.name}” sends it through exit “{way.exit.connector.name}”."


def explain_share(outcome: FlowOutcome, directed_share: DirectedShare, other: ResolvedSegment) -> str:
    share = f"Share “{directed_share.share.name}” joins it with segment “{other.segment.name}”"
    if outcome.disposition == "denied_by_default":
        return f"{share}; no rule of either names the internet, and a share by itself never allows it."
    if outcome.rule is None or outcome.rule.startswith("share/"):
        return f"{share}; no rule of either segment matches, so the share allows it."
    verb = {"denied_by_rule": "denies", "delivered": "allows"}.get(outcome.disposition, "inspects")
    return f"{share}; {outcome.decided_by} {verb} it."
