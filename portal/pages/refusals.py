"""Refusals of services on a page: what happened and what to do, next to what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest

from provisioning.core.intent import InvalidIntent
from tenants.errors import RequestRefused


class ServiceOutcome:
    """True when the service succeeded; else ``problems`` for the template partials/problems.html."""

    def __init__(self) -> None:
        self.problems: list[dict[str, Any]] = []

    def __bool__(self) -> bool:
        return not self.problems


@contextmanager
def catch_refusals(request: HttpRequest | None = None) -> Iterator[ServiceOutcome]:
    """Run a service in a transaction that a refusal rolls back.

    The refusal becomes ``outcome.problems`` and, with a request, a message.
    """
    outcome = ServiceOutcome()
    try:
        with transaction.atomic():
            yield outcome
    except RequestRefused as refused:
        problems = [
            {"path": reason.path, "message": reason.message, "severity": reason.severity} for reason in refused.problems
        ]
        outcome.problems = problems or [{"path": "", "message": refused.detail, "severity": "error"}]
    except InvalidIntent as refused:
        outcome.problems = [
            {"path": reason.path, "message": reason.message, "severity": "error"} for reason in refused.problems
        ]
    if request is not None and outcome.problems:
        messages.error(request, " ".join(problem["message"] for problem in outcome.problems))
