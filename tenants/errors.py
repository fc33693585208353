"""Why a request was refused, said so that a person can act. The base of every refusal: the API turns them into problem
documents (portal/api/problems.py), pages into messages (portal/pages/refusals.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class RequestRefused(Exception):
    """Nothing was changed. ``extra`` are further members of a problem document.

    Each of ``problems`` has a stable ``code``, a ``path`` into what was sent, a ``message`` that says what to do, and a
    ``severity``: a FieldProblem, or a Problem of provisioning.core.
    ``kind`` is the last word of the document's type; without ``kind`` and ``title`` they follow from ``status``.
    """

    kind = "refused"
    status = 409
    title = "That cannot be done now"

    def __init__(self, detail: str, problems: Iterable[Any] = ()) -> None:
        super().__init__(detail)
        self.detail, self.problems = detail, tuple(problems)
        self.extra: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    code: str
    path: str
    message: str
    severity: str = "error"


class TenantRequestRefused(RequestRefused):
    """What was asked of a tenant, a member or a token is refused because of one field."""

    kind = title = ""

    def __init__(self, status: int, code: str, path: str, detail: str) -> None:
        super().__init__(detail, [FieldProblem(code, path, detail)])
        self.status = status
