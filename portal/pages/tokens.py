"""API tokens for a tenant: made here, shown once, revoked here."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.refusals import catch_refusals
from tenants import services
from tenants.models import ApiToken
from tenants.roles import RIGHTS

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year", "": "Until revoked"}


@tenant_page("view")
def tokens(request: PageRequest) -> HttpResponse:
    made, secret, problems = None, "", []
    if request.method == "POST":
        days = request.POST.get("days", "")
        ends = timezone.now() + timedelta(days=int(days)) if days in LIFETIMES and days else None
        name = request.POST.get("name", "").strip()
        with catch_refusals() as done:
            made, secret = services.issue_token(request.principal, name, request.POST.getlist("scopes"), ends)
        problems = done.problems
    now = timezone.now()
    context = {
        "tokens": [{"token": token, "state": _token_state(token, now)} for token in _visible_tokens(request)],
        "all": "members" in request.rights,
        "made": made,
        "secret": secret,
        "problems": problems,
        "rights": [(right, word) for right, word in RIGHTS.items() if right in request.rights],
        "lasts": LIFETIMES.items(),
    }
    part = "#tokens" if request.headers.get("HX-Request") else ""
    return render(request, f"pages/tokens.html{part}", context)


@require_POST
@tenant_page("view")
def revoke(request: PageRequest, uid: UUID) -> HttpResponse:
    token = get_object_or_404(_visible_tokens(request), uid=uid)
    services.revoke_token(token)
    messages.success(request, f"Revoked {token.name}. What used it is refused from now on.")
    return redirect("tokens", request.tenant.slug)


def _visible_tokens(request: PageRequest) -> QuerySet[ApiToken]:
    """One's own; who manages members sees everybody's."""
    found = ApiToken.objects.select_related("user").filter(tenant=request.tenant).order_by("-created_at")
    return found if "members" in request.rights else found.filter(user=request.principal.user)


def _token_state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= now else "active"
