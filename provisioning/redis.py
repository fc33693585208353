"""The client of Redis: wake-ups, rates and throttling. Nothing in Redis has to outlive it."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings


def redis_client(timeout: float | None = None) -> redis.Redis:
    """Return this process's client; ``timeout``: seconds after which a call fails, None to wait."""
    return _client(settings.REDIS_URL, timeout)


@cache
def _client(url: str, timeout: float | None) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)
