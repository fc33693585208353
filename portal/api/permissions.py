"""Permissions: a view names a right, and a refusal says which right is missing."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.roles import RIGHTS


class HasRight(BasePermission):
    """``view.read_right`` and ``view.write_right`` name the right, None where being signed in is enough."""

    def has_permission(self, request: Request, view: Any) -> bool:
        http: Any = request._request
        if http.principal is None:
            return False
        if not hasattr(view, str(request.method).lower()):
            return True  # the view answers 405
        right = view.read_right if request.method in SAFE_METHODS else view.write_right
        if right is not None and right not in getattr(http, "rights", ()):
            raise missing_right(right)
        return True


def missing_right(right: str) -> PermissionDenied:
    return PermissionDenied(f"You lack the right “{right}” here: {RIGHTS[right].lower()}.", f"lacks_{right}")
