"""Route policies without a target, and what they set without effect."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.resolve.network import Network
from provisioning.core.values.resource import Problem


def check_route_policy_targets(network: Network) -> Iterator[Problem]:
    intent = network.intent
    for policy in intent.route_policies.values():
        segment = intent.segments.get(policy.segment)
        if segment is None:
            continue
        attached = network.resolved(segment.uid).local_segment.routing_table.attached
        groups = {group for _, attachments in attached for attachment in attachments for group in attachment.member_of}
        for index, uid in enumerate(policy.targets):
            path = f"route-policies/{policy.key}/targets[{index}]"
            connector, group = intent.connectors.get(uid), intent.groups.get(uid)
            if connector is not None and all(attachment.segment != segment.uid for attachment in connector.attachments):
                yield Problem(
                    "target_not_in_segment",
                    path,
                    f"Route policy “{policy.name}” is for connector “{connector.name}”, which is not attached to "
                    f"segment “{segment.name}”. Choose a connector of that segment.",
                )
            elif group is not None and uid not in groups:
                yield Problem(
                    "empty_group",
                    path,
                    f"Route policy “{policy.name}” names group “{group.name}”, which has no member in segment "
                    f"“{segment.name}”. Nothing is filtered until a connector joins it there.",
                    "warning",
                )


def check_attributes_without_effect(network: Network) -> Iterator[Problem]:
    """Warn about what rules set on routes and nobody sees, as long as nothing speaks BGP."""
    policies = [policy for policy in network.intent.route_policies.values() if policy.enabled]
    matched = {community for policy in policies for rule in policy.rules for community in rule.match.communities}
    for policy in policies:
        for index, rule in enumerate(policy.rules):
            unmatched = [community for community in rule.set.communities if community not in matched]
            parts = [
                *(["the prepended AS number"] if rule.set.prepend else ()),
                *(["the MED"] if rule.set.med is not None else ()),
                *(["the local preference"] if rule.set.local_preference is not None else ()),
                *([f"what no route policy matches ({', '.join(unmatched)})"] if unmatched else ()),
            ]
            if parts:
                yield Problem(
                    "not_in_effect",
                    f"route-policies/{policy.key}/rules[{index}].set",
                    f"Of what rule {index + 1} of route policy “{policy.name}” sets on routes, {', '.join(parts)} is "
                    "kept, but not in effect: no BGP session is opened yet. Nothing is to be done; peers will be told "
                    "once there is one.",
                    "warning",
                )
