"""Who has a page of a draft open now: in Redis, each socket until it leaves or has not been renewed for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from portal.live_feed import tenant_group
from provisioning.redis import redis_client

logger = logging.getLogger(__name__)

LIFETIME = 90.0
"""Seconds that a socket counts without being renewed, for the process that held it may have died."""
TIMEOUT = 5.0


class Presence:
    """One socket on a page of one draft. Whoever comes or goes is announced to all sockets of the tenant."""

    def __init__(self, slug: str, draft: str, email: str) -> None:
        self.slug, self.draft, self.email = slug, draft, email
        self.key, self.member = f"presence:{slug}:{draft}", f"{email} {id(self)}-{time.monotonic_ns()}"

    async def renew(self) -> None:
        """Count the socket from now on, or longer."""
        await self._announce(LIFETIME)

    async def leave(self) -> None:
        await self._announce(0)

    async def _announce(self, lifetime: float) -> None:
        try:
            people = await asyncio.to_thread(self._write, time.time(), lifetime)
            layer: Any = get_channel_layer()
            message = {"type": "presence", "draft": self.draft, "people": people}
            await layer.group_send(tenant_group(self.slug), {"type": "tenant.message", "message": message})
        except (RedisError, OSError) as error:
            # Nobody waits for it, and the next renewal says it again.
            logger.warning("live: presence in %s not told: %s", self.draft, error)

    def _write(self, now: float, lifetime: float) -> list[str]:
        """Write until when the socket counts; return the e-mail addresses of all who are here."""
        pipeline = redis_client(TIMEOUT).pipeline()
        pipeline.zadd(self.key, {self.member: now + lifetime})
        pipeline.zremrangebyscore(self.key, "-inf", now)
        pipeline.expire(self.key, round(LIFETIME))
        pipeline.zrange(self.key, 0, -1)
        members: list[bytes] = pipeline.execute()[-1]
        return sorted({member.decode().partition(" ")[0] for member in members})
