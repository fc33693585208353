"""The inbox of a person in a tenant: what they were told, the newest first."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render

from portal.pages.decorators import PageRequest, tenant_page
from tenants.notifications import inbox_of, mark_all_read

MAX_ROWS = 100


@tenant_page()
def inbox(request: PageRequest) -> HttpResponse:
    if request.method == "POST":
        mark_all_read(request.principal.user)
        return redirect("inbox", request.tenant.slug)
    rows = inbox_of(request.principal.user)[:MAX_ROWS]
    notifications = [(row, f"/t/{request.tenant.slug}/{row.path}") for row in rows]
    return render(request, "pages/inbox.html", {"notifications": notifications})
