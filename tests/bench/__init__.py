"""``make bench``: benchmarks of the product; prints one JSON object a line and a table at the end.

To add one, add a module here with a generator of ``Figure`` values under ``@bench`` and name it in ``__main__``.
A peer's figure is measured in the same run on the same machine, or omitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Figure:
    """One measurement. ``peer``: what it is compared with; ``ratio``: value / peer's value; ``bound``: the maximum.

    A bound in units of time is that of the reference machine (calibration.py), unless it ``is_relative``: measured in
    the same run.
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None
    bound: float | None = None
    is_relative: bool = False

    def scaled(self, slowness: float) -> Figure:
        """Return the figure with the bound of a machine that is so many times slower."""
        if self.bound is None or self.is_relative or self.unit not in UNITS_OF_TIME:
            return self
        return replace(self, bound=self.bound * slowness)

    @property
    def is_within_bound(self) -> bool:
        return self.bound is None or self.value <= self.bound


UNITS_OF_TIME = ("s", "ms", "µs", "% of a core")

Bench = Callable[[], Iterator[Figure]]
BENCHES: dict[str, Bench] = {}


def bench(function: Bench) -> Bench:
    BENCHES[function.__name__] = function
    return function
