"""Settings of a tenant, and of the person who is signed in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.refusals import catch_refusals
from tenants import services


@tenant_page("members")
def tenant_settings(request: PageRequest) -> HttpResponse:
    if request.method == "POST":
        services.change_settings(requires_approval="requires_approval" in request.POST)
        messages.success(request, "Saved the settings.")
        return redirect("settings", request.tenant.slug)
    return render(request, "pages/settings.html")


@tenant_page()
def profile(request: PageRequest) -> HttpResponse:
    problems = []
    if request.method == "POST":
        with catch_refusals() as outcome:
            services.change_profile(
                request.principal.user,
                name=request.POST.get("name", ""),
                mail_notifications="mail_notifications" in request.POST,
            )
        if outcome:
            messages.success(request, "Saved your profile.")
            return redirect("profile", request.tenant.slug)
        problems = outcome.problems
    context = {"person": request.principal.user, "problems": problems, "sent": request.POST}
    return render(request, "pages/profile.html", context, status=422 if problems else 200)
