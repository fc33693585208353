"""The ASGI application: Django for HTTP, Channels for the live socket."""

import os
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django = get_asgi_application()
call_command("check", tags=["environment"])  # a missing or wrong setting ends the process and says what to set

# Only now that Django is set up can models be imported.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from portal.agent_wait import DocumentWait  # noqa: E402
from portal.live_updates import LiveConsumer, bearer_token  # noqa: E402
from portal.socket_origin import SameOriginValidator  # noqa: E402
from provisioning.process_start import tune_garbage_collection  # noqa: E402

websocket_urls: Any = URLRouter(
    [path("ws/t/<slug:slug>/", LiveConsumer.as_asgi()), re_path("", WebsocketDenier.as_asgi())]
)
session_websocket: Any = SameOriginValidator(AuthMiddlewareStack(websocket_urls))


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """A session's cookie travels by itself, so its origin counts; a token has to be sent on purpose."""
    await (session_websocket if bearer_token(scope) is None else websocket_urls)(scope, receive, send)


application = ProtocolTypeRouter({"http": DocumentWait(django), "websocket": websocket})
tune_garbage_collection()
