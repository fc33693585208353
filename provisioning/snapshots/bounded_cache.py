"""A cache of a few values, for threads of one process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Keeps at most ``limit`` values; the least recently used one goes first. Threads may ask at once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value and count it as used; None where there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self.limit:
                self._values.popitem(last=False)

    def items(self) -> list[tuple[Key, Value]]:
        """Return what is kept now, the least recently used first."""
        with self._lock:
            return list(self._values.items())

    def values(self) -> list[Value]:
        return [value for _, value in self.items()]

    def __len__(self) -> int:
        return len(self._values)
