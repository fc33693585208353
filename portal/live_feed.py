"""What the sockets of one tenant in this process are sent: changes, received once for all of them, and rates.

Nothing is received or looked at for a tenant that has no socket here.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from provisioning.selectors.traffic_rates import current_rates
from tenants.jobs import in_scope
from tenants.models import Tenant

logger = logging.getLogger(__name__)

RATES_INTERVAL = 2.0
"""Seconds between two looks at the rates, as long as nodes take between two reports."""
MAX_PENDING = 100


class PendingMessages:
    """The messages that one socket has not been sent yet; only the newest about each object is kept."""

    def __init__(self, draft: str = "", email: str = "") -> None:
        """``draft``: the uid of the one its page is about; who else is there is told, but not ``email`` itself."""
        self.draft, self.email = draft, email
        self._messages: dict[tuple[str, ...], dict[str, Any]] = {}
        self._has_messages = asyncio.Event()

    def put(self, message: dict[str, Any]) -> None:
        if message["type"] == "rates":
            self._messages["rates",] = message
        elif message["type"] == "presence":
            if message["draft"] != self.draft:
                return
            others = [email for email in message["people"] if email != self.email]
            self._messages["presence",] = {**message, "people": others}
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


class TenantFeed:
    """Begins with the tenant's first socket in this process and ends with the last one."""

    def __init__(self, key: FeedKey) -> None:
        self.key, self.slug = key, key[1]
        self.sockets: set[PendingMessages] = set()
        self.subscription = asyncio.create_task(self._subscribe())
        self.tasks = [asyncio.create_task(self._receive_changes()), asyncio.create_task(self._look_at_rates())]

    def leave(self, socket: PendingMessages) -> None:
        self.sockets.discard(socket)
        if not self.sockets and _feeds.get(self.key) is self:
            del _feeds[self.key]
            for task in self.tasks:
                task.cancel()

    async def _subscribe(self) -> str:
        layer: Any = get_channel_layer()
        channel: str = await layer.new_channel()
        await layer.group_add(tenant_group(self.slug), channel)
        return channel

    async def _receive_changes(self) -> None:
        layer: Any = get_channel_layer()
        try:
            channel = await asyncio.shield(self.subscription)
        except asyncio.CancelledError:
            # The last socket left before the subscription was there.
            await _unsubscribe(layer, tenant_group(self.slug), await self.subscription)
            raise
        try:
            while True:
                self._put((await layer.receive(channel))["message"])
        finally:
            await layer.group_discard(tenant_group(self.slug), channel)

    async def _look_at_rates(self) -> None:
        while True:
            now = timezone.now()
            try:
                edges = await database_sync_to_async(_rates)(self.slug)
            except (RedisError, OSError, DatabaseError) as error:
                logger.warning("live: no rates of %s: %s", self.slug, error)
                edges = {}
            except Exception:
                # Nobody waits for this task, and sockets that come later find this feed: one look must not end it.
                logger.exception("live: no rates of %s", self.slug)
                edges = {}
            if edges:
                self._put({"type": "rates", "at": now.isoformat(), "edges": edges})
            await asyncio.sleep(RATES_INTERVAL)

    def _put(self, message: dict[str, Any]) -> None:
        for socket in self.sockets:
            socket.put(message)


FeedKey = tuple[asyncio.AbstractEventLoop, str]
_feeds: dict[FeedKey, TenantFeed] = {}


async def join_feed(slug: str, socket: PendingMessages) -> TenantFeed:
    """Let the socket have what the tenant's feed receives from now on; return the feed, to be left in the end."""
    key = asyncio.get_running_loop(), slug
    feed = _feeds.get(key) or _feeds.setdefault(key, TenantFeed(key))
    feed.sockets.add(socket)
    try:
        await asyncio.shield(feed.subscription)
    except BaseException:
        feed.leave(socket)
        raise
    return feed


def tenant_group(slug: str) -> str:
    return f"tenant.{slug}"


async def _unsubscribe(layer: Any, group: str, channel: str) -> None:
    """Leave the group by a channel from which nobody received; the layer forgets it when a receiver is cancelled."""
    await layer.group_discard(group, channel)
    receiving = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(0)
    receiving.cancel()
    await asyncio.wait([receiving])


def _rates(slug: str) -> dict[str, list[int]]:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:  # removed while a page of it is open
        return {}
    rates = in_scope(tenant, current_rates, timezone.now())
    return {edge: [round(rate) for rate in pair] for edge, pair in rates.items()}
