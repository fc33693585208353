"""Which pages may open a live socket: a session's cookie travels by itself, so the page's origin counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host


class SameOriginValidator:
    """Deny a socket of a page that has not the address people use (PUBLIC_URL) nor the very host and port it asks."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_ours = is_own_origin({name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())})
        await (self.application if is_ours else WebsocketDenier())(scope, receive, send)


def is_own_origin(headers: Mapping[bytes, str]) -> bool:
    """Return whether the Origin header names PUBLIC_URL's origin, or a host that we answer to and the request's own."""
    origin, host = urlsplit(headers.get(b"origin", "")), headers.get(b"host", "")
    public = urlsplit(settings.PUBLIC_URL)
    if (origin.scheme, origin.netloc) == (public.scheme, public.netloc):
        return True
    same_host = origin.scheme in ("http", "https") and origin.netloc.lower() == host.lower() != ""
    return same_host and validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
