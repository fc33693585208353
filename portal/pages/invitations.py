"""Answering an invitation: signed in, from the start page; without a password yet, by the link of the mail."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.pages.decorators import PageRequest
from portal.pages.refusals import catch_refusals
from tenants.invitations import answer_invitation, find_invitation, pending_invitations
from tenants.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of a mail's link. Who has a password signs in and answers on the start page."""
    membership = find_invitation(token)
    if membership is None:
        return render(request, "pages/invitation.html", {"membership": None}, status=404)
    if membership.user.has_usable_password():
        return redirect("/?choose=1")
    form = SetPasswordForm(membership.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            membership.user.name = request.POST.get("name", "").strip()[:120]
            user: User = form.save()
            answer_invitation(user, membership, accept=True)
        login(request, user, BACKEND)
        assert membership.tenant is not None
        return redirect("topology", membership.tenant.slug)
    return render(request, "pages/invitation.html", {"membership": membership, "form": form})


@require_POST
@login_required
def answer(request: PageRequest, uid: UUID) -> HttpResponse:
    """Accept, or with ``decline`` decline, an invitation from the start page."""
    user, accept = request.principal.user, "decline" not in request.POST
    membership = get_object_or_404(pending_invitations(user), uid=uid)
    with catch_refusals(request) as outcome:
        answer_invitation(user, membership, accept=accept)
    assert membership.tenant is not None
    if outcome and accept:
        return redirect("topology", membership.tenant.slug)
    if outcome:
        messages.success(request, f"You declined the invitation of {membership.tenant.name}.")
    return redirect("/?choose=1")
