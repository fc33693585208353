"""The draft bar alone; pages fetch it again when a draft has changed anywhere."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from portal.pages.decorators import PageRequest, tenant_page


@tenant_page("edit")
def bar(request: PageRequest) -> HttpResponse:
    """``?draft=`` is the draft the page is about; ``&quiet`` means the page has a primary button of its own."""
    with suppress(ValueError):  # no draft was open when the page was rendered: the newest is shown
        request.draft_uid = UUID(request.GET.get("draft", ""))
    return render(request, "partials/draft_bar.html", {"no_primary": "quiet" in request.GET})
