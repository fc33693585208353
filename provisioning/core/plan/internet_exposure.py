"""What a plan newly opens towards the internet, or from it."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.core.intent import INTERNET, Intent, InternetApp, Policy, Rule
from provisioning.core.values.resource import Problem

Opening = tuple[str, str, tuple[object, ...]]
"""From, to, and the match of what is let through."""


def internet_exposure_warnings(before: Intent, after: Intent) -> Iterator[Problem]:
    """Yield rules that newly let something out to the internet or in from it, and applications with a new target."""
    existing = {opening for policy in before.policies.values() for opening in _openings(policy)}
    for policy in after.policies.values():
        if before.policies.get(policy.uid) is policy:
            continue
        for index, rule in enumerate(policy.rules):
            for start, end, matched in _openings(policy, rule):
                # From the internet only applications are reached, whatever else a policy names.
                if (start, end, matched) not in existing and (start != INTERNET or end in after.internet_apps):
                    match = str(rule.protocol) + (f" {', '.join(rule.ports)}" if rule.ports else "")
                    yield Problem(
                        "internet_exposure",
                        f"policies/{policy.key}/rules[{index}]",
                        f"Rule “{rule.name}” of policy “{policy.name}” opens {after.label(start)} → "
                        f"{_endpoint_label(after, end)} ({match}).",
                        "warning",
                    )
    yield from _moved_applications(before, after)


def _endpoint_label(intent: Intent, uid: str) -> str:
    app = intent.internet_apps.get(uid)
    return f"{intent.label(uid)} ({_target_label(intent, app)})" if app else intent.label(uid)


def _target_label(intent: Intent, app: InternetApp) -> str:
    return f"{', '.join(app.target.addresses)} port {app.target.port} of {intent.label(app.target.connector)}"


def _openings(policy: Policy, *only: Rule) -> Iterator[Opening]:
    if not policy.enabled or INTERNET not in (*policy.from_, *policy.to):
        return
    for rule in only or policy.rules:
        if rule.action in ("allow", "inspect") and rule.decides:
            matched = (policy.segments, rule.protocol, rule.ports, rule.source, rule.destination)
            for start in policy.from_:
                for end in policy.to:
                    if INTERNET in (start, end):
                        yield start, end, matched


def _moved_applications(before: Intent, after: Intent) -> Iterator[Problem]:
    """Yield applications whose target changes while a rule lets the internet reach them."""
    reached = {
        end
        for intent in (before, after)
        for policy in intent.policies.values()
        for start, end, _ in _openings(policy)
        if start == INTERNET
    }
    for uid, app in after.internet_apps.items():
        previous = before.internet_apps.get(uid)
        if uid not in reached or previous is None:
            continue
        if (previous.target, previous.public_ip, previous.port) != (app.target, app.public_ip, app.port):
            yield Problem(
                "internet_exposure",
                f"internet-apps/{app.key}",
                f"Internet application “{app.name}” would lead to {_target_label(after, app)} from port {app.port}.",
                "warning",
            )
