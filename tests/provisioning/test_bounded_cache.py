"""The bounded cache under concurrent threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioning.snapshots.bounded_cache import BoundedCache

pytestmark = pytest.mark.django_db(databases=["default"])


class YieldingKey:
    """A key that lets other threads run whenever it is looked up."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        time.sleep(0)
        return self.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, YieldingKey) and other.number == self.number


def test_threads_share_the_cache() -> None:
    cache: BoundedCache[YieldingKey, int] = BoundedCache(3)

    def use(start: int) -> None:
        for number in range(500):
            key = YieldingKey((start + number) % 7)
            cache.put(key, number)
            cache.get(YieldingKey(number % 7))
            cache.get(key)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    assert len(cache) == 3
