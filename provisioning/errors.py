"""Why provisioning refused a request: one class for each status that a caller may have to tell apart."""

from __future__ import annotations

from datetime import datetime

from tenants.errors import RequestRefused


class ValidationFailed(RequestRefused):
    kind = "invalid"
    status = 422
    title = "The network would be invalid"


class InvalidQuery(RequestRefused):
    """The query itself is wrong: it names a cursor, a filter or an ordering that does not exist."""

    kind = "unreadable"
    status = 400
    title = "That cannot be asked"


class StateConflict(RequestRefused):
    """The state does not allow it: a closed draft, a stale plan, another run that goes on, an object in use."""

    kind = "conflict"


class PreconditionFailed(RequestRefused):
    """Somebody else was quicker; ``by`` (an e-mail address) and ``at`` say who and when, where that is known."""

    kind = "changed"
    status = 412
    title = "It has changed since you read it"

    def __init__(self, what: str, by: str = "", at: datetime | None = None) -> None:
        who = f" by {by}" if by else ""
        super().__init__(f"{what} was changed{who} since you read it. Read it again and repeat your change.")
        self.extra = {"changed_by": by or None, "changed_at": at and at.isoformat()}


class ObjectNotFound(RequestRefused):
    kind = "missing"
    status = 404
    title = "Not found"


class Forbidden(RequestRefused):
    kind = "forbidden"
    status = 403
    title = "Not allowed"
