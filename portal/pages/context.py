"""What every page's frame needs, as the one context variable `shell`.

    shell.tenant     {slug, name, by, url} or None outside a tenant
    shell.tenants    the tenants this person may switch to: [{slug, name, by, url, here}]
    shell.nav        [(group, [Link])]
    shell.drafts     open drafts, newest first: [{name, url, review_url, author, edits, base_revision, updated}]
    shell.draft      the one in the bar: the page's own, or the newest of this person, or None
    shell.lab        whether a lab answers in place of clouds here
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal.pages import nav


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request: HttpRequest) -> dict[str, Any]:
    tenant = getattr(request, "tenant", None)
    at = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "tenant": tenant,
        "tenants": [],
        "nav": nav.groups(tenant.slug, at or "") if tenant else [],
        "drafts": [],
        "draft": None,
        "lab": bool(settings.LAB_STATE),
    }
