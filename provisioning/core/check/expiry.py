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
        if rule.until is None or rule.mode == "disabled" or rule.until - today > WARNED_BEFORE:
            continue
        path = f"policies/{policy.key}/rules[{index}].until"
        about = f"Rule “{rule.name}” of policy “{policy.name}”"
        if rule.until < today:
            message = f"{about} should have gone after {rule.until} and still holds. Remove it, or set a later day."
            yield Problem("expired", path, message, "warning")
        else:
            message = f"{about} should go after {rule.until}. Plan its removal, or set a later day."
            yield Problem("expires_soon", path, message, "warning")


def _expiring_exceptions(assertion: Assertion, today: date) -> Iterator[Problem]:
    for index, exception in enumerate(assertion.except_):
        if exception.until - today > WARNED_BEFORE:
            continue
        path = f"assertions/{assertion.key}/except[{index}].until"
        about = f"An exception of assertion “{assertion.name}” ({exception.reason})"
        if exception.until < today:
            message = f"{about} ended on {exception.until} and excuses nothing any more. Remove it, or set a later day."
            yield Problem("expired", path, message, "warning")
        else:
            message = f"{about} ends on {exception.until}. Set a later day, or change the network until then."
            yield Problem("expires_soon", path, message, "warning")
