"""Refusals of services, told on a page: what happened and what to do, next to what was sent."""

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
    """Whether the service did it; `problems` as the template partials/problems.html takes them."""

    def __init__(self) -> None:
        self.problems: list[dict[str, Any]] = []

    def __bool__(self) -> bool:
        return not self.problems


@contextmanager
def catch_refusals(request: HttpRequest | None = None) -> Iterator[ServiceOutcome]:
    """Run a service or ask the core; a refusal leaves nothing behind, and becomes `outcome.problems` and, with a
    request, a message."""
    outcome = ServiceOutcome()
    try:
        with transaction.atomic():
            yield outcome
    except RequestRefused as refused:
        found = [{"path": one.path, "message": one.message, "severity": one.severity} for one in refused.problems]
        outcome.problems = found or [{"path": "", "message": refused.detail, "severity": "error"}]
    except InvalidIntent as refused:
        outcome.problems = [{"path": one.path, "message": one.message, "severity": "error"} for one in refused.problems]
    if request is not None and outcome.problems:
        messages.error(request, " ".join(problem["message"] for problem in outcome.problems))
