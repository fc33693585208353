"""Live updates: the senders, and the WebSocket ``/ws/t/{slug}/`` (docs/api.md, “Live updates”).

A message says what changed, and the page fetches it again with the ordinary permission check; only rates carry numbers.
What a socket is sent comes from its tenant's feed (live_feed.py).
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from portal.live_feed import PendingMessages, TenantFeed, join_feed, tenant_group
from portal.presence import Presence
from tenants import tokens
from tenants.middleware import find_visible_tenant
from tenants.models import User
from tenants.principal import Principal

logger = logging.getLogger(__name__)

SEND_INTERVAL = 0.1
"""Seconds between two messages of one socket: at most 10 a second."""
REAUTHORIZE_INTERVAL = 30.0
"""Seconds after which a socket's permission is checked again."""
SEND_TIMEOUT = 5.0
"""Seconds that a sender waits for Redis."""

CLOSE_UNAUTHENTICATED, CLOSE_NOT_FOUND = 4401, 4404
UUID_TEXT = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def send_changed(tenant: str, what: str, id: str = "", version: int | None = None) -> None:
    """Outbox handler: tell the tenant's browsers what changed. Raise ConnectionError without Redis, to be retried."""
    try:
        _send_to_tenant(tenant, {"type": "changed", "what": what, "id": id, "version": version})
    except (RedisError, TimeoutError) as error:
        raise ConnectionError(str(error)) from error


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


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """The WebSocket of one browser or script. Closed with 4401 when not signed in and with 4404 for a stranger."""

    channel_layer_alias = "none"
    """Sockets do not subscribe one by one; their tenant's feed does, once."""
    feed: TenantFeed | None = None
    presence: Presence | None = None
    tasks: Sequence[asyncio.Task[None]] = ()

    async def __call__(self, *connection: Any) -> None:
        # However it ends: a socket whose browser went before it was accepted is never told that it disconnected.
        try:
            await super().__call__(*connection)
        finally:
            await self._leave()

    async def connect(self) -> None:
        slug = self.scope["url_route"]["kwargs"]["slug"]
        refusal = await self._close_code(slug)
        if refusal:
            # Accepted first: a browser only learns the code of a socket that was open.
            await self.accept()
            await self.close(refusal)
            return
        draft = _draft_of(self.scope)
        self.pending = PendingMessages(draft, self.email)
        # Subscribed before it is accepted, so that whoever has a socket misses nothing.
        self.feed = await join_feed(slug, self.pending)
        await self.accept()
        self.tasks = asyncio.create_task(self._send()), asyncio.create_task(self._reauthorize(slug))
        if draft:
            self.presence = Presence(slug, draft, self.email)
            await self.presence.renew()

    async def _leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.feed:
            self.feed.leave(self.pending)
        if self.presence:
            await self.presence.leave()

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
            if self.presence:
                await self.presence.renew()

    async def _close_code(self, slug: str) -> int | None:
        principal = await database_sync_to_async(_authenticate)(self.scope)
        if principal is None:
            return CLOSE_UNAUTHENTICATED
        self.email = principal.user.email
        tenant = await database_sync_to_async(find_visible_tenant)(principal, slug)
        return None if tenant and "view" in await database_sync_to_async(principal.rights)(tenant) else CLOSE_NOT_FOUND


def _draft_of(scope: Mapping[str, Any]) -> str:
    """Return the uid after ``?draft=``, "" where there is none."""
    named = parse_qs(scope["query_string"].decode("latin1")).get("draft", [""])[0]
    return named if UUID_TEXT.fullmatch(named) else ""


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
