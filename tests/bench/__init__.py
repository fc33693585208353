"""``make bench``: measurements of the real thing, one JSON object a line, and a table at the end.

Add a module here with a function under ``@bench`` and name it in ``__main__``; it yields ``Figure`` values.
A figure of a peer is measured here, on the same machine, or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``peer``: what it is compared with; ``ratio``: our value over the peer's; ``bound``: the most it may be."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None
    bound: float | None = None

    @property
    def is_within_bound(self) -> bool:
        return self.bound is None or self.value <= self.bound


Bench = Callable[[], Iterator[Figure]]
BENCHES: dict[str, Bench] = {}


def bench(function: Bench) -> Bench:
    BENCHES[function.__name__] = function
    return function
