"""A plain form names the state that it was rendered from in ``if_match``, as scripts do in If-Match."""

from __future__ import annotations

from django.http import HttpRequest

from portal.api.etags import entity_tag
from provisioning.errors import PreconditionFailed
from tenants import audit


def check_form_etag(request: HttpRequest, state: object, what: str, kind: str, uid: object) -> None:
    """Raise PreconditionFailed where the form was rendered from another state than ``state``, or names none.

    ``what`` is the thing as it is now, in words; ``kind`` and ``uid`` are those of its entries in the audit log.
    """
    if request.POST.get("if_match") != entity_tag(state):
        last = audit.last_entry(kind, str(uid))
        raise PreconditionFailed(what, *((last.actor, last.at) if last else ()))
