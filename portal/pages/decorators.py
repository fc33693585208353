"""The decorator of a tenant's pages: who may see them. Decorated views take no slug."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from provisioning.errors import ObjectNotFound
from provisioning.models import Draft
from tenants.models import Tenant
from tenants.principal import Principal
from tenants.roles import RIGHTS


class DraftDiscarded(Exception):
    """The draft that a page is about was discarded."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.name)
        self.draft = draft


class PageRequest(HttpRequest):
    """A request of a decorated view, with what tenants.middleware wrote into it."""

    principal: Principal
    tenant: Tenant
    rights: frozenset[str]
    htmx: HtmxDetails
    draft_uid: UUID  # a page about one draft says so, and the bar shows that one


PageViewFunction = Callable[..., HttpResponseBase]


def tenant_page(right: str = "view") -> Callable[[PageViewFunction], PageViewFunction]:
    """Decorate a view at ``t/<slug:slug>/…`` so that only people with a right in that tenant see it.

    ``@tenant_page("usage")`` goes over ``view(request, …)``. The tenant's scope is open, and ``request.tenant`` and
    ``request.rights`` are set. Who is not signed in is sent to sign in; a stranger to the tenant sees 404, who lacks
    the right sees 403. What is missing in the tenant is a 404 with its navigation, and a page about a discarded draft
    leads to Design.
    """
    if right not in RIGHTS:
        raise KeyError(right)

    def decorator(view: PageViewFunction) -> PageViewFunction:
        @wraps(view)
        def wrapper(request: HttpRequest, slug: str, *args: object, **kwargs: object) -> HttpResponseBase:
            if getattr(request, "principal", None) is None:
                return sign_in_response(request)
            if not hasattr(request, "tenant"):
                raise Http404
            if right not in cast(PageRequest, request).rights:
                # Here, not in handlers: under ASGI those run in another thread, outside the tenant's transaction.
                return render(request, "pages/not_allowed.html", status=403)
            try:
                return view(request, *args, **kwargs)
            except ObjectNotFound as error:
                return render(request, "pages/not_found.html", {"detail": error.detail}, status=404)
            except Http404:
                return render(request, "pages/not_found.html", {"detail": ""}, status=404)
            except DraftDiscarded as error:
                return _discarded_response(cast(PageRequest, request), error.draft)

        return wrapper

    return decorator


def sign_in_response(request: HttpRequest) -> HttpResponse:
    """Return the way to sign in and back.

    A page is redirected. A fragment must not become the login form, so a script gets 401, and htmx is told to leave for
    sign-in and to come back to the page that it is on; scripts hold it back where something is half typed (sign_in.js).
    """
    htmx = cast(PageRequest, request).htmx
    if not htmx and request.headers.get("Sec-Fetch-Dest") != "empty":
        return redirect_to_login(request.get_full_path())
    response = HttpResponse("You were signed out.", status=401)
    if htmx:
        response["HX-Redirect"] = redirect_to_login(htmx.current_url_abs_path or request.get_full_path()).url
    return response


def _discarded_response(request: PageRequest, draft: Draft) -> HttpResponse:
    """Return the way to Design, which says who discarded the draft and offers to restore it; a fragment leaves too."""
    design = reverse("design", args=[request.tenant.slug], query={"discarded": str(draft.uid)})
    if not request.htmx:
        return redirect(design)
    return HttpResponse(f"The draft {draft.name} was discarded.", status=404, headers={"HX-Redirect": design})


def get_draft(request: PageRequest, uid: UUID | str) -> Draft:
    """Return the draft that the page is about and show it in the draft bar. Raise DraftDiscarded when it was."""
    try:
        draft = get_object_or_404(Draft, uid=uid)
    except ValidationError as error:
        raise Http404(f"“{uid}” is the id of no draft.") from error
    if draft.state == Draft.State.DISCARDED:
        raise DraftDiscarded(draft)
    request.draft_uid = draft.uid
    return draft


def chosen_draft(request: PageRequest) -> Draft | None:
    """Return the open draft that ``?draft=`` names, None where it names none. Raise DraftDiscarded when it was."""
    try:
        draft = get_draft(request, request.GET.get("draft", ""))
    except Http404:
        return None
    return draft if draft.state == Draft.State.OPEN else None
