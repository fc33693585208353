"""The ASGI application: Django for HTTP, Channels for the live socket."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
http = get_asgi_application()

# Only now that Django is set up can models be imported.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from portal.live import Live, bearer  # noqa: E402

sockets: Any = URLRouter([path("ws/t/<slug:slug>/", Live.as_asgi()), re_path("", WebsocketDenier.as_asgi())])
browsers: Any = AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """A session's cookie travels by itself, so its origin counts; a token has to be sent on purpose."""
    await (browsers if bearer(scope) is None else sockets)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
