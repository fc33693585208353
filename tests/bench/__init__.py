"""``make bench``: benchmarks of the product; prints one JSON object a line and a table at the end.

To add one, add a module here with a generator of ``Figure`` values under ``@bench`` and name it in ``__main__``.
A peer's figure is measured in the same run on the same machine, or omitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement. ``peer``: what it is compared with; ``ratio``: value / peer's value; ``bound``: the maximum."""

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
