"""The door of a page: signed in, of this tenant, with the right. Views behind it take no slug."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from tenants.roles import RIGHTS

View = Callable[..., HttpResponseBase]


def page(right: str = "view") -> Callable[[View], View]:
    """``@page("usage")`` over ``view(request, …)`` at ``t/<slug:slug>/…``: ``request.tenant`` and
    ``request.rights`` are set (tenants.doors), its scope is open.
    Who is not signed in goes to the login, who lacks the right sees 403."""
    if right not in RIGHTS:
        raise KeyError(right)

    def door(view: View) -> View:
        @wraps(view)
        def inside(request: HttpRequest, slug: str, *args: object, **kwargs: object) -> HttpResponseBase:
            if getattr(request, "who", None) is None:
                return redirect_to_login(request.get_full_path())
            if not hasattr(request, "tenant"):
                raise Http404
            if right not in request.rights:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return inside

    return door
