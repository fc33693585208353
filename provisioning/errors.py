"""Why provisioning refused a request: one class for each status that a caller may have to tell apart."""

from __future__ import annotations

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
