"""Times on pages are in the zone of who reads them; the API answers and reads UTC."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.utils import timezone

from tenants.middleware import API_PREFIX, GetResponse, TenantRequest
from tenants.preferences import time_zone_of


class TimeZoneMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: TenantRequest) -> HttpResponseBase:
        if request.principal is None or request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        with timezone.override(time_zone_of(request.principal.user, getattr(request, "tenant", None))):
            return self.get_response(request)
