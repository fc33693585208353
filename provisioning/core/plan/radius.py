"""Blast radius: how much of the network a plan touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from provisioning.core.intent import ANY, INTERNET, Intent, Policy
from provisioning.core.resource import Change

COUNTED = ("exchanges", "segments", "connectors", "services")


def blast_radius(changes: Sequence[Change], before: Intent, after: Intent) -> dict[str, Any]:
    """``{"actions": {action: n}, "exchanges": {"touched": [names], "total": n}, …}`` for what is counted.

    A connector is touched when its own resources change or a policy that names it (or its group) does.
    """
    touched = {uid for change in changes for uid in change.subjects} if changes else set()
    touched |= _policy_ends(before, after)
    radius: dict[str, Any] = {"actions": dict(sorted(Counter(change.action for change in changes).items()))}
    for kind in COUNTED:
        both = {**before.of(kind), **after.of(kind)}
        radius[kind] = {
            "touched": sorted(item.name for uid, item in both.items() if uid in touched),
            "total": len(both),
        }
    return radius


def _policy_ends(before: Intent, after: Intent) -> set[str]:
    """Connectors that a policy which came, went or changed is about."""
    found: set[str] = set()
    for uid in {**before.policies, **after.policies}:
        old, new = before.policies.get(uid), after.policies.get(uid)
        if old != new:
            for intent, policy in ((before, old), (after, new)):
                if policy is not None:
                    found |= _ends(intent, policy)
    return found


def _ends(intent: Intent, policy: Policy) -> set[str]:
    named = {*policy.from_, *policy.to} - {INTERNET}
    return {
        connector.uid
        for connector in intent.connectors.values()
        for attachment in connector.attachments
        if attachment.segment in policy.segments
        and (ANY in named or connector.uid in named or attachment.group in named)
    }
