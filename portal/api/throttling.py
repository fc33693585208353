"""How many requests one token or person may send: many, but not so many that others wait. Counted in Redis.

Not DRF's SimpleRateThrottle: that keeps the time of every request and reads the list before it writes it back. At 1,000
requests in 10 seconds this is a long list for each request, and processes that answer at once lose each other's counts.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from provisioning.redis import redis_client

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 10
"""Seconds in which ``settings.API_REQUESTS`` requests are free."""


class RequestThrottle(BaseThrottle):
    """A counter for each token (or person) and window. While Redis does not answer, nobody is refused."""

    def allow_request(self, request: Request, view: Any) -> bool:
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        caller = f"token:{request.auth.pk}" if request.auth else f"user:{request.user.pk}"
        key = f"causeway:throttle:{caller}:{window}"
        try:
            with redis_client(timeout=1).pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * WINDOW_SECONDS)
                count = pipe.execute()[0]
        except RedisError as error:
            logger.warning("throttle: Redis does not answer: %s", error)
            return True
        self.seconds_left = (window + 1) * WINDOW_SECONDS - now
        return int(count) <= settings.API_REQUESTS

    def wait(self) -> float:
        return self.seconds_left
