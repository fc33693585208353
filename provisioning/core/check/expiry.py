"""What ends by itself: warned of in its last days and from then on, and never removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from provisioning.core.intent import Assertion, Intent
from provisioning.core.values.resource import Problem

WARNED_BEFORE = timedelta(days=14)


def check_expiry(intent: Intent, today: date) -> Iterator[Problem]:
    """Warn of exceptions of assertions that end within 14 days, and of those that have ended."""
    for assertion in intent.assertions.values():
        yield from _expiring_exceptions(assertion, today)


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
