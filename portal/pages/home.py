"""The start page: redirects to the tenant last visited, or lists the tenants and invitations of a person."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.pages.decorators import PageRequest
from tenants.invitations import pending_invitations

LAST_TENANT = "tenant"  # key in the session, written by the frame of every page


@login_required
def home(request: PageRequest) -> HttpResponse:
    tenants = list(request.principal.tenants()[:500])
    slugs = [tenant.slug for tenant in tenants]
    last = request.session.get(LAST_TENANT)
    invitations = list(pending_invitations(request.principal.user))
    if "choose" not in request.GET and not invitations and (last in slugs or len(slugs) == 1):
        return redirect("topology", last if last in slugs else slugs[0])
    return render(request, "pages/home.html", {"tenants": tenants, "invitations": invitations})
