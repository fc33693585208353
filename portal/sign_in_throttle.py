"""How often a password may be tried, counted in Redis for all processes.

By address and account together, so that nobody locks a person out from elsewhere; by address, against one who tries
many accounts; and, far higher, by account, against one who tries from many addresses. A try is counted before the
password is looked at, so that many at once do not pass together; a right one takes itself back. While Redis does not
answer, nobody is refused.
"""

from __future__ import annotations

import hashlib
import logging
from ipaddress import IPv6Address, ip_address, ip_network

from redis.exceptions import RedisError

from provisioning.redis import redis_client

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
TRIES_BY_PAIR = 5
TRIES_BY_ADDRESS = 50
TRIES_BY_ACCOUNT = 100


def count_try(address: str, account: str) -> int:
    """Count a try; return how many seconds to wait, 0 where it may go on. One that has to wait counts too."""
    limits = _limits(address, account)
    try:
        with redis_client(timeout=1).pipeline() as pipe:
            for key in limits:
                pipe.set(key, 0, ex=WINDOW_SECONDS, nx=True)
                pipe.incr(key)
                pipe.ttl(key)
            answers = pipe.execute()
    except RedisError as error:
        logger.warning("sign-in: Redis does not answer: %s", error)
        return 0
    counts, seconds_left = answers[1::3], answers[2::3]
    return max(
        (left for count, left, limit in zip(counts, seconds_left, limits.values(), strict=True) if count > limit),
        default=0,
    )


def take_back_try(address: str, account: str) -> None:
    """The password was right: the try counts for nothing."""
    try:
        with redis_client(timeout=1).pipeline() as pipe:
            for key in _limits(address, account):
                pipe.decr(key)
            pipe.execute()
    except RedisError as error:
        logger.warning("sign-in: Redis does not answer: %s", error)


def _limits(address: str, account: str) -> dict[str, int]:
    """Return key → tries in a window. Accounts are hashed: what people type there may be a password."""
    ip = ip_address(address)
    # One person has a /64 of IPv6 (RFC 6177).
    place = str(ip_network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip)
    digest = hashlib.sha256(account.strip().lower().encode()).hexdigest()[:32]
    prefix = "causeway:sign-in"
    return {
        f"{prefix}:pair:{place}:{digest}": TRIES_BY_PAIR,
        f"{prefix}:address:{place}": TRIES_BY_ADDRESS,
        f"{prefix}:account:{digest}": TRIES_BY_ACCOUNT,
    }
