"""API tokens of a tenant: created here, shown once, revoked here."""

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


@tenant_page("tokens")
def tokens(request: PageRequest) -> HttpResponse:
    new_token, secret, problems = None, "", []
    if request.method == "POST":
        days = request.POST.get("days", "")
        expires_at = timezone.now() + timedelta(days=int(days)) if days in LIFETIMES and days else None
        name = request.POST.get("name", "").strip()
        with catch_refusals() as outcome:
            new_token, secret = services.issue_token(
                request.principal, name, request.POST.getlist("scopes"), expires_at
            )
        problems = outcome.problems
    now = timezone.now()
    context = {
        "tokens": [{"token": token, "state": _token_state(token, now)} for token in _visible_tokens(request)],
        "all": "members" in request.rights,
        "new_token": new_token,
        "secret": secret,
        "problems": problems,
        "rights": [(right, word) for right, word in RIGHTS.items() if right in request.rights],
        "lifetimes": LIFETIMES.items(),
    }
    part = "#tokens" if request.headers.get("HX-Request") else ""
    return render(request, f"pages/tokens.html{part}", context)


@require_POST
@tenant_page("tokens")
def revoke(request: PageRequest, uid: UUID) -> HttpResponse:
    token = get_object_or_404(_visible_tokens(request), uid=uid)
    services.revoke_token(request.principal, token)
    messages.success(request, f"Revoked {token.name}. Requests with this token are refused from now on.")
    return redirect("tokens", request.tenant.slug)


def _visible_tokens(request: PageRequest) -> QuerySet[ApiToken]:
    """Return a person's own tokens; those of everybody for who manages members."""
    rows = ApiToken.objects.select_related("user").filter(tenant=request.tenant).order_by("-created_at")
    return rows if "members" in request.rights else rows.filter(user=request.principal.user)


def _token_state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= now else "active"
