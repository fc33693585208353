"""Warnings of a plan: what a person should look at twice before provisioning it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from provisioning.core.intent import Intent, ShareSide
from provisioning.core.plan.internet_exposure import internet_exposure_warnings
from provisioning.core.reach.delta import ReachabilityDelta
from provisioning.core.values.resource import Action, Change, Problem

LARGE_DELETE_RATIO = 0.3
LARGE_DELETE_COUNT = 3


def plan_warnings(
    changes: Sequence[Change],
    before: Intent,
    after: Intent,
    delta: ReachabilityDelta,
    gateway_actions: Mapping[str, Set[Action]],
) -> list[Problem]:
    """Return warnings on large deletes, replaced or removed gateways, what is opened (the internet, a segment),
    services without instances, and shares or translations that somebody still uses.

    ``gateway_actions``: kind of cloud resource → actions that interrupt traffic, as the clouds declare them.
    """
    return [
        *_large_deletes(before, after),
        *_gateway_changes(changes, gateway_actions),
        *internet_exposure_warnings(after, delta.allowed),
        *_opened_segments(before, after),
        *_services_without_instances(after),
        *_removed_shares(before, after),
        *_removed_nat_rules(before, after),
    ]


def _warning(code: str, path: str, message: str) -> Problem:
    return Problem(code, path, message, "warning")


def _large_deletes(before: Intent, after: Intent) -> Iterator[Problem]:
    for kind in ("connectors", "exchanges", "segments"):
        existing, remaining = before.of(kind), after.of(kind)
        removed = [existing[uid].name for uid in existing if uid not in remaining]
        if len(removed) >= LARGE_DELETE_COUNT and len(removed) > LARGE_DELETE_RATIO * len(existing):
            names = ", ".join(removed[:5]) + (" …" if len(removed) > 5 else "")
            message = f"{len(removed)} of {len(existing)} {kind} would be removed: {names}."
            yield _warning("large_delete", kind, message)


def _gateway_changes(changes: Sequence[Change], gateway_actions: Mapping[str, Set[Action]]) -> Iterator[Problem]:
    for change in changes:
        if change.action not in gateway_actions.get(change.kind, ()):
            continue
        if change.action == "replace":
            yield _warning(
                "gateway_replaced",
                change.address,
                f"{change.address} would be replaced. Traffic through it stops until the new one is up.",
            )
        else:
            yield _warning("gateway_removed", change.address, f"{change.address} would be removed for good.")


def _opened_segments(before: Intent, after: Intent) -> Iterator[Problem]:
    for uid, segment in after.segments.items():
        previous = before.segments.get(uid)
        if previous and previous.default_action == "deny" and segment.default_action == "allow":
            yield _warning(
                "default_action_allow",
                f"segments/{segment.key}/default_action",
                f"Segment “{segment.name}” would allow by default: what no policy denies would pass between members.",
            )


def _services_without_instances(after: Intent) -> Iterator[Problem]:
    user_of_service: dict[str, str] = {}
    for policy in after.policies.values():
        for rule in policy.rules if policy.enabled else ():
            for uid in rule.services:
                user_of_service.setdefault(uid, f"policy “{policy.name}”")
    for share in after.shares.values():
        for uid in share.services:
            user_of_service.setdefault(uid, f"share “{share.name}”")
    for uid, user in user_of_service.items():
        service = after.services.get(uid)
        if service and not service.instances:
            fate = "passes without inspection" if service.on_failure == "open" else "is dropped"
            yield _warning(
                "service_without_instances",
                f"services/{service.key}/placements",
                f"Service “{service.name}” would run no instance; what {user} sends to it {fate}.",
            )


def _removed_shares(before: Intent, after: Intent) -> Iterator[Problem]:
    for uid, share in before.shares.items():
        if uid not in after.shares and all(_is_used(after, side) for _, side in share.sides):
            side_a, side_b = (after.segments[side.segment].name for _, side in share.sides)
            yield _warning(
                "share_removed",
                f"shares/{share.key}",
                f"Share “{share.name}” would be removed while both sides are there; what passes between “{side_a}” and "
                f"“{side_b}” through it is cut.",
            )


def _is_used(intent: Intent, side: ShareSide) -> bool:
    """Whether a connector is still attached to a side of a share."""
    return any(
        attachment.segment == side.segment and (side.prefixes or not set(attachment.member_of).isdisjoint(side.groups))
        for connector in intent.connectors.values()
        if connector.enabled
        for attachment in connector.attachments
    )


def _removed_nat_rules(before: Intent, after: Intent) -> Iterator[Problem]:
    for uid, rule in before.nat_rules.items():
        new_rule, connector = after.nat_rules.get(uid), after.connectors.get(rule.connector)
        if not rule.enabled or (new_rule and new_rule.enabled) or connector is None or not connector.enabled:
            continue
        if any(attachment.segment == rule.segment for attachment in connector.attachments):
            effect = (
                "its own addresses are seen instead of the translated ones"
                if rule.direction == "outbound"
                else "what was translated no longer gets in"
            )
            yield _warning(
                "nat_removed",
                f"nat-rules/{rule.key}",
                f"NAT rule “{rule.name}” would go while “{connector.name}” stays; {effect}.",
            )
