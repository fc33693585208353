"""Why something was refused, told so that a person can act; doors turn these into answers (API: problem documents)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioning.core.values.resource import Problem


class RequestRefused(Exception):
    """Nothing was changed. ``problems`` say where and what to do, ``more`` is told beside them."""

    kind = "refused"  # the last word of a problem document's type
    status = 409
    title = "That cannot be done now"

    def __init__(self, detail: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(detail)
        self.detail, self.problems = detail, tuple(problems)
        self.more: dict[str, Any] = {}


class ValidationFailed(RequestRefused):
    kind = "invalid"
    status = 422
    title = "The network would be invalid"


class InvalidQuery(RequestRefused):
    """The question itself is wrong: a cursor, a filter or an ordering there is not."""

    kind = "unreadable"
    status = 400
    title = "That cannot be asked"


class StateConflict(RequestRefused):
    """The state does not allow it: a draft that is closed, a stale plan, another run going, something in use."""

    kind = "conflict"


class PreconditionFailed(RequestRefused):
    kind = "changed"
    status = 412
    title = "It has changed since you read it"


class ObjectNotFound(RequestRefused):
    kind = "missing"
    status = 404
    title = "Not found"


class Forbidden(RequestRefused):
    kind = "forbidden"
    status = 403
    title = "Not allowed"
