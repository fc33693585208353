"""Live updates: the senders, and the WebSocket ``/ws/t/{slug}/`` (docs/api.md, “Live updates”).

A message says what changed, and the page fetches it again with the ordinary permission check; only rates carry numbers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from tenants import tokens
from tenants.middleware import find_visible_tenant
from tenants.models import User
from tenants.principal import Principal

logger = logging.getLogger(__name__)

SEND_INTERVAL = 0.1
"""Seconds between two messages of one socket: at most 10 a second."""
REAUTHORIZE_INTERVAL = 30.0
"""Seconds after which a socket's permission is checked again."""
MAX_PENDING = 100
SEND_TIMEOUT = 5.0
"""Seconds that a sender waits for Redis."""

CLOSE_UNAUTHENTICATED, CLOSE_NOT_FOUND = 4401, 4404


def send_changed(tenant: str, what: str, id: str = "", version: int | None = None) -> None:
    """Outbox handler: tell the tenant's browsers what changed. Raise ConnectionError without Redis, to be retried."""
    try:
        _send_to_tenant(tenant, {"type": "changed", "what": what, "id": id, "version": version})
    except (RedisError, TimeoutError) as error:
        raise ConnectionError(str(error)) from error


def send_rates(tenant: str, at: datetime, edges: Mapping[str, Sequence[float]]) -> None:
    """Send the bits per second of edges; a failure is logged and not retried, since newer rates follow soon."""
    rounded = {edge: [round(rate) for rate in pair] for edge, pair in edges.items()}
    try:
        _send_to_tenant(tenant, {"type": "rates", "at": at.isoformat(), "edges": rounded})
    except (RedisError, OSError) as error:
        logger.warning("live: rates of %s not sent: %s", tenant, error)


def _send_to_tenant(tenant: str, message: dict[str, Any]) -> None:
    layer: Any = get_channel_layer()
    sending = layer.group_send(tenant_group(tenant), {"type": "tenant.message", "message": message})
    asyncio.run_coroutine_threadsafe(sending, _event_loop()).result(SEND_TIMEOUT)


_event_loops: dict[int, asyncio.AbstractEventLoop] = {}
_event_loop_lock = threading.Lock()


def _event_loop() -> asyncio.AbstractEventLoop:
    """Return this process's event loop for sending, which runs in a thread of its own.

    A channel layer keeps its Redis connections for each loop, so a loop for each message would connect for each
    message. Each child of a worker starts its own.
    """
    process = os.getpid()
    with _event_loop_lock:
        if process not in _event_loops:
            _event_loops[process] = asyncio.new_event_loop()
            threading.Thread(target=_event_loops[process].run_forever, name="live", daemon=True).start()
        return _event_loops[process]


def tenant_group(tenant: str) -> str:
    return f"tenant.{tenant}"


class PendingMessages:
    """The messages that one socket has not been sent yet; only the newest about each object is kept."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, ...], dict[str, Any]] = {}
        self._has_messages = asyncio.Event()

    def put(self, message: dict[str, Any]) -> None:
        if message["type"] == "rates":
            before = self._messages.get(("rates",), {"edges": {}})
            self._messages["rates",] = {**message, "edges": {**before["edges"], **message["edges"]}}
        else:
            self._messages["changed", message["what"], message["id"]] = message
        if len(self._messages) > MAX_PENDING:
            self._merge_by_kind()
        self._has_messages.set()

    async def take(self) -> dict[str, Any]:
        await self._has_messages.wait()
        message = self._messages.pop(next(iter(self._messages)))
        if not self._messages:
            self._has_messages.clear()
        return message

    def _merge_by_kind(self) -> None:
        """Replace the messages about single objects by one for each kind, with an empty id: pages reload them all."""
        for key, message in list(self._messages.items()):
            if key[0] == "changed" and message["id"]:
                del self._messages[key]
                self._messages["changed", message["what"], ""] = {**message, "id": "", "version": None}


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """The WebSocket of one browser or script. Closed with 4401 when not signed in and with 4404 for a stranger."""

    send_task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        slug = self.scope["url_route"]["kwargs"]["slug"]
        refusal = await self._close_code(slug)
        if refusal:
            # Accepted first: a browser only learns the code of a socket that was open.
            await self.accept()
            await self.close(refusal)
            return
        self.pending = PendingMessages()
        self.group = tenant_group(slug)
        # Subscribed before it is accepted, so that whoever has a socket misses nothing.
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        self.send_task = asyncio.create_task(self._send())
        self.authorization_task = asyncio.create_task(self._reauthorize(slug))

    async def disconnect(self, code: int) -> None:
        if self.send_task:
            self.send_task.cancel()
            self.authorization_task.cancel()
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def tenant_message(self, event: dict[str, Any]) -> None:
        self.pending.put(event["message"])

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Ignore what a browser sends; requests belong to the API."""

    @classmethod
    async def decode_json(cls, text_data: str) -> None:
        """Do not parse it either."""

    async def _send(self) -> None:
        while True:
            await self.send_json(await self.pending.take())
            await asyncio.sleep(SEND_INTERVAL)

    async def _reauthorize(self, slug: str) -> None:
        while True:
            await asyncio.sleep(REAUTHORIZE_INTERVAL)
            refusal = await self._close_code(slug)
            if refusal:
                await self.close(refusal)
                return

    async def _close_code(self, slug: str) -> int | None:
        principal = await database_sync_to_async(_authenticate)(self.scope)
        if principal is None:
            return CLOSE_UNAUTHENTICATED
        tenant = await database_sync_to_async(find_visible_tenant)(principal, slug)
        return None if tenant and "view" in await database_sync_to_async(principal.rights)(tenant) else CLOSE_NOT_FOUND


def bearer_token(scope: Mapping[str, Any]) -> str | None:
    """Return the token of the Authorization header, which a script can send here and a browser cannot."""
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    return header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else None


def _authenticate(scope: Mapping[str, Any]) -> Principal | None:
    secret = bearer_token(scope)
    if secret is not None:
        token = tokens.find(secret)
        return Principal(token.user, token) if token else None
    session_user, session = scope.get("user"), scope.get("session")
    if (
        session_user is None
        or not session_user.is_authenticated
        or session is None
        or not session.exists(session.session_key)
    ):
        return None
    user = User.objects.filter(pk=session_user.pk, is_active=True).first()
    return Principal(user) if user else None
