"""The one context variable of every page's frame, ``shell``.

shell.tenant      the tenant (tenants.models.Tenant), None outside one
shell.by          the name of the MSP that runs it, or ""
shell.tenants     the tenants this person may switch to: [{slug, name, by, url, is_current}]
shell.nav         [(group, [Link])]
shell.drafts      open drafts, newest first (portal/pages/draft_bar.py)
shell.draft       the one in the bar: the page's own (request.draft_uid), else the person's newest, or None
shell.unread      how many notifications this person has not read
shell.design_url  the list of drafts
shell.kind_words  kind of object → what one of it is called, for scripts
shell.has_mails   outside a tenant: whether mails are files that this visitor may read
shell.lab         whether a lab answers in place of clouds here
"""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from portal.pages import mails, nav
from portal.pages.decorators import PageRequest
from portal.pages.draft_bar import open_drafts, shown_draft
from portal.pages.home import LAST_TENANT
from provisioning.core.intent import KINDS, kind_word
from tenants.models import Tenant
from tenants.notifications import unread_count

MAX_SWITCHER_TENANTS = 200  # more are found by searching the start page


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": SimpleLazyObject(lambda: _build_shell(request))}


def _build_shell(request: HttpRequest) -> dict[str, Any]:
    if not hasattr(request, "tenant"):
        return {"tenant": None, "nav": [], "lab": bool(settings.LAB_STATE), "has_mails": mails.are_kept_here(request)}
    return _tenant_shell(cast(PageRequest, request))


def _tenant_shell(request: PageRequest) -> dict[str, Any]:
    tenant = request.tenant
    if request.session.get(LAST_TENANT) != tenant.slug:
        request.session[LAST_TENANT] = tenant.slug
    url_name = request.resolver_match.url_name if request.resolver_match else ""
    drafts = open_drafts(tenant, request.principal.user.email) if "edit" in request.rights else []
    return {
        "tenant": tenant,
        "by": tenant.msp.name if tenant.msp else "",
        "tenants": [_tenant_choice(choice, tenant) for choice in request.principal.tenants()[:MAX_SWITCHER_TENANTS]],
        "nav": nav.nav_groups(tenant.slug, url_name or "", request.rights),
        "drafts": drafts,
        "draft": shown_draft(drafts, str(getattr(request, "draft_uid", ""))),
        "unread": unread_count(request.principal.user),
        "design_url": reverse("design", args=[tenant.slug]),
        "kind_words": {kind: kind_word(kind) for kind in KINDS},
        "lab": bool(settings.LAB_STATE),
    }


def _tenant_choice(tenant: Tenant, current: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "by": tenant.msp.name if tenant.msp else "",
        "url": reverse("topology", args=[tenant.slug]),
        "is_current": tenant.pk == current.pk,
    }
