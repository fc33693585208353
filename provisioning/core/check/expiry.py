"""What ends by itself: warned of in its last days and from then on, and never removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from provisioning.core.intent import Assertion, Intent, Policy
from provisioning.core.values.resource import Problem

WARNED_BEFORE = timedelta(days=14)


def check_expiry(intent: Intent, today: date) -> Iterator[Problem]:
    """Warn of rules and exceptions of assertions whose last day is within 14 days, or has passed."""
    for policy in intent.policies.values():
        yield from _expiring_rules(policy, today)
    for assertion in intent.assertions.values():
        yield from _expiring_exceptions(assertion, today)


def _expiring_rules(policy: Policy, today: date) -> Iterator[Problem]:
    for index, rule in enumerate(policy.rules):
        if rule.until is None or rule.mode == "disabled":
            continue
        about = f"Rule “{rule.name}” of policy “{policy.name}”"
        yield from _expiry_warning(
            f"policies/{policy.key}/rules[{index}].until",
            (rule.until, today),
            f"{about} should go after {rule.until}. Plan its removal, or set a later day.",
            f"{about} should have gone after {rule.until} and still holds. Remove it, or set a later day.",
        )


def _expiring_exceptions(assertion: Assertion, today: date) -> Iterator[Problem]:
    for index, exception in enumerate(assertion.except_):
        about = f"An exception of assertion “{assertion.name}” ({exception.reason})"
        yield from _expiry_warning(
            f"assertions/{assertion.key}/except[{index}].until",
            (exception.until, today),
            f"{about} ends on {exception.until}. Set a later day, or change the network until then.",
            f"{about} ended on {exception.until} and excuses nothing any more. Remove it, or set a later day.",
        )


def _expiry_warning(path: str, days: tuple[date, date], soon: str, ended: str) -> Iterator[Problem]:
    """Yield the warning that is due, if one is. ``days``: the last day, and today."""
    until, today = days
    if until < today:
        yield Problem("expired", path, ended, "warning")
    elif until - today <= WARNED_BEFORE:
        yield Problem("expires_soon", path, soon, "warning")
