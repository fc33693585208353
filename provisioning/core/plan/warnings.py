"""What a person should look at twice before pressing Provision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provisioning.core.intent import INTERNET, Intent, Policy, Rule
from provisioning.core.resource import Change, Problem

LARGE_SHARE = 0.3
LARGE_COUNT = 3
GATEWAYS = ("aws.transit-gateway", "aws.customer-gateway", "aws.vpn-connection")


def unsafe(changes: Sequence[Change], before: Intent, after: Intent) -> list[Problem]:
    """Warnings on large deletes, replaced or removed gateways, internet exposure and services without instances."""
    return [
        *_large_deletes(before, after),
        *_gateways(changes),
        *_exposure(before, after),
        *_without_instances(after),
    ]


def _warning(code: str, path: str, message: str) -> Problem:
    return Problem(code, path, message, "warning")


def _large_deletes(before: Intent, after: Intent) -> Iterator[Problem]:
    for kind in ("connectors", "exchanges", "segments"):
        had, has = before.of(kind), after.of(kind)
        gone = [had[uid].name for uid in had if uid not in has]
        if len(gone) >= LARGE_COUNT and len(gone) > LARGE_SHARE * len(had):
            names = ", ".join(gone[:5]) + (" …" if len(gone) > 5 else "")
            yield _warning("large_delete", kind, f"{len(gone)} of {len(had)} {kind} would be removed: {names}.")


def _gateways(changes: Sequence[Change]) -> Iterator[Problem]:
    for change in changes:
        if change.kind in GATEWAYS and change.action == "replace":
            yield _warning(
                "gateway_replaced",
                change.address,
                f"{change.address} would be replaced. Traffic through it stops until the new one is up.",
            )
        elif change.kind == "aws.transit-gateway" and change.action == "remove":
            yield _warning("gateway_removed", change.address, f"{change.address} would be removed for good.")


def _exposure(before: Intent, after: Intent) -> Iterator[Problem]:
    """Rules that newly let something out to the internet or in from it."""
    held = {opening for policy in before.policies.values() for opening in _openings(policy)}
    for policy in after.policies.values():
        for place, rule in enumerate(policy.rules):
            for opening in _openings(policy, rule):
                if opening not in held:
                    what = str(rule.protocol) + (f" {', '.join(rule.ports)}" if rule.ports else "")
                    start, end = after.label(opening[0]), after.label(opening[1])
                    yield _warning(
                        "internet_exposure",
                        f"policies/{policy.key}/rules[{place}]",
                        f"Rule “{rule.name}” of policy “{policy.name}” opens {start} → {end} ({what}).",
                    )


def _openings(policy: Policy, *only: Rule) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    if not policy.enabled:
        return
    for rule in only or policy.rules:
        if rule.action in ("allow", "inspect"):
            matched = (policy.segments, rule.protocol, rule.ports, rule.source, rule.destination)
            for start in policy.from_:
                for end in policy.to:
                    if INTERNET in (start, end):
                        yield start, end, matched


def _without_instances(after: Intent) -> Iterator[Problem]:
    used: dict[str, str] = {}
    for policy in after.policies.values():
        if policy.enabled:
            for rule in policy.rules:
                for uid in rule.services:
                    used.setdefault(uid, policy.name)
    for uid, policy_name in used.items():
        service = after.services.get(uid)
        if service and not service.instances:
            fate = "passes without inspection" if service.on_failure == "open" else "is dropped"
            yield _warning(
                "service_without_instances",
                f"services/{service.key}/placements",
                f"Service “{service.name}” would run no instance; what policy “{policy_name}” sends to it {fate}.",
            )
